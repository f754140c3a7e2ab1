//! Masks of one object, put together.

use modelzoo_plugin_api::Array;

/// The masks of an object within their boxes, as one within the box around them; all boxes are `[x, y, width, height]`
/// relative to the picture, whose size is in pixels. The mask gets a place for each pixel of its box, and what lies there in
/// any of the masks. `None` where one of them is no mask, or the box has no pixels.
pub(super) fn unite(masks: [(&Array, [f64; 4]); 2], around: [f64; 4], picture: [f64; 2]) -> Option<Array> {
    let [columns, rows] = [0, 1].map(|axis| (around[axis + 2] * picture[axis]).round());
    // Far beyond what a picture has, where boxes are no numbers or reach to infinity.
    if !(1.0..=65536.0).contains(&columns) || !(1.0..=65536.0).contains(&rows) {
        return None;
    }
    let (columns, rows) = (columns as usize, rows as usize);
    let masks = masks.map(|(mask, bounding_box)| Mask::new(mask, bounding_box));
    let [Some(first), Some(second)] = masks else {
        return None;
    };
    let mut united = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        let y = around[1] + (row as f64 + 0.5) / rows as f64 * around[3];
        for column in 0..columns {
            let x = around[0] + (column as f64 + 0.5) / columns as f64 * around[2];
            united.push(u8::from(first.has(x, y) || second.has(x, y)));
        }
    }
    Array::new([rows, columns], united).ok()
}

struct Mask {
    values: Vec<f32>,
    rows: usize,
    columns: usize,
    bounding_box: [f64; 4],
}

impl Mask {
    fn new(mask: &Array, bounding_box: [f64; 4]) -> Option<Self> {
        let &[rows, columns] = mask.shape() else {
            return None;
        };
        Some(Self {
            values: mask.to_f32(),
            rows,
            columns,
            bounding_box,
        })
    }

    /// Whether the object is at a point of the picture: the nearest place of the mask says so.
    fn has(&self, x: f64, y: f64) -> bool {
        let [left, top, width, height] = self.bounding_box;
        let (column, row) = ((x - left) / width, (y - top) / height);
        if !(0.0..1.0).contains(&column) || !(0.0..1.0).contains(&row) {
            return false;
        }
        let (column, row) = (
            (column * self.columns as f64) as usize,
            (row * self.rows as f64) as usize,
        );
        self.values
            .get(row * self.columns + column)
            .is_some_and(|&value| value > 0.0)
    }
}
