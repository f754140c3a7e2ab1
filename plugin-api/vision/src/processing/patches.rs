//! The image processor of SigLIP 2 for pictures of any aspect ratio: a picture becomes a number of patches.

use super::{
    CHANNELS, Processing, Special,
    framed::{Fit, Framed},
    pillow_filter, rescaled,
};
use crate::repository::Config;
use modelzoo_candle::image::{Filter, Preprocessing};
use modelzoo_plugin_api::Result;

/// Pictures that keep their aspect ratio, up to rounding, with a number of patches; none that is filled up with is
/// there, as no other picture has to have as many.
pub(super) fn read(
    config: &Config,
    size: Option<[usize; 2]>,
    statistics: [[f64; CHANNELS]; 2],
) -> Result<Processing> {
    let fit = Fit::Patches {
        side: config.count("patch_size", 16)?,
        most: config.count("max_num_patches", 256)?,
    };
    let preprocessing = Preprocessing::new()
        .filter(pillow_filter(config, "resample", Filter::Bilinear)?)
        .normalize(rescaled(config, statistics)?);
    let resizes = config.flag("do_resize", true)?;
    Ok(Processing {
        preprocessing: match size {
            Some(size) => preprocessing.resize(size),
            None => preprocessing,
        },
        size,
        is_square: false,
        special: (resizes && size.is_none()).then_some(Special::Framed(Framed {
            fit: Some(fit),
            frame: None,
            is_masked: false,
        })),
    })
}
