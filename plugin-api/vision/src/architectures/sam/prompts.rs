//! Tokens of prompts: where points and the corners of boxes are, and what they are.
//!
//! Source of the places: Tancik et al., "Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional
//! Domains" (2020), section 4.

use crate::checkpoint::Checkpoint;
use modelzoo_candle::network::Parameters;
use modelzoo_plugin_api::Result;
use std::f64::consts::TAU;

/// By what the places of pictures and those of prompts are told apart. Published ones are the same, so that files may have one
/// of them only.
const OF_PICTURES: &str = "shared_image_embedding.positional_embedding";
const OF_PROMPTS: &str = "prompt_encoder.shared_embedding.positional_embedding";
/// Kinds of points: not of the object, of it, and the two corners of a box.
const KINDS: usize = 4;

/// What points at an object, in pixels of the picture as the network sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Prompt {
    /// `[x, y]`, and whether it is on the object or beside it.
    pub(crate) points: Vec<([f64; 2], bool)>,
    /// Left, top, right and bottom edge of a box.
    pub(crate) edges: Option<[f64; 4]>,
}

/// Makes tokens of prompts.
#[derive(Clone, Debug)]
pub(crate) struct PromptEncoder {
    /// `[2][features / 2]`
    gaussian: Vec<f32>,
    /// `[kinds][features]`
    kinds: Vec<f32>,
    /// Stands where there is no further point.
    nothing: Vec<f32>,
    side: f64,
    is_second: bool,
}

impl PromptEncoder {
    pub(super) fn new(
        checkpoint: &Checkpoint,
        features: usize,
        side: usize,
        is_second: bool,
    ) -> Result<Self> {
        let root = "prompt_encoder.point_embed";
        let mut kinds = Vec::new();
        if is_second {
            let all = checkpoint.parameter(&format!("{root}.weight"), &[KINDS, features])?;
            kinds.extend_from_slice(all.data());
        } else {
            for kind in 0..KINDS {
                let one = checkpoint.parameter(&format!("{root}.{kind}.weight"), &[1, features])?;
                kinds.extend_from_slice(one.data());
            }
        }
        let nothing = checkpoint.parameter("prompt_encoder.not_a_point_embed.weight", &[1, features])?;
        Ok(Self {
            gaussian: gaussian(checkpoint, features, [OF_PROMPTS, OF_PICTURES])?,
            kinds,
            nothing: nothing.data().to_vec(),
            side: side as f64,
            is_second,
        })
    }

    /// How many tokens a prompt becomes.
    pub(crate) fn count(&self, prompt: &Prompt) -> usize {
        prompt.points.len()
            + match prompt.edges {
                None => 1,
                Some(_) => 2 + usize::from(self.is_second),
            }
    }

    /// The tokens of a prompt, `[tokens][features]`.
    pub(crate) fn tokens(&self, prompt: &Prompt) -> Vec<f32> {
        let mut tokens = Vec::new();
        for &(point, is_inside) in &prompt.points {
            tokens.extend(self.token(point, usize::from(is_inside)));
        }
        if let Some([left, top, right, bottom]) = prompt.edges {
            tokens.extend(self.token([left, top], 2));
            tokens.extend(self.token([right, bottom], 3));
        }
        if prompt.edges.is_none() || self.is_second {
            tokens.extend_from_slice(&self.nothing);
        }
        tokens
    }

    fn token(&self, point: [f64; 2], kind: usize) -> Vec<f32> {
        let features = self.nothing.len();
        // The middle of a pixel.
        let place = place(&self.gaussian, point.map(|place| (place + 0.5) / self.side));
        let kind = &self.kinds[kind * features..][..features];
        place.iter().zip(kind).map(|(place, kind)| place + kind).collect()
    }

    /// What stands for the places of a picture's features, `[places][features]`.
    pub(super) fn places(checkpoint: &Checkpoint, features: usize, grid: usize) -> Result<Vec<f32>> {
        let gaussian = gaussian(checkpoint, features, [OF_PICTURES, OF_PROMPTS])?;
        let middle = |index: usize| (index as f64 + 0.5) / grid as f64;
        let places = (0..grid * grid).map(|index| [middle(index % grid), middle(index / grid)]);
        Ok(places.flat_map(|point| place(&gaussian, point)).collect())
    }
}

/// The numbers of the first of two names, or else of the second one.
fn gaussian(checkpoint: &Checkpoint, features: usize, [first, second]: [&str; 2]) -> Result<Vec<f32>> {
    let name = if checkpoint.has(second) && !checkpoint.has(first) {
        second
    } else {
        first
    };
    let values = checkpoint.parameter(name, &[2, features / 2])?;
    Ok(values.data().to_vec())
}

/// What stands for a point `[x, y]`, in parts of the picture.
fn place(gaussian: &[f32], point: [f64; 2]) -> Vec<f32> {
    let (across, along) = gaussian.split_at(gaussian.len() / 2);
    let [x, y] = point.map(|place| 2.0 * place - 1.0);
    let angles = across.iter().zip(along);
    let angles: Vec<f64> = angles
        .map(|(&across, &along)| TAU * (x * f64::from(across) + y * f64::from(along)))
        .collect();
    let sines = angles.iter().map(|angle| angle.sin());
    let cosines = angles.iter().map(|angle| angle.cos());
    sines.chain(cosines).map(|value| value as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoder(is_second: bool) -> PromptEncoder {
        PromptEncoder {
            gaussian: vec![0.25, 0.0],
            kinds: (0..KINDS * 2).map(|value| value as f32 * 10.0).collect(),
            nothing: vec![7.0, 8.0],
            side: 4.0,
            is_second,
        }
    }

    #[test]
    fn points_have_places_and_kinds_and_a_token_ends_them() {
        let prompt = Prompt {
            points: vec![([1.5, 9.0], true), ([3.5, 0.0], false)],
            edges: None,
        };
        for is_second in [false, true] {
            let encoder = encoder(is_second);
            let tokens = encoder.tokens(&prompt);
            assert_eq!(tokens.len(), encoder.count(&prompt) * 2);
            // The middle of the picture has the angle 0, its right edge that of a quarter.
            let expected = [20.0, 31.0, 1.0, 10.0, 7.0, 8.0];
            assert!(
                tokens
                    .iter()
                    .zip(expected)
                    .all(|(found, expected)| (found - expected).abs() < 1e-6)
            );
        }
    }

    #[test]
    fn a_box_has_two_corners_and_in_the_second_version_an_end() {
        let prompt = Prompt {
            points: vec![([0.0, 0.0], true)],
            edges: Some([-0.5, 0.0, 1.5, 2.0]),
        };
        for (is_second, count) in [(false, 3), (true, 4)] {
            let encoder = encoder(is_second);
            let tokens = encoder.tokens(&prompt);
            assert_eq!((encoder.count(&prompt), tokens.len()), (count, count * 2));
            assert!((tokens[2] - 39.0).abs() < 1e-6 && (tokens[5] - 71.0).abs() < 1e-6);
        }
    }
}
