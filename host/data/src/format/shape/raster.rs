//! The pixels within outlines, by the COCO API's rule (`rleFrPoly`), so that masks and areas are those of pycocotools.
//!
//! The rule: corners are rounded to a fifth of a pixel; sides are walked along their longer direction in steps of a fifth;
//! wherever a side passes the middle of a column, everything below in reading order (down the columns, from left to right)
//! changes between outside and inside.

use super::{Mask, PlacedMask, Point, RunLengths};

/// Steps in a pixel.
const SCALE: f64 = 5.0;

/// How many steps an outline may take: one around the largest pictures several times has fewer.
const MOST_STEPS: u64 = 1 << 26;

/// An outline is so long that walking it would take too much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an outline is longer than any picture needs")]
pub struct OutlineTooLong;

/// The pixels of a picture of `width` x `height` that are within any of the outlines; `None` for no pixel.
pub fn rasterize(
    outlines: &[Vec<Point>],
    width: usize,
    height: usize,
) -> Result<Option<PlacedMask>, OutlineTooLong> {
    let mut all: Option<PlacedMask> = None;
    for outline in outlines {
        if let Some(part) = rasterize_one(outline, width, height)? {
            all = Some(match all {
                Some(before) => before.union(part),
                None => part,
            });
        }
    }
    Ok(all)
}

/// As [`rasterize`], as a mask of the whole picture.
pub fn fill(outlines: &[Vec<Point>], width: usize, height: usize) -> Result<Mask, OutlineTooLong> {
    let whole = [0.0, 0.0, width as f64, height as f64];
    Ok(match rasterize(outlines, width, height)? {
        Some(placed) => placed.within(whole, width, height).1,
        None => Mask::empty(width, height),
    })
}

fn rasterize_one(
    outline: &[Point],
    width: usize,
    height: usize,
) -> Result<Option<PlacedMask>, OutlineTooLong> {
    let corners: Vec<(i64, i64)> = outline.iter().map(|&[x, y]| (step(x), step(y))).collect();
    let next = corners.iter().cycle().skip(1);
    let sides = || corners.iter().copied().zip(next.clone().copied());
    let length = |((x, y), (to_x, to_y)): ((i64, i64), (i64, i64))| {
        x.abs_diff(to_x).max(y.abs_diff(to_y)).saturating_add(1)
    };
    let steps = sides()
        .map(length)
        .try_fold(0u64, |sum, length| sum.checked_add(length));
    if steps.is_none_or(|steps| steps > MOST_STEPS) {
        return Err(OutlineTooLong);
    }
    // Where in reading order the picture changes between outside and inside.
    let mut changes: Vec<u64> = Vec::new();
    let mut before: Option<(i64, i64)> = None;
    for (from, to) in sides() {
        walk(from, to, |here| {
            if let Some(before) = before
                && let Some(change) = crossing(before, here, width, height)
            {
                changes.push(change);
            }
            before = Some(here);
        });
    }
    changes.sort_unstable();
    let mut counts = Vec::new();
    let mut last = 0;
    for change in changes {
        // Two changes at one place are none: the run between them has no length.
        counts.push(change - last);
        last = change;
    }
    counts.push((width as u64 * height as u64).saturating_sub(last));
    let lengths = RunLengths {
        width,
        height,
        counts,
    };
    // Changes lie within the picture.
    Ok(lengths.decode().ok().flatten())
}

/// A coordinate in steps, rounded as C does: half up, and towards zero.
fn step(coordinate: f64) -> i64 {
    (coordinate * SCALE + 0.5) as i64
}

/// Calls `visit` with each step of a side, both ends included.
fn walk((x, y): (i64, i64), (to_x, to_y): (i64, i64), mut visit: impl FnMut((i64, i64))) {
    let (columns, rows) = ((to_x - x).abs(), (to_y - y).abs());
    if columns >= rows {
        // Rounding depends on where it begins: at the left, whichever end comes first.
        let ((left, from), (_, until), is_turned) = match x > to_x {
            true => ((to_x, to_y), (x, y), true),
            false => ((x, y), (to_x, to_y), false),
        };
        let slope = (until - from) as f64 / columns as f64;
        for index in 0..=columns {
            let along = if is_turned { columns - index } else { index };
            let across = if columns == 0 {
                y
            } else {
                (from as f64 + slope * along as f64 + 0.5) as i64
            };
            visit((left + along, across));
        }
    } else {
        let ((from, top), (until, _), is_turned) = match y > to_y {
            true => ((to_x, to_y), (x, y), true),
            false => ((x, y), (to_x, to_y), false),
        };
        let slope = (until - from) as f64 / rows as f64;
        for index in 0..=rows {
            let along = if is_turned { rows - index } else { index };
            visit(((from as f64 + slope * along as f64 + 0.5) as i64, top + along));
        }
    }
}

/// Where in reading order the picture changes as a side goes from one step to the next, if it passes the middle of a
/// column.
fn crossing((x, y): (i64, i64), (to_x, to_y): (i64, i64), width: usize, height: usize) -> Option<u64> {
    if x == to_x {
        return None;
    }
    let left = if to_x < x { to_x } else { to_x - 1 };
    let column = (left as f64 + 0.5) / SCALE - 0.5;
    if column.floor() != column || column < 0.0 || column > width as f64 - 1.0 {
        return None;
    }
    let row = ((y.min(to_y) as f64 + 0.5) / SCALE - 0.5)
        .clamp(0.0, height as f64)
        .ceil();
    Some(column as u64 * height as u64 + row as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn square(left: f64, top: f64, side: f64) -> Vec<Point> {
        let (right, bottom) = (left + side, top + side);
        vec![[left, top], [right, top], [right, bottom], [left, bottom]]
    }

    #[test]
    fn outlines_along_pixels_hold_just_these() {
        let filled = rasterize(&[square(1.0, 2.0, 3.0)], 10, 10).unwrap().unwrap();
        assert_eq!(filled.bounds(), [1.0, 2.0, 3.0, 3.0]);
        assert_eq!(filled.mask.area(), 9);
    }

    #[test]
    fn parts_are_united_and_not_taken_from_each_other() {
        let parts = [square(0.0, 0.0, 4.0), square(2.0, 2.0, 4.0)];
        assert_eq!(fill(&parts, 10, 10).unwrap().area(), 28);
        let twice = [square(0.0, 0.0, 4.0), square(0.0, 0.0, 4.0)];
        assert_eq!(fill(&twice, 10, 10).unwrap().area(), 16);
    }

    #[test]
    fn what_is_outside_is_cut_off() {
        assert_eq!(fill(&[square(-3.0, -3.0, 5.0)], 10, 10).unwrap().area(), 4);
        assert_eq!(fill(&[square(8.0, 8.0, 50.0)], 10, 10).unwrap().area(), 4);
        assert_eq!(rasterize(&[square(20.0, 20.0, 5.0)], 10, 10), Ok(None));
    }

    #[test]
    fn endless_outlines_are_refused_at_once() {
        for far in [1e9, 1e300, f64::INFINITY] {
            assert_eq!(rasterize(&[square(0.0, 0.0, far)], 10, 10), Err(OutlineTooLong));
        }
        assert_eq!(rasterize(&[vec![[f64::NAN; 2]; 3]], 10, 10), Ok(None));
        let both_ways = vec![[-1e300, 0.0], [1e300, 5.0], [0.0, 9.0]];
        assert_eq!(rasterize(&[both_ways], 10, 10), Err(OutlineTooLong));
    }

    /// A coordinate near a picture, or any number at all.
    fn any_coordinate() -> impl Strategy<Value = f64> {
        prop_oneof![-50.0..300.0, proptest::num::f64::ANY]
    }

    proptest! {
        #[test]
        fn any_outline_is_filled_or_refused(
            outlines in vec(vec([any_coordinate(), any_coordinate()], 0..8), 0..3),
            width in 0..200_usize,
            height in 0..200_usize,
        ) {
            if let Ok(Some(filled)) = rasterize(&outlines, width, height) {
                prop_assert!(filled.left + filled.mask.width <= width);
                prop_assert!(filled.top + filled.mask.height <= height);
            }
        }
    }

    #[test]
    fn slanted_sides_are_those_of_pycocotools() {
        // pycocotools.mask.frPyObjects([[1.3, 0.7, 8.9, 3.2, 4.4, 8.6]], 10, 10), decoded.
        let outline = vec![[1.3, 0.7], [8.9, 3.2], [4.4, 8.6]];
        let filled = fill(&[outline], 10, 10).unwrap();
        let rows: Vec<String> = filled
            .pixels
            .chunks(10)
            .map(|row| row.iter().map(|&pixel| if pixel { '#' } else { '.' }).collect())
            .collect();
        assert_eq!(
            rows,
            [
                "..........",
                "..##......",
                "..#####...",
                "..#######.",
                "...#####..",
                "...####...",
                "....##....",
                "....#.....",
                "..........",
                "..........",
            ]
        );
    }
}
