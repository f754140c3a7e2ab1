//! Parts of a picture that may stand at an angle, cut out and straightened: what PaddleOCR does with OpenCV.
//!
//! Source of the mapping of a square to any four corners: Heckbert, "Fundamentals of Texture Mapping and Image Warping"
//! (1989), section 2.2.3; of the interpolation: Keys, "Cubic convolution interpolation for digital image processing" (1981).

use super::outlines::{Point, distance, smallest_rectangle};
use modelzoo_plugin_api::Image;

/// The parameter of the cubic that OpenCV interpolates with.
const CUBIC: f64 = -0.75;
/// A part that is so many times higher than wide has text that runs from the top to the bottom, and is turned.
const UPRIGHT: f64 = 1.5;

/// A picture of its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cut {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<u8>,
}

impl Cut {
    /// The part of a picture in a box `[x, y, width, height]`, relative to the picture.
    pub(super) fn of_box(image: &Image<'_>, [x, y, width, height]: [f64; 4]) -> Option<Self> {
        let corners = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]];
        let corners = corners.map(|corner| in_pixels(image, corner).map(f64::round));
        Self::between(image, corners)
    }

    /// The part within an outline, relative to the picture: its four corners from the top left one, clockwise, or else what
    /// the smallest rectangle around it has.
    pub(super) fn of_outline(image: &Image<'_>, points: &[Point]) -> Option<Self> {
        let points: Vec<Point> = points.iter().map(|&point| in_pixels(image, point)).collect();
        let corners = match points.as_slice() {
            &[first, second, third, fourth] => [first, second, third, fourth],
            [] => return None,
            points => smallest_rectangle(points).0,
        };
        Self::between(image, corners)
    }

    /// The part between four corners, in pixels; none where it has no area.
    fn between(image: &Image<'_>, corners: [Point; 4]) -> Option<Self> {
        let [first, second, third, fourth] = corners;
        let width = distance(first, second).max(distance(third, fourth)) as usize;
        let height = distance(first, fourth).max(distance(second, third)) as usize;
        if width == 0 || height == 0 {
            return None;
        }
        let mapping = Mapping::of_square(corners)?;
        let mut pixels = Vec::with_capacity(width * height * 3);
        for row in 0..height {
            for column in 0..width {
                let place = [column as f64 / width as f64, row as f64 / height as f64];
                pixels.extend(interpolated(image, mapping.apply(place)));
            }
        }
        let cut = Self {
            width,
            height,
            pixels,
        };
        Some(if height as f64 >= UPRIGHT * width as f64 {
            cut.turned()
        } else {
            cut
        })
    }

    /// Turned by a quarter to the left.
    fn turned(self) -> Self {
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for column in (0..self.width).rev() {
            for row in 0..self.height {
                let start = (row * self.width + column) * 3;
                pixels.extend_from_slice(&self.pixels[start..start + 3]);
            }
        }
        Self {
            width: self.height,
            height: self.width,
            pixels,
        }
    }
}

/// A place of a picture in pixels, within it.
fn in_pixels(image: &Image<'_>, [x, y]: Point) -> Point {
    [
        x.clamp(0.0, 1.0) * image.width() as f64,
        y.clamp(0.0, 1.0) * image.height() as f64,
    ]
}

/// Where each place of a square of 1 x 1 comes from.
struct Mapping {
    numerators: [[f64; 3]; 2],
    denominator: [f64; 2],
}

impl Mapping {
    /// The one whose corners are these; none where three of them are in a line.
    fn of_square([first, second, third, fourth]: [Point; 4]) -> Option<Self> {
        let difference = |left: Point, right: Point| [left[0] - right[0], left[1] - right[1]];
        let (one, two) = (difference(second, third), difference(fourth, third));
        let sum = [0, 1].map(|axis| first[axis] - second[axis] + third[axis] - fourth[axis]);
        let cross = |left: Point, right: Point| left[0] * right[1] - left[1] * right[0];
        let area = cross(one, two);
        if area == 0.0 {
            return None;
        }
        let denominator = [cross(sum, two) / area, cross(one, sum) / area];
        let numerators = [0, 1].map(|axis| {
            [
                second[axis] - first[axis] + denominator[0] * second[axis],
                fourth[axis] - first[axis] + denominator[1] * fourth[axis],
                first[axis],
            ]
        });
        Some(Self {
            numerators,
            denominator,
        })
    }

    fn apply(&self, [x, y]: Point) -> Point {
        let below = self.denominator[0] * x + self.denominator[1] * y + 1.0;
        self.numerators
            .map(|numerators| (numerators[0] * x + numerators[1] * y + numerators[2]) / below)
    }
}

/// The colour between the pixels of a picture, which goes on as it ends.
fn interpolated(image: &Image<'_>, place: Point) -> [u8; 3] {
    let [columns, rows] =
        [(place[0], image.width()), (place[1], image.height())].map(|(place, count)| taps(place, count));
    let mut sums = [0.0; 3];
    for (row, vertical) in rows {
        for (column, horizontal) in columns {
            let start = (row * image.width() + column) * 3;
            for (sum, &value) in sums.iter_mut().zip(&image.pixels()[start..start + 3]) {
                *sum += vertical * horizontal * f64::from(value);
            }
        }
    }
    sums.map(|sum| sum.round().clamp(0.0, 255.0) as u8)
}

/// The four pixels of a line around a place, and their weights.
fn taps(place: f64, count: usize) -> [(usize, f64); 4] {
    // A degenerate mapping may lead anywhere.
    let place = if place.is_finite() {
        place.clamp(-2.0, count as f64 + 2.0)
    } else {
        0.0
    };
    let first = place.floor();
    let share = place - first;
    let near = |x: f64| ((CUBIC + 2.0) * x - (CUBIC + 3.0)) * x * x + 1.0;
    let far = |x: f64| ((CUBIC * x - 5.0 * CUBIC) * x + 8.0 * CUBIC) * x - 4.0 * CUBIC;
    let weights = [far(share + 1.0), near(share), near(1.0 - share), far(2.0 - share)];
    [0, 1, 2, 3].map(|index| {
        let pixel = (first as i64 + index as i64 - 1).clamp(0, count as i64 - 1);
        (pixel as usize, weights[index])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture whose red is the column, its green the row.
    fn picture(width: usize, height: usize) -> Vec<u8> {
        (0..height)
            .flat_map(|row| (0..width).flat_map(move |column| [column as u8, row as u8, 7]))
            .collect()
    }

    #[test]
    fn a_box_is_cut_as_it_is() {
        let pixels = picture(20, 10);
        let image = Image::new(20, 10, &pixels).unwrap();
        let cut = Cut::of_box(&image, [0.25, 0.2, 0.5, 0.6]).unwrap();
        assert_eq!((cut.width, cut.height), (10, 6));
        assert_eq!(cut.pixels[..3], [5, 2, 7]);
        assert_eq!(cut.pixels[cut.pixels.len() - 3..], [14, 7, 7]);
        assert_eq!(Cut::of_box(&image, [0.5, 0.5, 0.0, 0.2]), None);
        assert_eq!(Cut::of_box(&image, [2.0, 2.0, 1.0, 1.0]), None);
    }

    #[test]
    fn what_stands_upright_is_turned() {
        let pixels = picture(20, 20);
        let image = Image::new(20, 20, &pixels).unwrap();
        let cut = Cut::of_box(&image, [0.1, 0.0, 0.2, 1.0]).unwrap();
        assert_eq!((cut.width, cut.height), (20, 4));
        // The upper right corner comes first.
        assert_eq!(cut.pixels[..3], [5, 0, 7]);
    }

    #[test]
    fn a_turned_outline_is_straightened() {
        let pixels = picture(100, 100);
        let image = Image::new(100, 100, &pixels).unwrap();
        let corners = [[0.2, 0.2], [0.6, 0.6], [0.5, 0.7], [0.1, 0.3]];
        let cut = Cut::of_outline(&image, &corners).unwrap();
        assert_eq!((cut.width, cut.height), (56, 14));
        assert_eq!(cut.pixels[..2], [20, 20]);
        let middle = (28 + 7 * 56) * 3;
        assert_eq!(cut.pixels[middle..middle + 2], [35, 45]);
        // Of more corners the rectangle around them counts.
        let more = [corners.as_slice(), &[[0.3, 0.4]]].concat();
        let cut = Cut::of_outline(&image, &more).unwrap();
        assert_eq!((cut.width, cut.height), (56, 14));
        assert_eq!(Cut::of_outline(&image, &[]), None);
    }

    #[test]
    fn weights_add_up_to_one() {
        for place in [0.0, 0.3, 5.5, 9.99, -4.0, f64::NAN] {
            let sum: f64 = taps(place, 10).iter().map(|(_, weight)| weight).sum();
            assert!((sum - 1.0).abs() < 1e-12);
        }
    }
}
