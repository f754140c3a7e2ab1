//! Maps over the whole picture: segmentations and heat maps.

use super::{canvas::Canvas, caption::Caption, color};
use modelzoo_plugin_api::{
    Array, ElementType,
    label::{Heatmap, Segmentation},
};
use std::collections::BTreeMap;

const SEGMENT_OPACITY: f32 = 0.55;

/// How opaque the hottest point of a heat map is; cold ones let the picture through.
const HEAT_OPACITY: f64 = 0.78;

/// How many classes of a segmentation the caption names.
const NAMED_CLASSES: usize = 10;

/// Numbers in rows and columns.
pub(super) struct Grid {
    width: usize,
    height: usize,
    values: Vec<f64>,
}

impl Grid {
    /// A two-dimensional array; `None` for others and for empty ones.
    pub fn new(array: &Array) -> Option<Self> {
        let &[height, width] = array.shape() else {
            return None;
        };
        let values = array.to_f64();
        (!values.is_empty() && values.len() == width * height).then_some(Self {
            width,
            height,
            values,
        })
    }

    /// The value at a place between 0 and 1 in either direction.
    pub fn nearest(&self, x: f64, y: f64) -> f64 {
        let column = ((x * self.width as f64) as usize).min(self.width - 1);
        let row = ((y * self.height as f64) as usize).min(self.height - 1);
        self.values[row * self.width + column]
    }

    /// The same, interpolated between the four values around.
    pub fn smooth(&self, x: f64, y: f64) -> f64 {
        let split = |position: f64, length: usize| {
            let position = (position * length as f64 - 0.5).clamp(0.0, (length - 1) as f64);
            let lower = position as usize;
            (lower, (lower + 1).min(length - 1), position - lower as f64)
        };
        let (left, right, across) = split(x, self.width);
        let (upper, lower, down) = split(y, self.height);
        let value = |row: usize, column: usize| self.values[row * self.width + column];
        let top = value(upper, left) * (1.0 - across) + value(upper, right) * across;
        let bottom = value(lower, left) * (1.0 - across) + value(lower, right) * across;
        top * (1.0 - down) + bottom * down
    }
}

/// Paints every class but the background in its colour and names the largest in the caption.
pub(super) fn draw_segmentation(
    canvas: &mut Canvas,
    caption: &mut Caption,
    segmentation: &Segmentation,
    classes: &[String],
) {
    let Some(grid) = segmentation.mask.as_ref().and_then(Grid::new) else {
        return;
    };
    let name = |index: u64| match classes.get(index as usize) {
        Some(name) => name.clone(),
        None => format!("class {index}"),
    };
    let mut shares: BTreeMap<u64, usize> = BTreeMap::new();
    for &value in grid.values.iter().filter(|value| **value > 0.0) {
        *shares.entry(value as u64).or_default() += 1;
    }
    let colors: BTreeMap<u64, _> = shares
        .keys()
        .map(|&index| (index, color::of_class(&name(index))))
        .collect();
    for_each_pixel(canvas, |canvas, x, y, [column, row]| {
        let value = grid.nearest(column, row);
        if let Some(color) = (value > 0.0).then(|| colors.get(&(value as u64))).flatten() {
            canvas.blend(x, y, *color, SEGMENT_OPACITY);
        }
    });
    let mut largest: Vec<_> = shares.into_iter().collect();
    largest.sort_by_key(|&(index, count)| (std::cmp::Reverse(count), index));
    for (index, count) in largest.into_iter().take(NAMED_CLASSES) {
        let percent = count as f64 / grid.values.len() as f64 * 100.0;
        caption.add(
            format!("{} {percent:.0}%", name(index)),
            colors.get(&index).copied(),
        );
    }
}

/// Lays the map's colours over the picture, the more opaque the hotter.
pub(super) fn draw_heatmap(canvas: &mut Canvas, heatmap: &Heatmap) {
    let Some((array, grid)) = heatmap
        .map
        .as_ref()
        .and_then(|array| Some((array, Grid::new(array)?)))
    else {
        return;
    };
    let [least, greatest] = heatmap.range.unwrap_or(match array.element_type() {
        ElementType::F32 | ElementType::F64 | ElementType::Bool => [0.0, 1.0],
        _ => [0.0, 255.0],
    });
    for_each_pixel(canvas, |canvas, x, y, [column, row]| {
        let heat = ((grid.smooth(column, row) - least) / (greatest - least)).clamp(0.0, 1.0);
        if heat > 0.0 {
            canvas.blend(x, y, color::of_heat(heat), (heat.sqrt() * HEAT_OPACITY) as f32);
        }
    });
}

/// Visits every pixel with its middle relative to the picture.
fn for_each_pixel(canvas: &mut Canvas, mut visit: impl FnMut(&mut Canvas, i32, i32, [f64; 2])) {
    let (width, height) = (canvas.width() as i32, canvas.height() as i32);
    for y in 0..height {
        for x in 0..width {
            let middle = [
                (f64::from(x) + 0.5) / f64::from(width),
                (f64::from(y) + 0.5) / f64::from(height),
            ];
            visit(canvas, x, y, middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_read_at_its_cells_and_between_them() {
        let grid = Grid::new(&Array::new([1, 2], vec![0.0f32, 1.0]).expect("fits")).expect("two-dimensional");
        assert_eq!(
            (
                grid.nearest(0.49, 0.5),
                grid.nearest(0.51, 0.5),
                grid.nearest(1.0, 1.0)
            ),
            (0.0, 1.0, 1.0)
        );
        assert_eq!(
            (
                grid.smooth(0.25, 0.5),
                grid.smooth(0.5, 0.5),
                grid.smooth(1.0, 0.0)
            ),
            (0.0, 0.5, 1.0)
        );
    }

    #[test]
    fn only_filled_tables_are_grids() {
        assert!(Grid::new(&Array::vector(vec![1.0f32])).is_none());
        assert!(Grid::new(&Array::new([0, 4], Vec::<u8>::new()).expect("fits")).is_none());
    }
}
