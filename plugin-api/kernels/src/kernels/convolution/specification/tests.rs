use super::*;
use crate::{
    kernels::{
        convolution::{DirectConvolution, Images},
        epilogue::Epilogue,
        tile::Ahead,
    },
    memory::{Shared, SharedMut, Slab},
    simd::Isa,
};
use proptest::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Rows and columns of the result.
const SIZE: usize = 4;
/// Pixels of a row of the input, which is larger by a border of one pixel.
const PADDED: usize = SIZE + 2;

/// A convolution of 3x3 from 24 channels to 40, with a residual.
fn specification() -> Specification {
    let (inputs, blocks) = (24, 3);
    let terms = inputs * 9;
    let epilogue = Epilogue {
        adds_residual: true,
        ..Epilogue::default()
    };
    let plane = SIZE * SIZE * LANES;
    let lines = Lines {
        origin: 0,
        line: SIZE * LANES,
        length: blocks * plane,
    };
    Specification {
        tile: Tile {
            blocks: 2,
            rows: 3,
            columns: 3,
            channels: LANES,
            last_channels: inputs - LANES,
            x_block: PADDED * PADDED * LANES,
            x_row: PADDED * LANES,
            x_column: LANES,
            x_step: LANES,
            w_block: terms * LANES,
            ahead: Ahead::NONE,
            y_block: plane,
            y_step: LANES,
            r_block: plane,
            slope: 1.0,
            maximum: f32::INFINITY,
            end: None,
        },
        groups: (0..blocks)
            .map(|first| Group {
                first,
                blocks: 1,
                x_start: 0,
            })
            .collect(),
        weights: Slab::default().allocate(blocks * terms * LANES, |weights| weights.fill(1.0)),
        bias: Arc::new(AlignedBuffer::zeroed(blocks * LANES)),
        stages: epilogue.stages(),
        staged: None,
        pixels: Pixels {
            height: SIZE,
            width: SIZE,
            last_width: SIZE,
        },
        x: Lines {
            origin: 0,
            line: PADDED * LANES,
            length: 2 * PADDED * PADDED * LANES,
        },
        y: lines,
        residual: Some(lines),
        order: Order::WHOLE,
    }
}

fn is_refused(alter: impl FnOnce(&mut Specification)) -> bool {
    let mut specification = specification();
    alter(&mut specification);
    catch_unwind(AssertUnwindSafe(|| specification.check())).is_err()
}

#[test]
fn what_reaches_beyond_its_memory_is_refused() {
    assert!(!is_refused(|_| {}));
    assert!(is_refused(|it| it.x.origin += LANES));
    assert!(is_refused(|it| it.x.line += LANES));
    assert!(is_refused(|it| it.tile.blocks += 1));
    assert!(is_refused(|it| it.tile.rows += 1));
    assert!(is_refused(|it| it.groups[2].x_start += LANES));
    assert!(is_refused(|it| it.y.origin += 1));
    assert!(is_refused(|it| it.y.length -= 1));
    assert!(is_refused(|it| it.tile.y_block += LANES));
    assert!(is_refused(|it| it.tile.r_block += LANES));
    assert!(is_refused(|it| it.tile.w_block += LANES));
    assert!(is_refused(|it| it.pixels.height += 1));
    assert!(is_refused(|it| it.pixels.last_width = 0));
    assert!(is_refused(|it| it.pixels.last_width += 1));
    assert!(is_refused(|it| it.groups[2].blocks = 2));
    assert!(is_refused(
        |it| it.bias = Arc::new(AlignedBuffer::zeroed(2 * LANES))
    ));
}

#[test]
fn results_in_one_place_are_refused() {
    assert!(is_refused(|it| it.groups[1].first = 0));
    assert!(is_refused(|it| it.tile.y_block -= LANES));
    assert!(is_refused(|it| it.tile.y_step = 8));
    assert!(is_refused(|it| it.y.line -= 1));
}

#[test]
fn an_order_that_cannot_be_kept_is_refused() {
    assert!(is_refused(|it| it.order.chunk_blocks = 0));
    assert!(is_refused(|it| it.order.task.rows = 0));
    assert!(is_refused(|it| it.residual = None));
    // Sums are kept where they are not yet complete, which takes pixels that follow each other.
    let strided = |it: &mut Specification| {
        it.pixels.width = SIZE / 2;
        it.pixels.last_width = SIZE / 2;
        it.tile.y_step = 2 * LANES;
    };
    assert!(!is_refused(strided));
    assert!(is_refused(|it| {
        strided(it);
        it.order.part_blocks = 1;
    }));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 20 } else { 2000 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Miri sees reads as well.
    #[test]
    fn what_is_accepted_writes_each_result_and_nothing_else(
        sizes in proptest::array::uniform6(1usize..4),
        distances in proptest::array::uniform4(0usize..5),
        origins in proptest::array::uniform2(0usize..3),
        last in 0usize..2,
    ) {
        let mut it = specification();
        let [blocks, rows, columns, height, width, groups] = sizes;
        let [x_line, x_step, y_line, y_block] = distances.map(|distance| distance * LANES);
        it.tile = Tile { blocks, rows, columns, x_step, y_block: 4 * y_block, ..it.tile };
        it.groups.truncate(groups);
        it.pixels = Pixels { height, width, last_width: width.saturating_sub(last) };
        it.x = Lines { origin: origins[0] * LANES, line: x_line, ..it.x };
        it.y = Lines { origin: origins[1] * LANES, line: y_line, ..it.y };
        let (pixels, x_length, y_length) = (it.pixels.count(), it.x.length, it.y.length);
        let results = pixels * it.groups.len() * LANES;
        let checked = catch_unwind(AssertUnwindSafe(|| DirectConvolution::new(it)));
        if let Ok(convolution) = checked {
            let (x, residual) = (vec![1.0; x_length], vec![0.0; y_length]);
            let mut y = vec![f32::NAN; y_length];
            let images = Images {
                count: 1,
                x: Shared::new(&x),
                x_image: 0,
                residual: Some(Shared::new(&residual)),
                r_image: 0,
                y: SharedMut::new(&mut y),
                y_image: 0,
            };
            for task in 0..convolution.tasks(1, 2) {
                // SAFETY: one task after the other, and nobody else has the slices.
                unsafe { convolution.run(Isa::best(), images, None, 2, task) };
            }
            prop_assert_eq!(y.iter().filter(|value| !value.is_nan()).count(), results);
        }
    }
}
