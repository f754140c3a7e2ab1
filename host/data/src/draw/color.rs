//! Colours for classes and for maps.

/// Red, green, blue.
pub(super) type Rgb = [u8; 3];

pub(super) const WHITE: Rgb = [255; 3];
pub(super) const BLACK: Rgb = [0; 3];

/// A vivid colour for a class: always the same for the same name, and apart from those of other names as far as a
/// hash can make it.
pub(super) fn of_class(name: &str) -> Rgb {
    // FNV-1a, from a start at which the everyday classes of COCO come out well apart.
    const START: u64 = 0xcbf2_9ce4_8422_2325 ^ 6877;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let hash = name
        .bytes()
        .fold(START, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    of_index((hash ^ (hash >> 29)) % 9973)
}

/// A vivid colour for a number: neighbours differ most, as each hue is a golden angle away from the last.
pub(super) fn of_index(index: u64) -> Rgb {
    const GOLDEN_RATIO: f64 = 0.618_033_988_749_895;
    const LIGHTNESSES: [f64; 3] = [0.72, 0.86, 0.64];
    let hue = (index as f64 * GOLDEN_RATIO).fract();
    oklch(
        LIGHTNESSES[(index % 3) as usize],
        0.17,
        hue * std::f64::consts::TAU,
    )
}

/// Black or white, whichever can be read on `background`.
pub(super) fn of_text_on(background: Rgb) -> Rgb {
    let [r, g, b] = background.map(f64::from);
    if 0.299 * r + 0.587 * g + 0.114 * b > 128.0 {
        BLACK
    } else {
        WHITE
    }
}

/// The colour of a heat map's value between 0 and 1: from dark violet over red to light yellow, with even steps of
/// lightness.
pub(super) fn of_heat(value: f64) -> Rgb {
    const STOPS: [Rgb; 7] = [
        [10, 8, 40],
        [70, 15, 110],
        [140, 35, 110],
        [205, 60, 75],
        [245, 115, 30],
        [250, 190, 40],
        [252, 253, 175],
    ];
    let position = value.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let lower = (position as usize).min(STOPS.len() - 2);
    let share = position - lower as f64;
    std::array::from_fn(|channel| {
        let (from, to) = (
            f64::from(STOPS[lower][channel]),
            f64::from(STOPS[lower + 1][channel]),
        );
        (from + (to - from) * share).round() as u8
    })
}

/// From lightness, chroma and hue in Oklab's polar form to sRGB (Björn Ottosson, "A perceptual color space for image
/// processing", 2020); colours outside of sRGB are cut to it.
fn oklch(lightness: f64, chroma: f64, hue: f64) -> Rgb {
    let (a, b) = (chroma * hue.cos(), chroma * hue.sin());
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    let linear = [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ];
    linear.map(|value| {
        let value = value.clamp(0.0, 1.0);
        let encoded = if value <= 0.003_130_8 {
            value * 12.92
        } else {
            1.055 * value.powf(1.0 / 2.4) - 0.055
        };
        (encoded * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(a: Rgb, b: Rgb) -> f64 {
        a.iter()
            .zip(b)
            .map(|(&a, b)| (f64::from(a) - f64::from(b)).powi(2))
            .sum::<f64>()
            .sqrt()
    }

    #[test]
    fn a_class_keeps_its_colour_and_others_have_their_own() {
        assert_eq!(of_class("person"), of_class("person"));
        let classes = [
            "person", "bicycle", "car", "bus", "truck", "dog", "cat", "chair", "cup", "bird",
        ];
        for (i, a) in classes.iter().enumerate() {
            for b in &classes[..i] {
                assert!(
                    distance(of_class(a), of_class(b)) > 30.0,
                    "{a} {:?} and {b} {:?}",
                    of_class(a),
                    of_class(b)
                );
            }
        }
    }

    #[test]
    fn text_is_readable_on_every_class() {
        for index in 0..200 {
            let background = of_index(index);
            assert!(
                distance(background, of_text_on(background)) > 180.0,
                "{background:?}"
            );
        }
    }

    #[test]
    fn heat_gets_lighter() {
        let lightness = |value| {
            of_heat(value)
                .iter()
                .map(|&channel| u32::from(channel))
                .sum::<u32>()
        };
        let values: Vec<_> = (0..=20).map(|step| lightness(f64::from(step) / 20.0)).collect();
        assert!(values.is_sorted(), "{values:?}");
        assert_eq!(of_heat(f64::NAN), of_heat(f64::NAN));
        assert_eq!(of_heat(-1.0), of_heat(0.0));
    }
}
