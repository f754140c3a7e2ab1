//! The parameters of FiftyOne's `TorchImageModelConfig` that say how pictures are prepared.

use super::{CHANNELS, Processing, normalization};
use crate::repository::Config;
use modelzoo_candle::image::{ChannelOrder, Divisor, Filter, Normalization, Preprocessing};
use modelzoo_plugin_api::Result;

/// The keys of sizes and of values; where a manifest has none of them, pictures are prepared as the network's authors do it.
const KEYS: [&str; 9] = [
    "image_size",
    "image_dim",
    "image_patch_size",
    "image_min_size",
    "image_min_dim",
    "image_max_size",
    "image_max_dim",
    "image_mean",
    "image_std",
];

/// Reads the preprocessing of a network of this kind; pictures get `size` where it is given.
pub(super) fn read(config: &Config, kind: &str, size: Option<[usize; 2]>) -> Result<Processing> {
    for key in ["transforms", "transforms_fcn"] {
        if config.has(key) {
            return Err(config.unsupported(key, "no code, but `image_size` and its like,"));
        }
    }
    let own = own(kind).filter(|_| !KEYS.iter().any(|key| config.has(key)));
    if let Some((preprocessing, default)) = own {
        let size = size.unwrap_or(default);
        return Ok(Processing {
            preprocessing: preprocessing(size),
            size: Some(size),
            is_square: false,
            special: None,
        });
    }
    // These detectors resize pictures themselves.
    if ["yolox_", "nanodet_"].iter().any(|name| kind.starts_with(name))
        && !KEYS.iter().any(|key| config.has(key))
    {
        return Ok(Processing {
            preprocessing: Preprocessing::new()
                .channels(ChannelOrder::Bgr)
                .normalize(values(config)?),
            size: None,
            is_square: false,
            special: None,
        });
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

/// What is done to pictures that get a size.
type Prepare = fn([usize; 2]) -> Preprocessing;

/// What the authors of a network do with pictures, and how large these become.
fn own(kind: &str) -> Option<(Prepare, [usize; 2])> {
    match kind {
        "U2NET" | "U2NETP" => Some((u2net, [320; 2])),
        "ISNetDIS" | "BriaRMBG" => Some((is_net, [1024; 2])),
        _ => None,
    }
}

/// Parts of the picture's largest value, normalised by ImageNet's numbers.
fn u2net(size: [usize; 2]) -> Preprocessing {
    let values = Normalization {
        divisor: Divisor::Maximum,
        ..Normalization::IMAGENET
    };
    Preprocessing::new().resize(size).normalize(values)
}

/// Values around 0, resized without a filter.
fn is_net(size: [usize; 2]) -> Preprocessing {
    let values = Normalization {
        divisor: Divisor::Fixed(255.0),
        mean: [0.5; CHANNELS],
        std: [1.0; CHANNELS],
    };
    Preprocessing::new().interpolate(size).normalize(values)
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
