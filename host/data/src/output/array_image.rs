//! Masks and maps as greyscale PNG.

use image::{ExtendedColorType, ImageEncoder, ImageResult, codecs::png::PngEncoder};
use modelzoo_plugin_api::{Array, Elements};

/// Samples of a picture.
enum Samples {
    Bytes(Vec<u8>),
    Words(Vec<u16>),
}

/// A mask as PNG: bytes and 16-bit words as they are, truth values as 0 and 1, other numbers as whole ones of 8 bits
/// where all fit and of 16 bits otherwise. `[height, width, 3]` becomes a colour picture.
pub(super) fn mask_to_png(mask: &Array) -> ImageResult<Vec<u8>> {
    let samples = match mask.elements() {
        Elements::Bool(values) => Samples::Bytes(values.iter().map(|&value| value.into()).collect()),
        Elements::U8(values) => Samples::Bytes(values.clone()),
        Elements::U16(values) => Samples::Words(values.clone()),
        _ => {
            let values = mask.to_f64();
            // Conversion saturates: what is below 0 becomes 0.
            if values.iter().all(|&value| value <= f64::from(u8::MAX)) {
                Samples::Bytes(values.into_iter().map(|value| value as u8).collect())
            } else {
                Samples::Words(values.into_iter().map(|value| value as u16).collect())
            }
        }
    };
    encode(mask.shape(), samples)
}

/// A map as PNG: bytes and 16-bit words that need no range are kept; everything else is stretched so that the range
/// (by default the map's own least and greatest number) becomes 0 to 255, and cut to whole numbers.
pub(super) fn map_to_png(map: &Array, range: Option<[f64; 2]>) -> ImageResult<Vec<u8>> {
    let samples = match (map.elements(), range) {
        (Elements::U8(values), None | Some([0.0, 255.0])) => Samples::Bytes(values.clone()),
        (Elements::U16(values), None | Some([0.0, 65535.0])) => Samples::Words(values.clone()),
        (Elements::F32(values), _) => Samples::Bytes(stretch_single(values, range)),
        _ => Samples::Bytes(stretch(&map.to_f64(), range)),
    };
    encode(map.shape(), samples)
}

/// In double precision, as NumPy computes for all types but single precision.
fn stretch(values: &[f64], range: Option<[f64; 2]>) -> Vec<u8> {
    let [least, greatest] = range.unwrap_or_else(|| {
        values
            .iter()
            .fold([f64::INFINITY, f64::NEG_INFINITY], |[least, greatest], &value| {
                [least.min(value), greatest.max(value)]
            })
    });
    let scale = 255.0 / (greatest - least);
    // Where there is no range the product is NaN, which becomes 0.
    values
        .iter()
        .map(|value| (scale * (value - least)) as u8)
        .collect()
}

/// In single precision throughout, which decides on which side of a whole number a value falls.
fn stretch_single(values: &[f32], range: Option<[f64; 2]>) -> Vec<u8> {
    let (least, scale) = match range {
        Some([least, greatest]) => (least as f32, (255.0 / (greatest - least)) as f32),
        None => {
            let least = values.iter().copied().fold(f32::INFINITY, f32::min);
            let greatest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            (least, 255.0 / (greatest - least))
        }
    };
    values
        .iter()
        .map(|value| (scale * (value - least)) as u8)
        .collect()
}

fn encode(shape: &[usize], samples: Samples) -> ImageResult<Vec<u8>> {
    let (height, width, channels) = match *shape {
        [height, width] => (height, width, 1),
        [height, width, 3] => (height, width, 3),
        _ => {
            let message = format!("an array of shape {shape:?} is no picture: [height, width] is expected");
            return Err(image::ImageError::IoError(std::io::Error::other(message)));
        }
    };
    let (bytes, color) = match (samples, channels) {
        (Samples::Bytes(bytes), 1) => (bytes, ExtendedColorType::L8),
        (Samples::Bytes(bytes), _) => (bytes, ExtendedColorType::Rgb8),
        (Samples::Words(words), 1) => (native_bytes(&words), ExtendedColorType::L16),
        (Samples::Words(words), _) => (native_bytes(&words), ExtendedColorType::Rgb16),
    };
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(&bytes, width as u32, height as u32, color)?;
    Ok(png)
}

fn native_bytes(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(png: &[u8]) -> (ExtendedColorType, Vec<u16>) {
        let picture = image::load_from_memory(png).expect("a PNG");
        let color = picture.color().into();
        let samples = match picture {
            image::DynamicImage::ImageLuma8(picture) => {
                picture.into_raw().into_iter().map(u16::from).collect()
            }
            image::DynamicImage::ImageLuma16(picture) => picture.into_raw(),
            other => other.into_rgb8().into_raw().into_iter().map(u16::from).collect(),
        };
        (color, samples)
    }

    #[test]
    fn masks_keep_their_numbers() {
        let mask = |elements: Elements| {
            samples(
                &mask_to_png(&Array::new([1, elements.len().expect("known")], elements).expect("fits"))
                    .expect("PNG"),
            )
        };
        assert_eq!(
            mask(vec![true, false].into()),
            (ExtendedColorType::L8, vec![1, 0])
        );
        assert_eq!(mask(vec![0u8, 255].into()), (ExtendedColorType::L8, vec![0, 255]));
        assert_eq!(mask(vec![0u16, 3].into()), (ExtendedColorType::L16, vec![0, 3]));
        assert_eq!(
            mask(vec![0i64, 255].into()),
            (ExtendedColorType::L8, vec![0, 255])
        );
        assert_eq!(
            mask(vec![0i64, 256].into()),
            (ExtendedColorType::L16, vec![0, 256])
        );
        let colors = Array::new([1, 1, 3], vec![1u8, 2, 3]).expect("fits");
        assert_eq!(
            samples(&mask_to_png(&colors).expect("PNG")),
            (ExtendedColorType::Rgb8, vec![1, 2, 3])
        );
        assert!(mask_to_png(&Array::vector(vec![1u8])).is_err());
    }

    #[test]
    fn maps_are_stretched_as_fiftyone_does() {
        let map = |elements: Elements, range| {
            let array = Array::new([1, elements.len().expect("known")], elements).expect("fits");
            samples(&map_to_png(&array, range).expect("PNG")).1
        };
        assert_eq!(
            map(vec![0.0f32, 0.5, 1.0].into(), Some([0.0, 1.0])),
            [0, 127, 255]
        );
        assert_eq!(map(vec![2.0f64, 3.0, 4.0].into(), None), [0, 127, 255]);
        assert_eq!(map(vec![0.5f32, 0.5].into(), None), [0, 0]);
        assert_eq!(map(vec![7u8, 9].into(), None), [7, 9]);
        assert_eq!(map(vec![7u8, 9].into(), Some([7.0, 9.0])), [0, 255]);
        assert_eq!(map(vec![300u16, 9].into(), None), [300, 9]);
        // Computed by NumPy 2.4 in single precision.
        let values = vec![
            0.1f32,
            0.2,
            0.3,
            0.7,
            0.9,
            0.99999994,
            0.003_921_569,
            0.003_921_568_4,
        ];
        assert_eq!(
            map(values.into(), Some([0.0, 1.0])),
            [25, 51, 76, 178, 229, 254, 1, 0]
        );
    }
}
