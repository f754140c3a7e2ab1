//! Resizing of bytes in whole numbers, without a filter: to the last bit what OpenCV's `resize` makes of them (`INTER_LINEAR`).

/// Weights are parts of this.
const ONE: f32 = 2048.0;
/// So many bits are cut off what a row gives, and off its product with a weight; the rest is rounded off.
const CUT: [u32; 3] = [4, 16, 2];

/// Two places, and their weights.
#[derive(Clone, Copy, Debug)]
struct Between {
    places: [usize; 2],
    weights: [i32; 2],
}

/// A plane `[row][column]` of `from`, `[height, width]`, as one of `to`.
pub(super) fn resized(plane: &[u8], from: [usize; 2], to: [usize; 2]) -> Vec<u8> {
    let rows = between(from[0], to[0], false);
    let columns = between(from[1], to[1], true);
    let line = |row: usize| -> Vec<i32> {
        let line = &plane[row * from[1]..][..from[1]];
        let value = |column: &Between| -> i32 {
            let parts = column.places.iter().zip(column.weights);
            parts
                .map(|(&place, weight)| i32::from(line[place]) * weight)
                .sum()
        };
        columns.iter().map(value).collect()
    };
    let mut resized = Vec::with_capacity(to[0] * to[1]);
    for row in rows {
        let [first, second] = row.places.map(line);
        let [above, below] = row.weights;
        let part = |value: i32, weight: i32| (weight * (value >> CUT[0])) >> CUT[1];
        resized.extend(first.iter().zip(&second).map(|(&first, &second)| {
            let sum = part(first, above) + part(second, below);
            let rounded = (sum + (1 << (CUT[2] - 1))) >> CUT[2];
            rounded.clamp(0, i32::from(u8::MAX)) as u8
        }));
    }
    resized
}

/// Where each of `to` places lies among `from`; at the edges the outermost one counts alone, or twice.
fn between(from: usize, to: usize, is_alone: bool) -> Vec<Between> {
    let scale = from as f64 / to as f64;
    let last = from.saturating_sub(1);
    (0..to)
        .map(|place| {
            let exact = ((place as f64 + 0.5) * scale - 0.5) as f32;
            let first = exact.floor();
            let mut share = exact - first;
            if is_alone && (first < 0.0 || first >= last as f32) {
                share = 0.0;
            }
            // Negative numbers become 0.
            let places = [first, first + 1.0].map(|place| (place as usize).min(last));
            let weights = [1.0 - share, share].map(|share| (share * ONE).round_ties_even() as i32);
            Between { places, weights }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_opencv() {
        // Seen of `cv2.resize` of OpenCV 5.0.0.
        let plane: Vec<u8> = (0..5 * 7).map(|place| (place * place * 37 % 251) as u8).collect();
        assert_eq!(resized(&plane, [5, 7], [3, 4]), SMALLER);
        assert_eq!(resized(&plane, [5, 7], [6, 9]), LARGER);
        assert_eq!(resized(&plane, [5, 7], [5, 7]), plane);
    }

    const SMALLER: [u8; 12] = [34, 170, 128, 130, 156, 181, 186, 172, 132, 193, 172, 120];
    const LARGER: [u8; 54] = [
        0, 25, 86, 133, 82, 88, 135, 140, 77, 42, 74, 146, 202, 160, 175, 127, 121, 191, 154, 98, 130, 197,
        165, 191, 119, 116, 236, 131, 84, 127, 204, 183, 138, 111, 129, 189, 37, 96, 171, 223, 213, 113, 124,
        141, 113, 143, 210, 210, 167, 166, 222, 179, 122, 102,
    ];
}
