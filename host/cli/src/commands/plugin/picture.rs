//! Pictures to try a model on.

use crate::terminal::{Context, Result, ensure};
use modelzoo::{
    input::{Inputs, MediaKind},
    media::{Decoder, RgbImage},
    plugin_api::{Image, Result as PluginResult},
};
use std::{num::NonZeroU32, path::Path};

const WIDTH: NonZeroU32 = NonZeroU32::new(640).expect("it is not zero");
const HEIGHT: NonZeroU32 = NonZeroU32::new(480).expect("it is not zero");

/// The pictures of `input`, `most` of them at the most; without an input one that is made up, the same each time.
pub fn pictures(input: Option<&Path>, most: usize) -> Result<Vec<RgbImage>> {
    let Some(input) = input else {
        return Ok(vec![made_up()]);
    };
    let inputs = Inputs::resolve(&[input], &[MediaKind::Image])?;
    let decode = |path: &Path| Ok(Decoder::default().decode_path(path)?.image);
    let pictures: Vec<RgbImage> = inputs
        .iter()
        .take(most)
        .map(|file| decode(&file?.path))
        .collect::<Result<_>>()
        .context("a model is tried on pictures that can be read")?;
    ensure!(!pictures.is_empty(), "there is no picture in {}", input.display());
    Ok(pictures)
}

/// A picture as a model gets it.
pub fn as_image(picture: &RgbImage) -> PluginResult<Image<'_>> {
    Image::new(
        picture.width() as usize,
        picture.height() as usize,
        picture.data(),
    )
}

/// Smooth colours, edges and a disc: something for every layer to work on.
fn made_up() -> RgbImage {
    let (width, height) = (WIDTH.get(), HEIGHT.get());
    let (centre_x, centre_y, radius) = (width / 3, height / 2, height / 4);
    let pixel = |x: u32, y: u32| {
        let is_inside = x.abs_diff(centre_x).pow(2) + y.abs_diff(centre_y).pow(2) < radius.pow(2);
        let is_dark = (x / 80 + y / 80).is_multiple_of(2);
        // Both quotients are below 256.
        let (across, down) = ((x * 255 / width) as u8, (y * 255 / height) as u8);
        match (is_inside, is_dark) {
            (true, _) => [230, 180 - down / 4, 60],
            (false, true) => [across, down, 255 - across],
            (false, false) => [across / 2, down / 2, 90],
        }
    };
    RgbImage::from_fn(WIDTH, HEIGHT, pixel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_that_is_made_up_is_one_and_always_the_same() {
        let pictures = pictures(None, 8).unwrap();
        assert_eq!(pictures, [made_up()]);
        assert!(as_image(&pictures[0]).is_ok());
        let darkest = pictures[0].data().iter().min();
        let brightest = pictures[0].data().iter().max();
        assert!(darkest < Some(&20) && brightest > Some(&220));
    }
}
