//! Connected regions of a mask.

/// A connected region: pixels that touch, also by their corners.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Region {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Row by row, whether a pixel of the box belongs to the region.
    pub(crate) mask: Vec<bool>,
    /// The mean of the region's values.
    pub(crate) mean: f32,
    /// How many pixels there are.
    pub(crate) area: usize,
}

/// The regions of values that reach `threshold`, in the order of their first pixel.
pub(crate) fn regions(values: &[f32], width: usize, threshold: f32) -> Vec<Region> {
    let mut is_new: Vec<bool> = values.iter().map(|&value| value >= threshold).collect();
    let mut regions = Vec::new();
    for start in 0..values.len() {
        if is_new[start] {
            regions.push(region(values, width, &flood(&mut is_new, width, start)));
        }
    }
    regions
}

/// Takes all pixels that are connected with `start` out of `is_new`.
fn flood(is_new: &mut [bool], width: usize, start: usize) -> Vec<usize> {
    let height = is_new.len() / width;
    let mut members = vec![start];
    is_new[start] = false;
    let mut next = 0;
    while let Some(&member) = members.get(next) {
        next += 1;
        let (row, column) = (member / width, member % width);
        for y in row.saturating_sub(1)..(row + 2).min(height) {
            for x in column.saturating_sub(1)..(column + 2).min(width) {
                if std::mem::take(&mut is_new[y * width + x]) {
                    members.push(y * width + x);
                }
            }
        }
    }
    members
}

fn region(values: &[f32], width: usize, members: &[usize]) -> Region {
    let rows = members.iter().map(|member| member / width);
    let columns = members.iter().map(|member| member % width);
    let (top, bottom) = range(rows);
    let (left, right) = range(columns);
    let (box_width, box_height) = (right - left + 1, bottom - top + 1);
    let mut mask = vec![false; box_width * box_height];
    for member in members {
        mask[(member / width - top) * box_width + member % width - left] = true;
    }
    let sum: f64 = members.iter().map(|&member| f64::from(values[member])).sum();
    Region {
        left,
        top,
        width: box_width,
        height: box_height,
        mask,
        mean: (sum / members.len() as f64) as f32,
        area: members.len(),
    }
}

fn range(numbers: impl Iterator<Item = usize>) -> (usize, usize) {
    numbers.fold((usize::MAX, 0), |(least, most), number| {
        (least.min(number), most.max(number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_that_touch_are_one_region() {
        let values = [
            0.9, 0.0, 0.0, 0.0, 0.0, //
            0.0, 0.7, 0.0, 0.0, 0.5, //
            0.0, 0.0, 0.0, 0.0, 0.6,
        ];
        let found = regions(&values, 5, 0.5);
        assert_eq!(found.len(), 2);
        let first = &found[0];
        assert_eq!((first.left, first.top, first.width, first.height), (0, 0, 2, 2));
        assert_eq!(first.mask, [true, false, false, true]);
        assert!((first.mean - 0.8).abs() < 1e-6);
        let second = &found[1];
        assert_eq!(
            (second.left, second.top, second.width, second.height),
            (4, 1, 1, 2)
        );
        assert_eq!((second.mask.as_slice(), second.area), (&[true, true][..], 2));
    }

    #[test]
    fn nothing_and_everything() {
        assert!(regions(&[0.1; 12], 4, 0.5).is_empty());
        let all = regions(&[1.0; 12], 4, 0.5);
        assert_eq!(
            (all.len(), all[0].area, all[0].width, all[0].height),
            (1, 12, 4, 3)
        );
    }
}
