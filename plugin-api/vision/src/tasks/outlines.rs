//! Regions of a map of probabilities as rectangles, which may be turned: what PaddleOCR does with OpenCV.
//!
//! Source: Liao et al., "Real-time Scene Text Detection with Differentiable Binarization" (2020), section 3.5; the hull is
//! Andrew's ("Another efficient algorithm for convex hulls in two dimensions", 1979), the smallest rectangle stands on a
//! side of it (Freeman and Shapira, "Determining the minimum-area encasing rectangle", 1975).

use std::collections::BTreeMap;

/// A pixel whose probability is above this is within a region.
const WITHIN: f32 = 0.3;
/// So many regions are looked at.
const MOST: usize = 1000;
/// The shorter side of a region has as many pixels at least, and a bit more once it has grown.
const LEAST_SIDE: f64 = 3.0;
const GROWN: f64 = 2.0;
/// A region grows by its area in parts of its circumference, times this.
const GROWTH: f64 = 1.5;

/// A point, `[x, y]`.
pub(super) type Point = [f64; 2];

/// A rectangle, and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Region {
    /// From the top left one, clockwise, in pixels of the map.
    pub(super) corners: [Point; 4],
    pub(super) score: f64,
}

/// The regions of a map of `[height, width]` whose mean probability is at least `threshold`.
pub(super) fn find(map: &[f32], size: [usize; 2], threshold: f64) -> Vec<Region> {
    let mut regions = Vec::new();
    for points in borders(map, size).into_iter().take(MOST) {
        let (corners, side) = smallest_rectangle(&points);
        if side < LEAST_SIDE {
            continue;
        }
        let score = mean_within(map, size, corners);
        if score < threshold {
            continue;
        }
        let (corners, side) = smallest_rectangle(&grown(corners));
        if side >= LEAST_SIDE + GROWN {
            regions.push(Region { corners, score });
        }
    }
    regions
}

/// Points that the border of each region, and of each hole in one, is around; the lowest come first, as OpenCV has it.
fn borders(map: &[f32], [height, width]: [usize; 2]) -> Vec<Vec<Point>> {
    // With a frame of pixels around the map, the outside is one region.
    let (rows, columns) = (height + 2, width + 2);
    let mut is_within = vec![false; rows * columns];
    for (row, values) in map.chunks_exact(width).enumerate() {
        for (column, &value) in values.iter().enumerate() {
            is_within[(row + 1) * columns + column + 1] = value > WITHIN;
        }
    }
    let straight = [-1, 1, -(columns as isize), columns as isize];
    let diagonal = [
        -1 - columns as isize,
        1 - columns as isize,
        columns as isize - 1,
        columns as isize + 1,
    ];
    let all = [straight, diagonal].concat();
    let mut is_seen = vec![false; rows * columns];
    // Pixels at the ends of each row have the same hull as all pixels.
    let mut found: Vec<(usize, BTreeMap<usize, [usize; 2]>)> = Vec::new();
    for start in 0..rows * columns {
        if is_seen[start] {
            continue;
        }
        let within = is_within[start];
        let mut ends: BTreeMap<usize, [usize; 2]> = BTreeMap::new();
        let mut add = |place: usize| {
            let (row, column) = (place / columns, place % columns);
            let ends = ends.entry(row).or_insert([column; 2]);
            *ends = [ends[0].min(column), ends[1].max(column)];
        };
        let neighbours = if within { all.as_slice() } else { &straight };
        let mut waiting = vec![start];
        is_seen[start] = true;
        while let Some(place) = waiting.pop() {
            if within {
                add(place);
            }
            for &step in neighbours {
                let Some(next) = place
                    .checked_add_signed(step)
                    .filter(|&next| next < rows * columns)
                else {
                    continue;
                };
                let wraps = (next % columns).abs_diff(place % columns) > 1;
                if wraps {
                    continue;
                }
                if is_within[next] != within {
                    // The border of a hole is on the pixels around it.
                    if !within {
                        add(next);
                    }
                } else if !is_seen[next] {
                    is_seen[next] = true;
                    waiting.push(next);
                }
            }
        }
        // The first one is the outside.
        if start > 0 {
            found.push((start, ends));
        }
    }
    found.sort_by_key(|(start, _)| std::cmp::Reverse(*start));
    let points = |(_, ends): (usize, BTreeMap<usize, [usize; 2]>)| -> Vec<Point> {
        let ends = ends.into_iter();
        ends.flat_map(|(row, columns)| columns.map(|column| [column as f64 - 1.0, row as f64 - 1.0]))
            .collect()
    };
    found.into_iter().map(points).collect()
}

/// The corners of the smallest rectangle around points, from the top left one, clockwise, and its shorter side.
pub(super) fn smallest_rectangle(points: &[Point]) -> ([Point; 4], f64) {
    let hull = hull(points);
    let mut best: Option<(f64, [Point; 4], f64)> = None;
    for (index, &from) in hull.iter().enumerate() {
        let to = hull[(index + 1) % hull.len()];
        let length = distance(from, to);
        if length == 0.0 {
            continue;
        }
        let along = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
        let across = [-along[1], along[0]];
        let range = |axis: Point| {
            let places = hull.iter().map(|point| point[0] * axis[0] + point[1] * axis[1]);
            places.fold([f64::INFINITY, f64::NEG_INFINITY], |[least, most], place| {
                [least.min(place), most.max(place)]
            })
        };
        let (length, height) = (range(along), range(across));
        let (longer, shorter) = (length[1] - length[0], height[1] - height[0]);
        let area = longer * shorter;
        if best.as_ref().is_none_or(|(least, ..)| area < *least) {
            let corner =
                |x: usize, y: usize| [0, 1].map(|axis| length[x] * along[axis] + height[y] * across[axis]);
            let corners = [corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)];
            best = Some((area, corners, longer.min(shorter)));
        }
    }
    match best {
        Some((_, corners, side)) => (in_order(corners), side),
        None => ([points.first().copied().unwrap_or_default(); 4], 0.0),
    }
}

/// The points that all others are within, in a fixed direction.
fn hull(points: &[Point]) -> Vec<Point> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|left, right| left[0].total_cmp(&right[0]).then(left[1].total_cmp(&right[1])));
    sorted.dedup();
    if sorted.len() < 3 {
        return sorted;
    }
    let half = |points: &mut dyn Iterator<Item = &Point>| {
        let mut line: Vec<Point> = Vec::new();
        for &point in points {
            while let [.., before, last] = line.as_slice()
                && turn(*before, *last, point) <= 0.0
            {
                line.pop();
            }
            line.push(point);
        }
        line.pop();
        line
    };
    let mut all = half(&mut sorted.iter());
    all.extend(half(&mut sorted.iter().rev()));
    all
}

/// Above 0 where the way from `from` by `over` to `to` turns one way, below 0 where it turns the other way.
fn turn(from: Point, over: Point, to: Point) -> f64 {
    (over[0] - from[0]) * (to[1] - from[1]) - (over[1] - from[1]) * (to[0] - from[0])
}

pub(super) fn distance(left: Point, right: Point) -> f64 {
    (left[0] - right[0]).hypot(left[1] - right[1])
}

/// The corners from the top left one, clockwise: the upper and the lower one of the two at the left, and at the right.
fn in_order(mut corners: [Point; 4]) -> [Point; 4] {
    corners.sort_by(|left, right| left[0].total_cmp(&right[0]));
    let ordered = |one: Point, other: Point| {
        if other[1] > one[1] {
            [one, other]
        } else {
            [other, one]
        }
    };
    let [left, right] = [ordered(corners[0], corners[1]), ordered(corners[2], corners[3])];
    [left[0], right[0], right[1], left[1]]
}

/// The corners of a rectangle whose sides are moved out.
fn grown(corners: [Point; 4]) -> [Point; 4] {
    let sides: [f64; 4] = [0, 1, 2, 3].map(|index| distance(corners[index], corners[(index + 1) % 4]));
    let circumference: f64 = sides.iter().sum();
    let doubled: f64 = (0..4)
        .map(|index| {
            let [[x, y], [next_x, next_y]] = [corners[index], corners[(index + 1) % 4]];
            x * next_y - y * next_x
        })
        .sum();
    let moved = doubled.abs() / 2.0 * GROWTH / circumference;
    let unit = |from: usize, to: usize| {
        let length = distance(corners[from], corners[to]).max(f64::MIN_POSITIVE);
        [0, 1].map(|axis| (corners[to][axis] - corners[from][axis]) / length)
    };
    [0, 1, 2, 3].map(|index| {
        let (before, after) = (unit((index + 1) % 4, index), unit((index + 3) % 4, index));
        [0, 1].map(|axis| corners[index][axis] + moved * (before[axis] + after[axis]))
    })
}

/// The mean probability of the pixels in a rectangle, and of those on its border.
fn mean_within(map: &[f32], [height, width]: [usize; 2], corners: [Point; 4]) -> f64 {
    let edge = |axis: usize, most: usize| {
        let places = corners.iter().map(|corner| corner[axis]);
        let least = places.clone().fold(f64::INFINITY, f64::min).floor();
        let last = places.fold(f64::NEG_INFINITY, f64::max).ceil();
        [least, last].map(|place| place.clamp(0.0, most as f64 - 1.0) as i64)
    };
    let ([left, right], [top, bottom]) = (edge(0, width), edge(1, height));
    // Corners are whole pixels from here on, counted from the first one that is looked at.
    let corners = corners.map(|[x, y]| [(x - left as f64) as i64, (y - top as f64) as i64]);
    let (columns, rows) = (right - left + 1, bottom - top + 1);
    let (mut sum, mut count) = (0.0, 0_usize);
    for row in 0..rows {
        let Some([from, to]) = row_within(corners, row) else {
            continue;
        };
        for column in from.max(0)..=to.min(columns - 1) {
            sum += f64::from(map[(top + row) as usize * width + (left + column) as usize]);
            count += 1;
        }
    }
    if count == 0 { 0.0 } else { sum / count as f64 }
}

/// The first and the last column that a convex shape has in a row, its border among them.
fn row_within(corners: [[i64; 2]; 4], row: i64) -> Option<[i64; 2]> {
    let lines = (0..4).filter_map(|index| line_in_row(corners[index], corners[(index + 1) % 4], row));
    lines.reduce(|ends, line| [ends[0].min(line[0]), ends[1].max(line[1])])
}

/// The same of a line between whole pixels: Bresenham's, from the left to the right; what is as near to two pixels goes to the
/// one where the line comes from.
fn line_in_row(from: [i64; 2], to: [i64; 2], row: i64) -> Option<[i64; 2]> {
    let [from, to] = if from[0] <= to[0] { [from, to] } else { [to, from] };
    let (run, rise) = (to[0] - from[0], (to[1] - from[1]).abs());
    let down = if to[1] >= from[1] {
        row - from[1]
    } else {
        from[1] - row
    };
    if !(0..=rise).contains(&down) {
        return None;
    }
    let [first, last] = if rise > run {
        [(2 * down * run + rise - 1).div_euclid(2 * rise); 2]
    } else if rise == 0 {
        [0, run]
    } else {
        let before = |halves: i64| (halves * run).div_euclid(2 * rise);
        [(before(2 * down - 1) + 1).max(0), before(2 * down + 1).min(run)]
    };
    Some([from[0] + first, from[0] + last])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(rows: &[&str]) -> (Vec<f32>, [usize; 2]) {
        let values = rows.iter().flat_map(|row| row.bytes());
        let values = values.map(|byte| if byte == b'#' { 0.9 } else { 0.1 }).collect();
        (values, [rows.len(), rows[0].len()])
    }

    #[test]
    fn a_bar_is_found_and_grows() {
        let (values, size) = map(&[
            "..............",
            "..............",
            "..............",
            "...########...",
            "...########...",
            "...########...",
            "...########...",
            "...########...",
            "..............",
            "..............",
            "..............",
        ]);
        let found = find(&values, size, 0.6);
        assert_eq!(found.len(), 1);
        // 7 x 4 between the middles of the outermost pixels.
        let moved = 28.0 * 1.5 / 22.0;
        let expected = [
            [3.0 - moved, 3.0 - moved],
            [10.0 + moved, 3.0 - moved],
            [10.0 + moved, 7.0 + moved],
            [3.0 - moved, 7.0 + moved],
        ];
        for (found, expected) in found[0].corners.iter().zip(expected) {
            assert!(distance(*found, expected) < 1e-9, "{found:?} {expected:?}");
        }
        assert!((found[0].score - 0.9).abs() < 1e-6);
        assert!(find(&values, size, 0.95).is_empty());
    }

    #[test]
    fn pixels_that_touch_at_corners_are_one_region_and_holes_have_borders() {
        let (values, size) = map(&["##..", "..##"]);
        assert_eq!(borders(&values, size).len(), 1);
        let (values, size) = map(&["####", "#..#", "####"]);
        assert_eq!(borders(&values, size).len(), 2);
        let (values, size) = map(&["####", "#...", "####"]);
        assert_eq!(borders(&values, size).len(), 1);
        let (values, size) = map(&["####"]);
        assert_eq!(borders(&values, size).len(), 1);
    }

    #[test]
    fn shapes_have_the_pixels_that_opencv_fills() {
        for (corners, expected) in [
            (
                [[4, 10], [0, 5], [6, 0], [10, 5]],
                vec![1, 3, 5, 7, 9, 11, 9, 7, 6, 3, 1],
            ),
            ([[0, 0], [3, 0], [3, 2], [0, 2]], vec![4, 4, 4]),
            ([[2, 1]; 4], vec![1]),
        ] {
            let rows = (0..20).filter_map(|row| row_within(corners, row));
            let found: Vec<i64> = rows.map(|[from, to]| to - from + 1).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_turned_square_has_a_turned_rectangle() {
        let (corners, side) =
            smallest_rectangle(&[[5.0, 0.0], [10.0, 5.0], [5.0, 10.0], [0.0, 5.0], [5.0, 5.0]]);
        assert!((side - 50f64.sqrt()).abs() < 1e-9);
        for corner in corners {
            assert!((distance(corner, [5.0, 5.0]) - 5.0).abs() < 1e-9, "{corner:?}");
        }
        assert_eq!(smallest_rectangle(&[[1.0, 2.0]]).1, 0.0);
        assert!(smallest_rectangle(&[[1.0, 2.0], [4.0, 6.0]]).1 < 1e-9);
        assert_eq!(smallest_rectangle(&[]).1, 0.0);
    }
}
