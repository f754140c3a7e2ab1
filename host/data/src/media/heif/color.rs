//! From light and colour differences to red, green and blue (ITU-T H.273, 8.3).
//!
//! Pillow reads AVIF by libavif and libyuv, and HEIC by libheif. Where those calculate with numbers of few bits, the same
//! numbers are used here, so that the pixels are the same.

use super::boxes::Fault;

/// What the numbers of a picture mean: code points of ITU-T H.273.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cicp {
    pub primaries: u16,
    pub matrix: u16,
    /// Whether black and white are the ends of the range; in the limited range there is room beyond both.
    pub is_full_range: bool,
}

/// Nobody has said by which matrix: then it is that of BT.601.
pub(super) const UNSPECIFIED: u16 = 2;

/// Red, green and blue as they are.
pub(super) const IDENTITY: u16 = 0;

/// Whose arithmetic is used, where it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    /// libyuv's, in 6 bits behind the point.
    Libyuv,
    /// libheif's for colours of half the size, in 8 bits behind the point.
    Libheif,
    /// As exact as it may be.
    Exact,
}

/// Makes pixels of samples.
#[derive(Debug)]
pub(super) struct Converter {
    /// What each sample of light adds to every colour.
    light: Vec<i64>,
    /// What a step of the two differences (blue, red) adds to red, green and blue.
    steps: [[i64; 2]; 3],
    /// The difference that is none.
    middle: i64,
    /// How many bits there are behind the point.
    shift: u32,
    /// The greatest value that comes out.
    greatest: i64,
    is_identity: bool,
}

impl Converter {
    /// For samples of `depth` bits into values up to `greatest`.
    pub fn new(color: Cicp, arithmetic: Arithmetic, depth: u32, greatest: u16) -> Result<Self, Fault> {
        let shares = Shares::of(color)?;
        let is_byte = depth == 8 && greatest == u16::from(u8::MAX);
        let converter = match arithmetic {
            Arithmetic::Libyuv if is_byte => Self::libyuv(shares, color.is_full_range),
            Arithmetic::Libheif if is_byte && color.is_full_range => Self::libheif(shares),
            _ => None,
        };
        Ok(converter.unwrap_or_else(|| Self::exact(shares, color.is_full_range, depth, greatest)))
    }

    /// The pixel of a sample of light and the two differences.
    pub fn rgb(&self, light: u16, blue: u16, red: u16) -> [u16; 3] {
        if self.is_identity {
            return [red, light, blue].map(|sample| self.grey(sample));
        }
        let light = self.light(light);
        let (blue, red) = (i64::from(blue) - self.middle, i64::from(red) - self.middle);
        self.steps
            .map(|[of_blue, of_red]| self.value(light + of_blue * blue + of_red * red))
    }

    /// The grey of a sample of light.
    pub fn grey(&self, light: u16) -> u16 {
        self.value(self.light(light))
    }

    fn light(&self, sample: u16) -> i64 {
        // Samples have no more bits than the table.
        let last = self.light.len() - 1;
        self.light[usize::from(sample).min(last)]
    }

    fn value(&self, value: i64) -> u16 {
        (value >> self.shift).clamp(0, self.greatest) as u16
    }

    fn exact(shares: Shares, is_full_range: bool, depth: u32, greatest: u16) -> Self {
        const SHIFT: u32 = 16;
        let one = f64::from(1 << SHIFT) * f64::from(greatest);
        let most = f64::from((1_u32 << depth) - 1);
        let unit = f64::from(1_u32 << (depth - 8));
        let (black, light_range, color_range) = match is_full_range {
            true => (0.0, most, most),
            false => (16.0 * unit, 219.0 * unit, 224.0 * unit),
        };
        let light =
            |sample: u32| (f64::from(sample) - black) / light_range * one + f64::from(1 << (SHIFT - 1));
        Self {
            light: (0..1 << depth)
                .map(|sample| light(sample).round() as i64)
                .collect(),
            steps: shares
                .steps()
                .map(|steps| steps.map(|step| (step / color_range * one).round() as i64)),
            middle: 1 << (depth - 1),
            shift: SHIFT,
            greatest: greatest.into(),
            is_identity: matches!(shares, Shares::Identity),
        }
    }

    /// For matrices that libyuv knows.
    fn libyuv(shares: Shares, is_full_range: bool) -> Option<Self> {
        // What light is multiplied by, what is added to it, and the steps: of blue to blue and green, and of red to green
        // and red.
        let [scale, offset, blue, blue_green, red_green, red] = match (shares, is_full_range) {
            (Shares::BT_601, false) => [18997, -1160, 128, 25, 52, 102],
            (Shares::BT_601, true) => [16320, 32, 113, 22, 46, 90],
            (Shares::BT_709, false) => [18997, -1160, 128, 14, 34, 115],
            (Shares::BT_709, true) => [16320, 32, 119, 12, 30, 101],
            (Shares::BT_2020, false) => [19003, -1160, 128, 12, 42, 107],
            (Shares::BT_2020, true) => [16320, 32, 120, 11, 37, 94],
            _ => return None,
        };
        Some(Self {
            light: (0..256)
                .map(|sample| ((sample * 0x0101 * scale) >> 16) + offset)
                .collect(),
            steps: [[0, red], [-blue_green, -red_green], [blue, 0]],
            middle: 128,
            shift: 6,
            greatest: 255,
            is_identity: false,
        })
    }

    /// For the full range.
    fn libheif(shares: Shares) -> Option<Self> {
        if !matches!(shares, Shares::RedAndBlue(..)) {
            return None;
        }
        Some(Self {
            light: (0..256).map(|sample| (sample << 8) + 128).collect(),
            steps: shares
                .steps()
                .map(|steps| steps.map(|step| (step * 256.0).round() as i64)),
            middle: 128,
            shift: 8,
            greatest: 255,
            is_identity: false,
        })
    }
}

/// What a matrix is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shares {
    /// The shares of red and blue in light.
    RedAndBlue(f64, f64),
    /// There are no differences.
    Identity,
    /// Differences of green and of orange.
    GreenAndOrange,
}

impl Shares {
    const BT_601: Self = Self::RedAndBlue(0.299, 0.114);
    const BT_709: Self = Self::RedAndBlue(0.2126, 0.0722);
    const BT_2020: Self = Self::RedAndBlue(0.2627, 0.0593);

    fn of(color: Cicp) -> Result<Self, Fault> {
        Ok(match (color.matrix, color.primaries) {
            (IDENTITY, _) => Self::Identity,
            (1, _) | (12, 1 | UNSPECIFIED) => Self::BT_709,
            (UNSPECIFIED | 5 | 6, _) | (12, 5 | 6) => Self::BT_601,
            (4, _) => Self::RedAndBlue(0.30, 0.11),
            (7, _) => Self::RedAndBlue(0.212, 0.087),
            (8, _) => Self::GreenAndOrange,
            (9, _) | (12, 9) => Self::BT_2020,
            (matrix, _) => {
                let kind = format!("with colours of matrix {matrix} of ITU-T H.273");
                return Err(Fault::Unsupported(kind));
            }
        })
    }

    /// What a whole step of the two differences adds to red, green and blue.
    fn steps(self) -> [[f64; 2]; 3] {
        match self {
            Self::RedAndBlue(red, blue) => {
                let green = 1.0 - red - blue;
                let (to_red, to_blue) = (2.0 * (1.0 - red), 2.0 * (1.0 - blue));
                [
                    [0.0, to_red],
                    [-blue * to_blue / green, -red * to_red / green],
                    [to_blue, 0.0],
                ]
            }
            Self::Identity => [[0.0; 2]; 3],
            Self::GreenAndOrange => [[-1.0, 1.0], [1.0, 0.0], [-1.0, -1.0]],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(matrix: u16, is_full_range: bool) -> Cicp {
        Cicp {
            primaries: 1,
            matrix,
            is_full_range,
        }
    }

    // Some of libyuv's steps are cut to the 7 bits that there is room for.
    #[test]
    fn arithmetics_differ_by_little() {
        for (matrix, is_full_range) in [
            (1, false),
            (1, true),
            (6, false),
            (6, true),
            (9, false),
            (9, true),
        ] {
            let color = color(matrix, is_full_range);
            let converter = |arithmetic| Converter::new(color, arithmetic, 8, 255).expect("it is known");
            let exact = converter(Arithmetic::Exact);
            for arithmetic in [Arithmetic::Libyuv, Arithmetic::Libheif] {
                let other = converter(arithmetic);
                for light in (16..236).step_by(7) {
                    for (blue, red) in [(128, 128), (100, 150), (150, 100), (120, 120)] {
                        let pair = exact
                            .rgb(light, blue, red)
                            .into_iter()
                            .zip(other.rgb(light, blue, red));
                        for (exact, other) in pair {
                            assert!(
                                exact.abs_diff(other) <= 4,
                                "{matrix} {arithmetic:?}: {exact}, {other}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn ends_of_ranges_are_black_and_white() {
        for (depth, greatest) in [(8, 255), (10, 255), (12, 65535)] {
            let exact = |is_full_range| {
                let color = color(1, is_full_range);
                Converter::new(color, Arithmetic::Exact, depth, greatest).expect("it is known")
            };
            let scale = 1 << (depth - 8);
            let limited = exact(false);
            assert_eq!(
                [16, 235].map(|sample| limited.grey(sample * scale)),
                [0, greatest]
            );
            assert_eq!(limited.rgb(235 * scale, 128 * scale, 128 * scale), [greatest; 3]);
            let full = exact(true);
            assert_eq!(
                [0, 256 * scale - 1].map(|sample| full.grey(sample)),
                [0, greatest]
            );
        }
    }

    #[test]
    fn other_matrices_are_read_or_named() {
        let identity = Converter::new(color(0, true), Arithmetic::Libyuv, 8, 255).expect("it is known");
        assert_eq!(identity.rgb(2, 3, 1), [1, 2, 3]);
        let green_and_orange =
            Converter::new(color(8, true), Arithmetic::Libheif, 8, 255).expect("it is known");
        assert_eq!(green_and_orange.rgb(100, 138, 148), [110, 110, 70]);
        let error = Converter::new(color(14, true), Arithmetic::Exact, 8, 255).expect_err("it is not known");
        assert_eq!(
            error,
            Fault::Unsupported("with colours of matrix 14 of ITU-T H.273".to_owned())
        );
    }
}
