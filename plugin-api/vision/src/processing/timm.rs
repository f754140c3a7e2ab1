//! timm's `pretrained_cfg`: what `timm.data.create_transform` makes of it for evaluation.

use super::{
    CHANNELS, Processing, Special,
    framed::{Fit, Frame, Framed, Place, Rounding},
    normalization, scaled,
};
use crate::repository::Config;
use modelzoo_candle::image::{Filter, Normalization, Preprocessing};
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
    let values = normalization(config, ["mean", "std"], 255.0, [MEAN, STD])?;
    let mut special = None;
    let preprocessing = match config.text("crop_mode")?.unwrap_or("center") {
        "squash" => new.resize(resized).center_crop(crop),
        "center" if resized[0] == resized[1] => new.resize_shorter_side(resized[0]).center_crop(crop),
        "center" => new.resize_to_cover(resized).center_crop(crop),
        "border" => {
            special = Some(Special::Framed(bordered(config, resized, crop, values)?));
            new
        }
        _ => {
            return Err(config.wrong("crop_mode", "\"center\", \"squash\" or \"border\""));
        }
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
        preprocessing: preprocessing.filter(filter).normalize(values),
        size: Some(crop),
        is_square: false,
        special,
    })
}

/// A picture that fits into `resized`, and around it bytes of the mean colour where `crop` is larger.
fn bordered(config: &Config, resized: [usize; 2], crop: [usize; 2], values: Normalization) -> Result<Framed> {
    let exact = config.numbers("mean")?.unwrap_or_default();
    let filling = |channel: usize| {
        // In double precision: a half is rounded otherwise where it is a little more.
        let mean = exact.get(channel).copied();
        let byte = (255.0 * mean.unwrap_or(MEAN[channel])).round_ties_even();
        (byte as f32 / 255.0 - values.mean[channel]) / values.std[channel]
    };
    Ok(Framed {
        fit: Some(Fit::Within {
            size: resized,
            rounding: Rounding::Nearest,
        }),
        frame: Some(Frame {
            size: crop,
            filling: std::array::from_fn(filling),
            place: Place::Middle,
        }),
        is_masked: false,
    })
}
