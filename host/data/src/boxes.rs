//! Boxes `[x, y, width, height]`, and what two of them share.

/// The area that lies in both boxes.
pub(crate) fn common_area(one: [f64; 4], other: [f64; 4]) -> f64 {
    let side = |axis: usize| {
        let end = (one[axis] + one[axis + 2]).min(other[axis] + other[axis + 2]);
        (end - one[axis].max(other[axis])).max(0.0)
    };
    side(0) * side(1)
}

/// The area of a box.
pub(crate) fn area([_, _, width, height]: [f64; 4]) -> f64 {
    width * height
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_that_touch_share_nothing() {
        let one = [0.0, 0.0, 2.0, 4.0];
        assert_eq!(common_area(one, [1.0, 1.0, 5.0, 1.0]), 1.0);
        assert_eq!(common_area(one, one), area(one));
        assert_eq!(common_area(one, [2.0, 0.0, 1.0, 1.0]), 0.0);
        assert_eq!(common_area(one, [3.0, 5.0, 1.0, 1.0]), 0.0);
    }
}
