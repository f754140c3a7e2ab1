//! The parameters of FiftyOne's `TorchImageModelConfig` that say how pictures are prepared.

use super::{CHANNELS, Processing, normalization};
use crate::repository::Config;
use modelzoo_candle::image::{Divisor, Filter, Normalization, Preprocessing};
use modelzoo_plugin_api::Result;

/// Reads the preprocessing; pictures get `size` where it is given.
pub(super) fn read(config: &Config, size: Option<[usize; 2]>) -> Result<Processing> {
    for key in ["transforms", "transforms_fcn"] {
        if config.has(key) {
            return Err(config.unsupported(key, "no code, but `image_size` and its like,"));
        }
    }
    let exact = match size {
        None if config.has("image_size") => Some(config.size("image_size", [1; 2])?),
        size => size,
    };
    let preprocessing = match exact {
        Some(size) => Preprocessing::new().resize(size),
        None => resized(config)?,
    };
    Ok(Processing {
        preprocessing: preprocessing.filter(Filter::Bilinear).normalize(values(config)?),
        size: exact,
        is_square: false,
        special: None,
    })
}

/// The first of these keys that is there counts.
fn resized(config: &Config) -> Result<Preprocessing> {
    let new = Preprocessing::new();
    if let Some(side) = config.count_of("image_dim")? {
        return Ok(new.resize_shorter_side(side));
    }
    let side = |key: &str| -> Result<Option<[usize; 2]>> { Ok(config.count_of(key)?.map(|side| [side; 2])) };
    if let Some(patch) = config.count_of("image_patch_size")? {
        let enlarged = match side("image_min_dim")? {
            Some(least) => new.resize_at_least(least),
            None => new,
        };
        return Ok(enlarged.center_crop_to_multiple(patch));
    }
    let bound = |sides: &str, dim: &str| -> Result<Option<[usize; 2]>> {
        if config.has(sides) {
            config.size(sides, [1; 2]).map(Some)
        } else {
            side(dim)
        }
    };
    let mut steps = new;
    if let Some(least) = bound("image_min_size", "image_min_dim")? {
        steps = steps.resize_at_least(least);
    }
    if let Some(most) = bound("image_max_size", "image_max_dim")? {
        steps = steps.resize_at_most(most);
    }
    Ok(steps)
}

/// Parts of 255, and a normalisation where there are numbers for it.
fn values(config: &Config) -> Result<Normalization> {
    let keys = ["image_mean", "image_std"];
    match keys.map(|key| config.has(key)) {
        [true, true] => normalization(config, keys, 255.0, [[0.0; CHANNELS], [1.0; CHANNELS]]),
        [false, false] => Ok(Normalization {
            divisor: Divisor::Fixed(255.0),
            ..Normalization::UNIT
        }),
        [true, false] => Err(config.wrong(keys[1], "a number for each channel, as `image_mean` has them,")),
        [false, true] => Err(config.wrong(keys[0], "a number for each channel, as `image_std` has them,")),
    }
}
