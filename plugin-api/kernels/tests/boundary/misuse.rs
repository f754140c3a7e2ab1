//! Safe code that would break what kernels rely on, compiled as a part of the crate by `tests/boundary.rs`: each marked
//! line must be refused with the error of its mark, and no other line.

#[cfg(misuse = "names")]
mod names {
    use crate::kernels::convolution::{DirectConvolution, Specification};

    /// What has not been checked is no kernel's input.
    fn a_convolution_is_not_made_unchecked(specification: Specification) -> DirectConvolution {
        DirectConvolution(specification) //~ E0423
    }

    /// Only detection makes the proof that a machine has the instructions.
    fn a_set_is_not_made_undetected() {
        let _ = crate::simd::portable::Portable; //~ E0603
    }
}

#[cfg(misuse = "uses")]
mod uses {
    use crate::{
        kernels::{
            convolution::{DirectConvolution, Images},
            depthwise::DepthwiseConvolution,
            rearrange::export,
            tile::{RowTiles, Tile, TilePointers},
            windows::SlidingWindows,
            winograd::WinogradConvolution,
        },
        memory::{Layout, Region, SharedMut, Target, View, ViewMut},
        plan::steps::{Context, Step, Task},
        simd::Isa,
    };

    /// Two would write the same region.
    fn a_view_for_writing_is_not_copied(view: ViewMut) -> [ViewMut; 2] {
        let first = view;
        [first, view] //~ E0382
    }

    /// Two rows that may be the same one.
    fn one_row_is_borrowed_at_a_time(mut view: ViewMut) {
        let first = view.row(0, 0);
        let second = view.row(0, 0); //~ E0499
        first.swap_with_slice(second);
    }

    fn a_region_is_not_written_unclaimed(target: Target, region: Region) {
        target.region(region); //~ E0133
    }

    fn a_halo_is_not_cleared_unclaimed(target: Target) {
        target.clear_halo(); //~ E0133
    }

    fn shared_values_are_not_read_unclaimed(shared: SharedMut) -> f32 {
        shared.slice()[0] //~ E0133
    }

    fn shared_values_are_not_written_unclaimed(shared: SharedMut) {
        shared.slice_mut()[0] = 1.0; //~ E0133
    }

    fn values_are_not_used_while_they_are_shared(values: &mut [f32]) -> usize {
        let shared = SharedMut::new(values);
        values.fill(1.0); //~ E0499
        shared.len()
    }

    fn a_view_does_not_outlive_its_values(layout: Layout) -> Layout {
        let view = {
            let values = vec![0.0; layout.image()];
            View::new(&values, layout) //~ E0597
        };
        *view.layout()
    }

    fn a_convolution_is_not_changed_after_its_check(convolution: &mut DirectConvolution) {
        convolution.0.pixels.height += 1; //~ E0616
    }

    fn windows_are_not_changed_after_their_check(windows: &mut SlidingWindows) {
        windows.origin += 16; //~ E0616
    }

    fn a_depthwise_convolution_is_not_changed(convolution: &mut DepthwiseConvolution, other: SlidingWindows) {
        convolution.windows = other; //~ E0616
    }

    fn a_winograd_convolution_is_not_changed(convolution: &mut WinogradConvolution, layout: Layout) {
        convolution.x = layout; //~ E0616
    }

    fn a_convolution_does_not_run_unclaimed(convolution: &DirectConvolution, isa: Isa, images: Images) {
        convolution.run(isa, images, None, 1, 0); //~ E0133
    }

    fn a_tile_does_not_run_on_any_pointers(tiles: &RowTiles, pointers: TilePointers, tile: &Tile) {
        tiles.run(1, pointers, tile); //~ E0133
    }

    fn values_are_not_exported_unclaimed(view: View, to: SharedMut) {
        export(view, 0, false, to); //~ E0133
    }

    fn a_step_does_not_run_out_of_turn(step: &dyn Step, task: &Task, own: &mut [f32]) {
        step.run(task, own); //~ E0133
    }

    fn a_task_is_not_made_twice<'a>(context: &'a Context<'a>, step: &dyn Step, shared: SharedMut<'a>) {
        let _ = Task::new(context, step, (0, 0), shared); //~ E0133
    }

    fn a_task_does_not_write_unclaimed(task: &Task, region: Region) {
        task.write(0, region); //~ E0133
    }
}
