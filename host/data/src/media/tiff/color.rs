//! From samples of 8 bits to RGB.

use super::page::{Alpha, Page, Photometric};

/// The samples of a pixel that colours are made of: its own, and alpha where that divides them.
pub(super) fn num_kept(page: &Page<'_>) -> usize {
    page.photometric.num_colors() + usize::from(page.alpha == Alpha::Multiplied)
}

/// Turns pixels of [`num_kept`] samples into RGB.
pub(super) fn to_rgb(page: &Page<'_>, mut samples: Vec<u8>) -> Vec<u8> {
    let colors = page.photometric.num_colors();
    if page.alpha == Alpha::Multiplied {
        samples = divided(&samples, colors);
    }
    match page.photometric {
        // As a converter gave it.
        Photometric::Rgb | Photometric::YCbCr => samples,
        Photometric::BlackIsZero => samples.into_iter().flat_map(|grey| [grey; 3]).collect(),
        Photometric::WhiteIsZero => samples.into_iter().flat_map(|grey| [255 - grey; 3]).collect(),
        Photometric::Palette => from_palette(&samples, &page.color_map, page.bits),
        Photometric::Cmyk => samples
            .as_chunks()
            .0
            .iter()
            .flat_map(|&ink| from_cmyk(ink))
            .collect(),
        Photometric::Lab => samples
            .as_chunks()
            .0
            .iter()
            .flat_map(|&lab| from_lab(lab))
            .collect(),
    }
}

/// Colours divided by their alpha, which is dropped: as Pillow does, rounded down, and black where nothing is seen.
fn divided(samples: &[u8], colors: usize) -> Vec<u8> {
    let mut divided = Vec::with_capacity(samples.len() / (colors + 1) * colors);
    for pixel in samples.chunks_exact(colors + 1) {
        let alpha = u32::from(pixel[colors]);
        divided.extend(pixel[..colors].iter().map(|&color| match alpha {
            0 => 0,
            _ => (u32::from(color) * 255 / alpha).min(255) as u8,
        }));
    }
    divided
}

/// A palette has all reds, then all greens, then all blues, in 16 bits; some old programs wrote 8 bits.
fn from_palette(indices: &[u8], map: &[u16], bits: u32) -> Vec<u8> {
    let size = 1 << bits;
    let is_old = map.iter().all(|&color| color < 256);
    let color = |place: usize| match map.get(place) {
        Some(&color) if is_old => color as u8,
        Some(&color) => (color >> 8) as u8,
        None => 0,
    };
    indices
        .iter()
        .flat_map(|&index| [0, size, 2 * size].map(|start| color(start + usize::from(index))))
        .collect()
}

/// The rounding of the products is Pillow's: `(a * b + 128) * 257 / 65536` in integers.
fn from_cmyk([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    let light = 255 - i32::from(black);
    [cyan, magenta, yellow].map(|ink| {
        let product = i32::from(ink) * light + 128;
        (light - (((product >> 8) + product) >> 8)).clamp(0, 255) as u8
    })
}

/// CIELab of 8 bits under D50, through XYZ, adapted to D65 by Bradford's matrix, to sRGB (IEC 61966-2-1).
fn from_lab([light, a, b]: [u8; 3]) -> [u8; 3] {
    let y = (f64::from(light) * 100.0 / 255.0 + 16.0) / 116.0;
    let x = y + f64::from(a.cast_signed()) / 500.0;
    let z = y - f64::from(b.cast_signed()) / 200.0;
    let linear = |t: f64| match t > 6.0 / 29.0 {
        true => t.powi(3),
        false => (t - 4.0 / 29.0) * 3.0 * (6.0_f64 / 29.0).powi(2),
    };
    let [x, y, z] = [linear(x) * 0.96422, linear(y), linear(z) * 0.82521];
    [
        3.133_856 * x - 1.616_867 * y - 0.490_615 * z,
        -0.978_768 * x + 1.916_142 * y + 0.033_454 * z,
        0.071_945 * x - 0.228_991 * y + 1.405_243 * z,
    ]
    .map(|linear| {
        let encoded = match linear <= 0.003_130_8 {
            true => 12.92 * linear,
            false => 1.055 * linear.powf(1.0 / 2.4) - 0.055,
        };
        (encoded * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inks_and_light() {
        assert_eq!(from_cmyk([0, 0, 0, 0]), [255; 3]);
        assert_eq!(from_cmyk([255, 0, 0, 0]), [0, 255, 255]);
        assert_eq!(from_cmyk([0, 0, 0, 255]), [0; 3]);
        assert_eq!(from_lab([255, 0, 0]), [255; 3]);
        assert_eq!(from_lab([0, 0, 0]), [0; 3]);
        let [red, green, blue] = from_lab([137, 80, 67]);
        assert!(red > 250 && green < 12 && blue < 12, "{red} {green} {blue}");
    }

    #[test]
    fn alpha_is_divided_out() {
        assert_eq!(
            divided(&[50, 100, 200, 100, 9, 9, 9, 0], 3),
            [127, 255, 255, 0, 0, 0]
        );
    }

    #[test]
    fn palettes_of_either_depth() {
        assert_eq!(
            from_palette(&[1], &[0, 0x1234, 0, 0xffff, 0, 0x80ff], 1),
            [0x12, 0xff, 0x80]
        );
        assert_eq!(
            from_palette(&[1], &[0, 0x12, 0, 0xff, 0, 0x80], 1),
            [0x12, 0xff, 0x80]
        );
    }
}
