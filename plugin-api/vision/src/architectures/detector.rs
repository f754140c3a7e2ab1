//! How objects are found by boxes around the places of maps: what weights do not say.

use crate::processing::Transform;
use modelzoo_candle::detection::{Anchors, BoxCoder, Corners, Suppression};

/// A detector whose network says of many boxes what is in them, and how they would fit better.
#[derive(Clone, Debug)]
pub(crate) struct Detector {
    /// What is done to pictures.
    pub(crate) transform: Transform,
    pub(crate) boxes: Boxes,
    pub(crate) coding: Coding,
    pub(crate) judgement: Judgement,
    pub(crate) selection: Selection,
}

/// What the numbers of a box are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Coding {
    /// How it differs from the box around its place.
    Changes(BoxCoder),
    /// How far its left, upper, right and lower edges are from the middle of its place, in parts of the box around that.
    Distances,
}

impl Coding {
    /// The box that four numbers mean, `from` the box around its place.
    pub(crate) fn decode(self, numbers: [f32; 4], from: Corners) -> Corners {
        match self {
            Self::Changes(coder) => coder.decode(numbers, from),
            Self::Distances => {
                let [width, height] = [from.right - from.left, from.bottom - from.top];
                let [left, top, right, bottom] = numbers;
                // A place begins in the middle of the box around it.
                let middle = [from.right, from.bottom];
                let distances = [left * width, top * height, right * width, bottom * height];
                Corners::from_distances(middle, distances)
            }
        }
    }
}

/// The boxes around the places of each map.
#[derive(Clone, Debug)]
pub(crate) enum Boxes {
    /// Sizes for each map, all in the same aspect ratios: see [`Anchors::of_pyramid`].
    Pyramid {
        sizes: Vec<Vec<f32>>,
        aspect_ratios: Vec<f32>,
    },
    /// Scales, one more than there are maps, and aspect ratios for each map: see [`Anchors::of_ssd`].
    Ssd {
        scales: Vec<f64>,
        aspect_ratios: Vec<Vec<f64>>,
        /// How far a map's places are apart, where that is not the input's size in parts of the map's.
        steps: Option<Vec<f32>>,
    },
}

/// Which classes a box has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Each class by itself; the surest pairs of a box and a class are chosen of each map.
    Each,
    /// One class, and behind them whether there is an object at all; the likeliest class of each box is taken.
    Likeliest,
    /// One class or, the first one, none; the surest boxes are chosen of each class.
    Exclusive,
}

/// Which of the boxes become objects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Selection {
    /// Those that are surer than this.
    pub(crate) threshold: f32,
    /// So many of each map, or each class.
    pub(crate) considered: usize,
    /// Of two of a class that overlap by more than this the surer one.
    pub(crate) overlap: f32,
    /// So many.
    pub(crate) most: usize,
}

impl Boxes {
    /// The boxes around the places of maps of `[height, width]`, that are made of a picture of `input`.
    pub(crate) fn around(&self, maps: &[[usize; 2]], input: [usize; 2]) -> Vec<Anchors> {
        let apart = |map: &[usize; 2]| [1, 0].map(|axis| input[axis] / map[axis].max(1));
        match self {
            Self::Pyramid { sizes, aspect_ratios } => maps
                .iter()
                .zip(sizes)
                .map(|(map, sizes)| Anchors::of_pyramid(sizes, aspect_ratios, apart(map)))
                .collect(),
            Self::Ssd {
                scales,
                aspect_ratios,
                steps,
            } => (0..maps.len().min(aspect_ratios.len()))
                .map(|index| {
                    let step = match steps {
                        Some(steps) => [steps[index]; 2],
                        None => [1, 0].map(|axis| input[axis] as f32 / maps[index][axis] as f32),
                    };
                    let scales = [scales[index], scales[index + 1]];
                    Anchors::of_ssd(scales, &aspect_ratios[index], step, [input[1], input[0]])
                })
                .collect(),
        }
    }

    /// How many boxes there are around each place of map `index`.
    pub(crate) fn count(&self, index: usize) -> usize {
        match self {
            Self::Pyramid { sizes, aspect_ratios } => {
                sizes.get(index).map_or(0, Vec::len) * aspect_ratios.len()
            }
            Self::Ssd { aspect_ratios, .. } => {
                aspect_ratios.get(index).map_or(0, |ratios| 2 + 2 * ratios.len())
            }
        }
    }
}

impl Selection {
    /// The suppression of what overlaps.
    pub(crate) fn suppression(self) -> Suppression {
        Suppression {
            overlap: self.overlap,
            considered: usize::MAX,
            most: self.most,
        }
    }
}
