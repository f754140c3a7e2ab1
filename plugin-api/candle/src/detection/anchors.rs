//! Boxes that a detector moves and stretches until they fit objects.

use super::Corners;

/// The most that a box may be enlarged, as a logarithm: from 16 pixels to 1000.
const MOST_ENLARGED: f32 = 4.135_166_6;

/// The boxes around each place of a feature map.
#[derive(Clone, Debug, PartialEq)]
pub struct Anchors {
    /// Around the point that a place stands for, in pixels of the network's input.
    around: Vec<Corners>,
    /// `[x, y]` of the first place's point.
    first: [f32; 2],
    /// From a place to the next one, `[x, y]`.
    step: [f32; 2],
}

impl Anchors {
    /// Boxes of each aspect ratio (height to width) in each size, the side of a square of the same area, rounded to
    /// whole pixels as torchvision's `AnchorGenerator` does. The map's places are `stride` pixels apart, `[x, y]`.
    pub fn of_pyramid(sizes: &[f32], aspect_ratios: &[f32], stride: [usize; 2]) -> Self {
        let around = aspect_ratios.iter().flat_map(|ratio| {
            let vertical = ratio.sqrt();
            let horizontal = 1.0 / vertical;
            sizes.iter().map(move |size| {
                let (right, bottom) = (horizontal * size / 2.0, vertical * size / 2.0);
                let [right, bottom] = [right, bottom].map(f32::round_ties_even);
                Corners::new(-right, -bottom, right, bottom)
            })
        });
        Self {
            around: around.collect(),
            first: [0.0; 2],
            step: stride.map(|stride| stride as f32),
        }
    }

    /// The default boxes of SSD for a map whose places are `step` pixels apart, of an input of `input` pixels, both
    /// `[x, y]`: a square of the scale, one between it and the next map's scale, and for each aspect ratio one that
    /// lies and one that stands. Scales are parts of the input, as are sides, which are no larger than the input.
    ///
    /// Source: Liu et al., "SSD: Single Shot MultiBox Detector" (2016), section 2.2.
    pub fn of_ssd([scale, next]: [f64; 2], aspect_ratios: &[f64], step: [f32; 2], input: [usize; 2]) -> Self {
        let between = (scale * next).sqrt();
        let mut sides = vec![[scale; 2], [between; 2]];
        for ratio in aspect_ratios {
            let (longer, shorter) = (scale * ratio.sqrt(), scale / ratio.sqrt());
            sides.extend([[longer, shorter], [shorter, longer]]);
        }
        let around = sides.into_iter().map(|sides| {
            let half = |axis: usize| 0.5 * sides[axis].clamp(0.0, 1.0) as f32 * input[axis] as f32;
            Corners::new(-half(0), -half(1), half(0), half(1))
        });
        Self {
            around: around.collect(),
            first: step.map(|step| 0.5 * step),
            step,
        }
    }

    /// How many boxes there are around each place.
    pub fn count(&self) -> usize {
        self.around.len()
    }

    /// Box `index` around the place `[row, column]`; `index` is below [`Anchors::count`].
    pub fn at(&self, [row, column]: [usize; 2], index: usize) -> Corners {
        let x = self.first[0] + column as f32 * self.step[0];
        let y = self.first[1] + row as f32 * self.step[1];
        let around = self.around[index];
        Corners::new(
            x + around.left,
            y + around.top,
            x + around.right,
            y + around.bottom,
        )
    }
}

/// How numbers of a network say in what way a box differs from another one: shifts of its centre in parts of its size,
/// and logarithms of its enlargement.
///
/// Source: Girshick et al., "Rich feature hierarchies for accurate object detection" (2014), appendix C.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoxCoder {
    /// What the numbers are multiples of: x and y of the shift, width and height.
    pub weights: [f32; 4],
}

impl BoxCoder {
    /// The box that differs from `from` by `numbers`: x, y, width, height.
    pub fn decode(&self, numbers: [f32; 4], from: Corners) -> Corners {
        let [width, height] = [from.right - from.left, from.bottom - from.top];
        let scaled = |index: usize| numbers[index] / self.weights[index];
        let x = scaled(0) * width + (from.left + 0.5 * width);
        let y = scaled(1) * height + (from.top + 0.5 * height);
        Corners::from_center(
            [x, y],
            [
                scaled(2).min(MOST_ENLARGED).exp() * width,
                scaled(3).min(MOST_ENLARGED).exp() * height,
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_have_each_ratio_in_each_size() {
        // torchvision's `AnchorGenerator(((32, 64),), ((0.5, 1.0),))`, second place of the second row.
        let anchors = Anchors::of_pyramid(&[32.0, 64.0], &[0.5, 1.0], [8, 4]);
        assert_eq!(anchors.count(), 4);
        let expected = [
            [-23.0, -11.0, 23.0, 11.0],
            [-45.0, -23.0, 45.0, 23.0],
            [-16.0, -16.0, 16.0, 16.0],
            [-32.0, -32.0, 32.0, 32.0],
        ];
        for (index, [left, top, right, bottom]) in expected.into_iter().enumerate() {
            let corners = Corners::new(8.0 + left, 4.0 + top, 8.0 + right, 4.0 + bottom);
            assert_eq!(anchors.at([1, 1], index), corners);
        }
    }

    #[test]
    fn default_boxes_lie_and_stand_around_centres() {
        let boxes = Anchors::of_ssd([0.25, 1.0], &[4.0], [10.0, 20.0], [40, 80]);
        assert_eq!(boxes.count(), 4);
        assert_eq!(boxes.at([0, 0], 0), Corners::new(0.0, 0.0, 10.0, 20.0));
        assert_eq!(boxes.at([0, 1], 1), Corners::new(5.0, -10.0, 25.0, 30.0));
        assert_eq!(boxes.at([0, 0], 2), Corners::new(-5.0, 5.0, 15.0, 15.0));
        assert_eq!(boxes.at([0, 0], 3), Corners::new(2.5, -10.0, 7.5, 30.0));
    }

    #[test]
    fn boxes_move_and_stretch_within_bounds() {
        let coder = BoxCoder {
            weights: [10.0, 10.0, 5.0, 5.0],
        };
        let from = Corners::new(10.0, 10.0, 20.0, 30.0);
        assert_eq!(coder.decode([0.0; 4], from), from);
        assert_eq!(
            coder.decode([10.0, -5.0, 0.0, 0.0], from),
            Corners::new(20.0, 0.0, 30.0, 20.0)
        );
        let large = coder.decode([0.0, 0.0, 1e9, 5.0 * 2f32.ln()], from);
        assert!((large.right - large.left - 625.0).abs() < 0.01, "{large:?}");
        assert!((large.bottom - large.top - 40.0).abs() < 1e-4, "{large:?}");
    }
}
