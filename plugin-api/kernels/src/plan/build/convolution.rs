//! Steps of convolutions and linear layers.

use super::{
    super::{
        algorithm::{Algorithm, Geometry},
        fuse::Layer,
        steps::{BatchedStep, ConvolutionStep, Source, Step, WinogradStep},
        storage::{Part, Place},
        weights::{Packing, bias_of, scale_of},
    },
    Builder,
    packing::PackedBlocks,
    tasks::cut_pixels,
};
use crate::{
    graph::Weight,
    kernels::{
        convolution::{DirectConvolution, Lines, Order, Pixels, Specification},
        reads::ReadBlocks,
        tile::{Ahead, Tile, group_blocks, tile_pixels},
        winograd::{self, WinogradConvolution, WinogradCut, tiles_of, transform_weights},
    },
    memory::{AlignedBuffer, Halo, Layout, Packed},
    simd::LANES,
};
use std::sync::Arc;

/// Values of the transformed tiles of a block in Winograd's algorithm.
const BLOCK_INPUT: usize = 160 * 1024;

impl Builder<'_> {
    /// The step of a convolution or linear layer.
    pub(super) fn convolution(&self, index: usize, weight: &Weight, bias: Option<&Weight>) -> Box<dyn Step> {
        let layer = &self.layers[index];
        let (geometry, algorithm) =
            self.algorithms[index].expect("every convolution and linear layer has an algorithm");
        let bias = Arc::new(bias_of(self.graph, layer, bias, geometry.outputs));
        match algorithm {
            Algorithm::Winograd => Box::new(self.winograd(index, &geometry, weight, bias)),
            Algorithm::Depthwise => Box::new(self.depthwise(layer, &geometry, weight, bias)),
            Algorithm::Batched => self.batched(index, &geometry, weight, bias),
            Algorithm::Bf16 => Box::new(self.bf16_convolution(index, &geometry, weight, &bias)),
            Algorithm::Bytes => Box::new(self.byte_convolution(index, &geometry, weight, &bias)),
            Algorithm::ByteDepthwise => Box::new(self.byte_depthwise(layer, &geometry, weight, &bias)),
            Algorithm::Planar => Box::new(self.planar_convolution(layer, &geometry, weight, bias)),
            Algorithm::Wide => Box::new(self.wide(layer, &geometry, weight, bias)),
            Algorithm::Direct | Algorithm::Grouped => Box::new(self.direct(index, &geometry, weight, bias)),
        }
    }

    /// The residual of a layer, where it has one.
    pub(super) fn residual(&self, layer: &Layer) -> Option<Place> {
        layer.residual.map(|residual| self.place(residual))
    }

    fn direct(
        &self,
        index: usize,
        geometry: &Geometry,
        weight: &Weight,
        bias: Arc<AlignedBuffer>,
    ) -> ConvolutionStep {
        let layer = &self.layers[index];
        let x_place = self.place(layer.inputs[0]);
        let (x, y) = (*x_place.layout(), self.part(layer.output));
        let residual = self.residual(layer);
        let PackedBlocks {
            weights,
            reads,
            terms,
        } = self.packed_blocks(layer, geometry, weight);
        let tile = Tile {
            blocks: reads.count,
            rows: geometry.kernel[0],
            columns: geometry.kernel[1],
            channels: LANES,
            last_channels: reads.last_channels,
            x_block: x.block(),
            x_row: x.row() * geometry.dilation[0],
            x_column: LANES * geometry.dilation[1],
            x_step: LANES * geometry.stride[1],
            ..output_tile(&y.layout, residual.as_ref(), terms, layer)
        };
        let mut convolution = whole_output(layer, tile, &y, residual.as_ref(), weights, bias);
        convolution.x = Lines {
            origin: (x.halo.top - geometry.padding.top) * x.row()
                + (x.halo.left - geometry.padding.left) * LANES,
            line: x.row() * geometry.stride[0],
            length: x.image(),
        };
        let pointwise = geometry.kernel == [1, 1] && geometry.stride == [1, 1];
        let contiguous = x.is_contiguous()
            && y.layout.is_contiguous()
            && residual
                .as_ref()
                .is_none_or(|residual| residual.layout().is_contiguous());
        if pointwise && contiguous {
            cut_pixels(&mut convolution, tile_pixels(self.isa.vectors()));
        }
        self.set_groups(&mut convolution, &reads, &x, self.images[index]);
        ConvolutionStep {
            convolutions: vec![DirectConvolution::new(convolution)],
            x: Source::Blocked(x_place),
            residual,
            y,
        }
    }

    fn planar_convolution(
        &self,
        layer: &Layer,
        geometry: &Geometry,
        weight: &Weight,
        bias: Arc<AlignedBuffer>,
    ) -> ConvolutionStep {
        let y = self.part(layer.output);
        let residual = self.residual(layer);
        let (planar, part) = self.planar[&layer.inputs[0]];
        let [rows, columns] = geometry.kernel;
        let terms = geometry.inputs * rows * columns;
        let weights = self.turned(layer, Packing::Planar, weight, terms, None);
        let tile = Tile {
            blocks: geometry.inputs,
            rows,
            columns: 1,
            // The pixels of a kernel's row are next to each other, as channels of a block are.
            channels: columns,
            last_channels: columns,
            x_block: planar.plane(),
            x_row: planar.row() * geometry.dilation[0],
            x_column: 0,
            x_step: geometry.stride[1],
            ..output_tile(&y.layout, residual.as_ref(), terms, layer)
        };
        let mut convolution = whole_output(layer, tile, &y, residual.as_ref(), weights, bias);
        convolution.x = Lines {
            origin: (planar.border.top - geometry.padding.top) * planar.row() + planar.border.left
                - geometry.padding.left,
            line: planar.row() * geometry.stride[0],
            length: planar.image(),
        };
        let reads = ReadBlocks {
            count: 1,
            firsts: vec![0; y.layout.blocks()],
            last_channels: columns,
        };
        self.set_groups(&mut convolution, &reads, &y.layout, 1);
        let x = if planar.border == Halo::default() {
            Source::Input(self.input_index(layer.inputs[0]))
        } else {
            Source::Planar(part)
        };
        ConvolutionStep {
            convolutions: vec![DirectConvolution::new(convolution)],
            x,
            residual,
            y,
        }
    }

    /// A linear layer of vectors: its pixels are the images of a pass.
    fn batched(
        &self,
        index: usize,
        geometry: &Geometry,
        weight: &Weight,
        bias: Arc<AlignedBuffer>,
    ) -> Box<dyn Step> {
        let layer = &self.layers[index];
        let (x_place, y) = (self.place(layer.inputs[0]), self.part(layer.output));
        let Place::Arena(x) = x_place else {
            return Box::new(self.direct(index, geometry, weight, bias));
        };
        let terms = geometry.inputs;
        let weights = self.turned(layer, Packing::Direct, weight, terms, None);
        let images = self.images[index];
        let (x_image, y_image) = (self.buffers[x.buffer].image(), self.buffers[y.buffer].image());
        let tile = Tile {
            blocks: 1,
            rows: 1,
            columns: 1,
            channels: geometry.inputs,
            last_channels: geometry.inputs,
            x_block: 0,
            x_row: 0,
            x_column: 0,
            x_step: x_image,
            ..output_tile(&y.layout, None, terms, layer)
        };
        let tile = Tile {
            y_step: y_image,
            ..tile
        };
        let mut convolution = whole_output(layer, tile, &y, None, weights, bias);
        convolution.pixels = Pixels {
            height: 1,
            width: images,
            last_width: images,
        };
        convolution.x.length = (images - 1) * x_image + x.layout.image();
        convolution.y.length = (images - 1) * y_image + y.layout.image();
        let reads = ReadBlocks {
            count: 1,
            firsts: vec![0; y.layout.blocks()],
            last_channels: geometry.inputs,
        };
        self.set_groups(&mut convolution, &reads, &x.layout, 1);
        Box::new(BatchedStep {
            convolution: DirectConvolution::new(convolution),
            x,
            y,
        })
    }

    fn winograd(
        &self,
        index: usize,
        geometry: &Geometry,
        weight: &Weight,
        bias: Arc<AlignedBuffer>,
    ) -> WinogradStep {
        let layer = &self.layers[index];
        let (x, y) = (self.part(layer.inputs[0]), self.part(layer.output));
        let residual = self.residual(layer);
        let inputs = geometry.inputs;
        let block_length = winograd::block_length(inputs);
        let length = geometry.outputs.div_ceil(LANES) * block_length;
        let (isa, scale) = (self.isa, scale_of(self.graph, layer));
        let fill = move |source: &[f32], block: usize, planes: &mut [f32]| {
            transform_weights(isa, source, inputs, (block, &scale), planes);
        };
        let size = (length, block_length);
        let weights = self.packer.later(layer, Packing::Winograd, size, weight, fill);
        let images = self.images[index];
        let cut = self.winograd_cut(&x.layout, &y.layout, images);
        let convolution = WinogradConvolution::new(
            (weights, bias),
            layer.epilogue.stages(),
            geometry.padding,
            (x.layout, y.layout),
            cut,
        );
        WinogradStep {
            convolution,
            x,
            residual,
            y,
            images,
        }
    }

    /// How many tiles and output blocks go together, where so many images do.
    fn winograd_cut(&self, x: &Layout, y: &Layout, images: usize) -> WinogradCut {
        let tiles = tiles_of(y) * images;
        let pixels = tile_pixels(self.isa.vectors());
        // A few full tiles of the micro-kernel.
        let full = pixels[1].max(pixels[0]);
        let fitting = BLOCK_INPUT / (36 * x.blocks() * LANES);
        let block = (fitting / full * full).clamp(2 * full, 4 * full).min(tiles);
        // As many blocks as come nearest: the weights are read once for each.
        let blocks = ((tiles + block / 2) / block).max(1);
        let block_tiles = tiles.div_ceil(blocks);
        WinogradCut {
            block_tiles,
            group_blocks: group_blocks(y.blocks(), block_tiles, pixels),
        }
    }
}

/// The half of a tile that has to do with its output.
pub(super) fn output_tile(y: &Layout, residual: Option<&Place>, terms: usize, layer: &Layer) -> Tile {
    let stages = layer.epilogue.stages();
    Tile {
        blocks: 1,
        rows: 1,
        columns: 1,
        channels: 1,
        last_channels: 1,
        x_block: 0,
        x_row: 0,
        x_column: 0,
        x_step: 0,
        w_block: terms * LANES,
        ahead: Ahead::NONE,
        y_block: y.block(),
        y_step: y.pixel(),
        r_block: residual.map_or(0, |residual| residual.layout().block()),
        slope: stages.slope,
        maximum: stages.maximum,
        end: None,
    }
}

/// A convolution that writes all pixels of its output; the caller adds what it reads, and its groups.
pub(super) fn whole_output(
    layer: &Layer,
    tile: Tile,
    y: &Part,
    residual: Option<&Place>,
    weights: Packed,
    bias: Arc<AlignedBuffer>,
) -> Specification {
    let Layout { height, width, .. } = y.layout;
    let lines = |layout: &Layout| Lines {
        origin: layout.at(0, 0, 0),
        line: layout.row(),
        length: layout.image(),
    };
    Specification {
        tile,
        groups: Vec::new(),
        weights,
        bias,
        stages: layer.epilogue.stages(),
        staged: None,
        pixels: Pixels {
            height,
            width,
            last_width: width,
        },
        x: Lines::default(),
        y: lines(&y.layout),
        residual: residual.map(|residual| lines(residual.layout())),
        order: Order::WHOLE,
    }
}
