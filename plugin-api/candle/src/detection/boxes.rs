//! Boxes by their corners.

/// A box by its left, top, right and bottom edge, in any unit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Corners {
    /// The smaller x.
    pub left: f32,
    /// The smaller y.
    pub top: f32,
    /// The larger x.
    pub right: f32,
    /// The larger y.
    pub bottom: f32,
}

impl Corners {
    /// A box by its edges.
    pub const fn new(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        Self {
            left,
            top,
            right,
            bottom,
        }
    }

    /// A box by its centre and size, as YOLO and DETR give it.
    pub fn from_center([x, y]: [f32; 2], [width, height]: [f32; 2]) -> Self {
        Self::new(
            x - width / 2.0,
            y - height / 2.0,
            x + width / 2.0,
            y + height / 2.0,
        )
    }

    /// A box by a point in it and the distances from there to its left, top, right and bottom edge, as FCOS,
    /// NanoDet and YOLOv8 give it.
    pub fn from_distances([x, y]: [f32; 2], [left, top, right, bottom]: [f32; 4]) -> Self {
        Self::new(x - left, y - top, x + right, y + bottom)
    }

    /// The box in units of a picture of `width` x `height`: its edges become 0..1 where it lies within.
    pub fn relative_to(self, width: f32, height: f32) -> Self {
        Self::new(
            self.left / width,
            self.top / height,
            self.right / width,
            self.bottom / height,
        )
    }

    /// The part that lies within 0..`width` and 0..`height`.
    pub fn clamped_to(self, width: f32, height: f32) -> Self {
        let (x, y) = (|x: f32| x.clamp(0.0, width), |y: f32| y.clamp(0.0, height));
        Self::new(x(self.left), y(self.top), x(self.right), y(self.bottom))
    }

    /// Its area; 0 for a box whose edges are in the wrong order.
    pub fn area(self) -> f32 {
        (self.right - self.left).max(0.0) * (self.bottom - self.top).max(0.0)
    }

    /// The area of what both share, divided by the area of what either covers; 0 where both are empty.
    pub fn intersection_over_union(self, other: Self) -> f32 {
        let shared = Self::new(
            self.left.max(other.left),
            self.top.max(other.top),
            self.right.min(other.right),
            self.bottom.min(other.bottom),
        )
        .area();
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }

    /// `[x, y, width, height]`, as labels have it.
    pub fn to_bounding_box(self) -> [f64; 4] {
        let [left, top, right, bottom] = [self.left, self.top, self.right, self.bottom].map(f64::from);
        [left, top, right - left, bottom - top]
    }
}

/// `[x, y, width, height]`, as labels have it, of a box in pixels of a picture of `[width, height]`.
pub(crate) fn bounding_box(corners: Corners, [width, height]: [usize; 2]) -> [f64; 4] {
    corners.relative_to(width as f32, height as f32).to_bounding_box()
}

/// The centres `[x, y]` of the cells of a feature map of `[height, width]`, row by row, in pixels of the input that
/// is `stride` times as large.
pub fn grid_centers([height, width]: [usize; 2], stride: usize) -> impl Iterator<Item = [f32; 2]> {
    let center = move |cell: usize| (cell as f32 + 0.5) * stride as f32;
    (0..height).flat_map(move |row| (0..width).map(move |column| [center(column), center(row)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_is_counted_once() {
        let a = Corners::new(0.0, 0.0, 2.0, 2.0);
        let b = Corners::new(1.0, 0.0, 3.0, 2.0);
        assert_eq!(a.intersection_over_union(b), 2.0 / 6.0);
        assert_eq!(a.intersection_over_union(a), 1.0);
        assert_eq!(a.intersection_over_union(Corners::new(5.0, 5.0, 6.0, 6.0)), 0.0);
        assert_eq!(
            Corners::default().intersection_over_union(Corners::default()),
            0.0
        );
    }

    #[test]
    fn boxes_are_decoded_from_centres_and_distances() {
        let corners = Corners::new(1.0, 2.0, 5.0, 10.0);
        assert_eq!(Corners::from_center([3.0, 6.0], [4.0, 8.0]), corners);
        assert_eq!(Corners::from_distances([2.0, 4.0], [1.0, 2.0, 3.0, 6.0]), corners);
        assert_eq!(corners.clamped_to(4.0, 4.0), Corners::new(1.0, 2.0, 4.0, 4.0));
        assert_eq!(corners.to_bounding_box(), [1.0, 2.0, 4.0, 8.0]);
    }

    #[test]
    fn centres_go_row_by_row() {
        let centers: Vec<_> = grid_centers([2, 2], 8).collect();
        assert_eq!(centers, [[4.0, 4.0], [12.0, 4.0], [4.0, 12.0], [12.0, 12.0]]);
    }
}
