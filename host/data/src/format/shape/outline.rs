//! Outlines of masks along the edges of their pixels, and back.

use super::{Mask, PixelBox, Point};
use std::collections::HashMap;

/// A corner between pixels.
type Corner = (i64, i64);

/// The outlines of a mask's regions, whose pixels join by their sides, clockwise. Holes have none.
pub fn outlines(mask: &Mask) -> Vec<Vec<Point>> {
    // Each edge between inside and outside, directed so that the inside is on its right.
    let mut edges: HashMap<Corner, Vec<Corner>> = HashMap::new();
    let mut starts = Vec::new();
    let inside = |x: i64, y: i64| {
        (0..mask.width as i64).contains(&x)
            && (0..mask.height as i64).contains(&y)
            && mask.pixels[y as usize * mask.width + x as usize]
    };
    for y in 0..mask.height as i64 {
        for x in 0..mask.width as i64 {
            if !inside(x, y) {
                continue;
            }
            let sides = [
                ((0, -1), (x, y), (x + 1, y)),
                ((1, 0), (x + 1, y), (x + 1, y + 1)),
                ((0, 1), (x + 1, y + 1), (x, y + 1)),
                ((-1, 0), (x, y + 1), (x, y)),
            ];
            for ((right, down), from, to) in sides {
                if !inside(x + right, y + down) {
                    edges.entry(from).or_default().push(to);
                    starts.push(from);
                }
            }
        }
    }
    let mut outlines = Vec::new();
    for start in starts {
        if let Some(outline) = walk(&mut edges, start)
            && area(&outline) > 0.0
        {
            outlines.push(outline);
        }
    }
    outlines
}

/// Follows edges from `start` back to it and takes them away; gives the corners where they turn.
fn walk(edges: &mut HashMap<Corner, Vec<Corner>>, start: Corner) -> Option<Vec<Point>> {
    let mut corners = vec![start];
    let mut at = take(edges, start, None)?;
    let mut direction = (at.0 - start.0, at.1 - start.1);
    let first_direction = direction;
    while at != start {
        let next = take(edges, at, Some(direction))?;
        let turned = (next.0 - at.0, next.1 - at.1);
        if turned != direction {
            corners.push(at);
        }
        (at, direction) = (next, turned);
    }
    if direction == first_direction {
        corners.remove(0);
    }
    Some(corners.into_iter().map(|(x, y)| [x as f64, y as f64]).collect())
}

/// Takes an edge that begins at `corner`. Where two regions touch at it, the right turn stays at the same region.
fn take(
    edges: &mut HashMap<Corner, Vec<Corner>>,
    corner: Corner,
    direction: Option<Corner>,
) -> Option<Corner> {
    let ends = edges.get_mut(&corner)?;
    let right = direction.map(|(x, y)| (corner.0 - y, corner.1 + x));
    let chosen = ends.iter().position(|&end| Some(end) == right).unwrap_or(0);
    (!ends.is_empty()).then(|| ends.swap_remove(chosen))
}

/// The area within an outline, positive for clockwise ones.
pub fn area(outline: &[Point]) -> f64 {
    let next = outline.iter().cycle().skip(1);
    outline
        .iter()
        .zip(next)
        .map(|(a, b)| a[0] * b[1] - b[0] * a[1])
        .sum::<f64>()
        / 2.0
}

/// The smallest box around points; `None` for no points. Points that are not numbers are passed over.
pub fn bounds<'a>(points: impl IntoIterator<Item = &'a Point>) -> Option<PixelBox> {
    let finite = points
        .into_iter()
        .filter(|point| point.iter().all(|value| value.is_finite()));
    let (least, greatest) = finite.fold(
        ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]),
        |(least, greatest), &[x, y]| {
            (
                [least[0].min(x), least[1].min(y)],
                [greatest[0].max(x), greatest[1].max(y)],
            )
        },
    );
    (least[0] <= greatest[0]).then(|| [least[0], least[1], greatest[0] - least[0], greatest[1] - least[1]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::shape::fill;
    use proptest::prelude::*;

    fn mask(rows: &[&str]) -> Mask {
        Mask {
            width: rows[0].len(),
            height: rows.len(),
            pixels: rows
                .iter()
                .flat_map(|row| row.bytes().map(|byte| byte == b'#'))
                .collect(),
        }
    }

    #[test]
    fn a_rectangle_has_four_corners() {
        let outlines = outlines(&mask(&["....", ".##.", ".##."]));
        assert_eq!(outlines, [[[1.0, 1.0], [3.0, 1.0], [3.0, 3.0], [1.0, 3.0]]]);
        assert_eq!(area(&outlines[0]), 4.0);
        assert_eq!(bounds(&outlines[0]), Some([1.0, 1.0, 2.0, 2.0]));
    }

    #[test]
    fn regions_that_touch_at_a_corner_are_two() {
        assert_eq!(outlines(&mask(&["#.", ".#"])).len(), 2);
        assert_eq!(outlines(&mask(&[".#", "#."])).len(), 2);
    }

    #[test]
    fn holes_have_no_outline() {
        let ring = outlines(&mask(&["###", "#.#", "###"]));
        assert_eq!((ring.len(), area(&ring[0])), (1, 9.0));
    }

    #[test]
    fn points_that_are_missing_have_no_bounds() {
        assert_eq!(bounds(&[[f64::NAN, 1.0]]), None);
        assert_eq!(bounds(&[[f64::NAN, 1.0], [2.0, 3.0]]), Some([2.0, 3.0, 0.0, 0.0]));
    }

    proptest! {
        #[test]
        fn masks_without_holes_are_filled_as_they_were(width in 1usize..12, rows in proptest::collection::vec(any::<u16>(), 1..12)) {
            let pixels: Vec<bool> = rows
                .iter()
                .flat_map(|bits| (0..width).map(move |column| bits >> column & 1 == 1))
                .collect();
            let drawn = Mask { width, height: rows.len(), pixels };
            // Outlines of its outlines: what is filled has no holes any more.
            let filled: Vec<Mask> = outlines(&drawn)
                .into_iter()
                .map(|outline| fill(&[outline], width, rows.len()).unwrap())
                .collect();
            for (index, pixel) in drawn.pixels.iter().enumerate() {
                prop_assert!(!pixel || filled.iter().any(|mask| mask.pixels[index]));
            }
            for region in filled {
                let again = outlines(&region);
                prop_assert_eq!(fill(&again, width, rows.len()).unwrap(), region);
            }
        }
    }
}
