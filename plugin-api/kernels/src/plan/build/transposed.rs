//! Transposed convolutions: an ordinary convolution for each place modulo the stride.

use super::{
    super::{
        algorithm::Phase,
        fuse::Layer,
        steps::{ConvolutionStep, Source},
        storage::Part,
        weights::{Packing, bias_of, scale_of, terms_length, terms_of},
    },
    Builder,
    convolution::{output_tile, whole_output},
};
use crate::{
    graph::{Shape, TransposedConvolution},
    kernels::{
        convolution::{DirectConvolution, Lines, Pixels},
        reads::ReadBlocks,
        tile::Tile,
    },
    memory::{AlignedBuffer, Halo, Layout, Packed},
    simd::LANES,
};
use std::sync::Arc;

fn kernel(parameters: &TransposedConvolution) -> [usize; 2] {
    [parameters.weight.dims()[2], parameters.weight.dims()[3]]
}

fn size(shape: Shape) -> [usize; 2] {
    let layout = Layout::new(shape, Halo::default());
    [layout.height, layout.width]
}

/// The zeros that all phases need around the input.
pub(super) fn halo(parameters: &TransposedConvolution, input: Shape, output: Shape) -> Halo {
    let (input, output) = (size(input), size(output));
    let phases = Builder::phases(kernel(parameters), parameters.stride, parameters.padding, output);
    let reach = |axis: usize| {
        phases[axis]
            .iter()
            .filter(|phase| phase.count > 0)
            .fold((0, 0), |(before, after), phase| {
                let (more_before, more_after) = phase.halo(input[axis]);
                (before.max(more_before), after.max(more_after))
            })
    };
    let ((top, bottom), (left, right)) = (reach(0), reach(1));
    Halo {
        top,
        bottom,
        left,
        right,
    }
}

impl Builder<'_> {
    pub(super) fn transposed_convolution(
        &self,
        layer: &Layer,
        parameters: &TransposedConvolution,
    ) -> ConvolutionStep {
        let x_place = self.place(layer.inputs[0]);
        let (x, y) = (*x_place.layout(), self.part(layer.output));
        let outputs = parameters.weight.dims()[1];
        let bias = Arc::new(bias_of(self.graph, layer, parameters.bias.as_ref(), outputs));
        let size = [y.layout.height, y.layout.width];
        let [rows, columns] = Self::phases(kernel(parameters), parameters.stride, parameters.padding, size);
        let mut convolutions = Vec::new();
        for (v, rows) in rows.iter().enumerate() {
            for (h, columns) in columns.iter().enumerate() {
                if rows.count > 0 && columns.count > 0 {
                    let weights = self.phase_weights(layer, parameters, &x, ([v, h], [*rows, *columns]));
                    let weights = (weights, Arc::clone(&bias));
                    let stride = parameters.stride;
                    convolutions.push(self.phase(layer, &x, &y, [*rows, *columns], stride, weights));
                }
            }
        }
        ConvolutionStep {
            convolutions,
            x: Source::Blocked(x_place),
            residual: None,
            y,
        }
    }

    /// The weights of the results at one place modulo the stride, `[v, h]`.
    fn phase_weights(
        &self,
        layer: &Layer,
        parameters: &TransposedConvolution,
        x: &Layout,
        ([v, h], [rows, columns]): ([usize; 2], [Phase; 2]),
    ) -> Packed {
        let (inputs, outputs) = (parameters.weight.dims()[0], parameters.weight.dims()[1]);
        let [kernel_rows, kernel_columns] = kernel(parameters);
        let scale = scale_of(self.graph, layer);
        let stride = parameters.stride;
        let taps = rows.taps * columns.taps;
        let (blocks, terms) = (x.blocks(), inputs * taps);
        let fill = terms_of(outputs, move |source, output, term| {
            let block = (term / (LANES * taps)).min(blocks - 1);
            let channels = LANES.min(inputs - block * LANES);
            let within = term - block * LANES * taps;
            let (tap, input) = (within / channels, block * LANES + within % channels);
            let row = rows.weight(v, stride[0], tap / columns.taps);
            let column = columns.weight(h, stride[1], tap % columns.taps);
            if row >= kernel_rows || column >= kernel_columns {
                return 0.0;
            }
            let at = ((input * outputs + output) * kernel_rows + row) * kernel_columns + column;
            f64::from(source[at]) * scale(output)
        });
        let size = (terms_length(outputs, terms), terms * LANES);
        let packing = Packing::Phase(v, h);
        self.packer.later(layer, packing, size, &parameters.weight, fill)
    }

    /// The convolution of the results of one phase of rows and one of columns.
    fn phase(
        &self,
        layer: &Layer,
        x: &Layout,
        y: &Part,
        [rows, columns]: [Phase; 2],
        stride: [usize; 2],
        (weights, bias): (Packed, Arc<AlignedBuffer>),
    ) -> DirectConvolution {
        let reads = ReadBlocks {
            count: x.blocks(),
            firsts: vec![0; y.layout.blocks()],
            last_channels: x.channels - (x.blocks() - 1) * LANES,
        };
        let terms = reads.channels() * rows.taps * columns.taps;
        let tile = Tile {
            blocks: x.blocks(),
            rows: rows.taps,
            columns: columns.taps,
            channels: LANES,
            last_channels: reads.last_channels,
            x_block: x.block(),
            x_row: x.row(),
            x_column: LANES,
            x_step: LANES,
            y_step: LANES * stride[1],
            ..output_tile(&y.layout, None, terms, layer)
        };
        let mut convolution = whole_output(layer, tile, y, None, weights, bias);
        convolution.pixels = Pixels {
            height: rows.count,
            width: columns.count,
            last_width: columns.count,
        };
        convolution.x = Lines {
            // The halo is at least as large as the reach of every phase, so the sums are not negative.
            origin: x.halo.top.wrapping_add_signed(rows.start) * x.row()
                + x.halo.left.wrapping_add_signed(columns.start) * LANES,
            line: x.row(),
            length: x.image(),
        };
        convolution.y = Lines {
            origin: y.layout.at(0, rows.first, columns.first),
            line: y.layout.row() * stride[0],
            length: y.layout.image(),
        };
        self.set_groups(&mut convolution, &reads, x, 1);
        DirectConvolution::new(convolution)
    }
}
