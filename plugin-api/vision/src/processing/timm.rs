//! timm's `pretrained_cfg`: what `timm.data.create_transform` makes of it for evaluation.

use super::{CHANNELS, Processing, normalization, scaled};
use crate::repository::Config;
use modelzoo_candle::image::{Filter, Preprocessing};
use modelzoo_plugin_api::Result;

const MEAN: [f64; CHANNELS] = [0.485, 0.456, 0.406];
const STD: [f64; CHANNELS] = [0.229, 0.224, 0.225];
const CROP_SHARE: f64 = 0.875;

/// Reads the preprocessing; pictures get `size` where it is given.
pub(super) fn read(config: &Config, size: Option<[usize; 2]>) -> Result<Processing> {
    let [channels, height, width] = config.counts_of("input_size", [CHANNELS, 224, 224])?;
    if channels != CHANNELS {
        return Err(config.unsupported("input_size", "three channels, those of a picture,"));
    }
    let share = config.number("crop_pct")?.unwrap_or(CROP_SHARE);
    if !(0.01..=4.0).contains(&share) {
        return Err(config.wrong("crop_pct", "a number from 0.01 to 4"));
    }
    let crop = [height, width];
    let resized = crop.map(|side| (side as f64 / share).floor() as usize);
    let (crop, resized) = match size {
        Some(size) => (size, scaled(resized, crop, size)),
        None => (crop, resized),
    };
    let new = Preprocessing::new();
    let preprocessing = match config.text("crop_mode")?.unwrap_or("center") {
        "squash" => new.resize(resized),
        "center" if resized[0] == resized[1] => new.resize_shorter_side(resized[0]),
        "center" => new.resize_to_cover(resized),
        _ => return Err(config.unsupported("crop_mode", "\"center\" or \"squash\"")),
    };
    let filter = match config.text("interpolation")?.unwrap_or("bicubic") {
        "bilinear" => Filter::Bilinear,
        "bicubic" => Filter::Bicubic,
        "lanczos" => Filter::Lanczos,
        "nearest" => Filter::Nearest,
        "box" => Filter::Box,
        "hamming" => Filter::Hamming,
        _ => return Err(config.wrong("interpolation", "the name of one of Pillow's filters")),
    };
    Ok(Processing {
        preprocessing: preprocessing
            .center_crop(crop)
            .filter(filter)
            .normalize(normalization(config, ["mean", "std"], 255.0, [MEAN, STD])?),
        size: Some(crop),
        is_square: false,
        special: None,
    })
}
