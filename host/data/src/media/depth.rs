//! Samples of more than 8 bits, brought to 8.

use half::f16;

/// How samples of more than 8 bits become 8 bits. Cameras, microscopes and maps use their range as they like, and no
/// file says how it is meant to be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rescale {
    /// By the range of the numbers themselves. Whole numbers keep their highest 8 bits; but where a whole picture stays
    /// below 256 its numbers are kept, and where a grey one uses no more than 10, 12 or 14 bits (as sensors do), the
    /// highest 8 of those. Where some are negative, they are stretched as with [`Rescale::MinMax`]. Fractions between 0 and 1 are stretched to 0 to 255, those
    /// between 0 and 255 are rounded, and others are stretched as with [`Rescale::MinMax`].
    #[default]
    Bits,
    /// The least sample of the picture becomes 0, the greatest 255.
    MinMax,
    /// The same, without the 2 per cent at either end, which is how maps and microscopes' pictures are usually shown.
    Percentile,
}

/// The share of the samples that [`Rescale::Percentile`] leaves out at either end.
const PERCENTILE: f64 = 0.02;

/// The steps to which a percentile is found.
const STEPS: usize = 1 << 16;

/// What a picture's samples are.
#[derive(Clone, Debug)]
pub(super) enum Samples {
    /// 8 bits.
    Bytes(Vec<u8>),
    /// More than 8 and up to 16 bits, not negative.
    Words(Vec<u16>),
    /// Anything else; fractions where `is_fraction`.
    Numbers {
        /// The samples.
        values: Vec<f32>,
        /// They are stored as floating-point numbers.
        is_fraction: bool,
    },
}

impl Samples {
    /// The samples in 8 bits; `is_grey` where a pixel has one.
    pub(super) fn into_bytes(self, rescale: Rescale, is_grey: bool) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Words(words) => {
                let greatest = words.iter().copied().max().unwrap_or_default();
                match rescale {
                    Rescale::Bits => {
                        let shift = unused_bits(greatest.into(), is_grey);
                        words.into_iter().map(|word| (word >> shift) as u8).collect()
                    }
                    _ => stretched(words.into_iter().map(f32::from).collect(), rescale),
                }
            }
            Self::Numbers { values, is_fraction } => match rescale {
                Rescale::Bits => by_range(values, is_fraction, is_grey),
                _ => stretched(values, rescale),
            },
        }
    }
}

/// How many low bits are dropped for samples up to `greatest` to fit in 8.
fn unused_bits(greatest: u32, is_grey: bool) -> u32 {
    let used = u32::BITS - greatest.leading_zeros();
    let depth = match used {
        0..=8 => 8,
        9..=14 if is_grey => used.next_multiple_of(2),
        9..=16 => 16,
        _ => used.next_multiple_of(8),
    };
    depth - 8
}

fn by_range(values: Vec<f32>, is_fraction: bool, is_grey: bool) -> Vec<u8> {
    let [least, greatest] = range(&values);
    if !is_fraction {
        if least < 0.0 {
            return stretched(values, Rescale::MinMax);
        }
        let shift = unused_bits(greatest as u32, is_grey);
        return values
            .into_iter()
            .map(|value| (value as u32 >> shift) as u8)
            .collect();
    }
    let scale = match (least >= 0.0, greatest) {
        (true, ..=1.0) => 255.0,
        (true, ..=255.0) => 1.0,
        _ => return stretched(values, Rescale::MinMax),
    };
    values
        .into_iter()
        .map(|value| (value * scale).round() as u8)
        .collect()
}

/// Stretches what lies between the ends of the range; what is no number becomes 0.
fn stretched(values: Vec<f32>, rescale: Rescale) -> Vec<u8> {
    let [least, greatest] = match rescale {
        Rescale::Percentile => percentiles(&values),
        _ => range(&values),
    };
    let scale = 255.0 / (greatest - least).max(f32::MIN_POSITIVE);
    values
        .into_iter()
        .map(|value| ((value - least) * scale).round() as u8)
        .collect()
}

/// The least and the greatest number; 0 and 0 where there is none.
fn range(values: &[f32]) -> [f32; 2] {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    finite
        .map(|value| [value; 2])
        .reduce(|[least, greatest], [value, _]| [least.min(value), greatest.max(value)])
        .unwrap_or_default()
}

fn percentiles(values: &[f32]) -> [f32; 2] {
    let [least, greatest] = range(values);
    let width = (f64::from(greatest) - f64::from(least)) / (STEPS - 1) as f64;
    if width <= 0.0 {
        return [least, greatest];
    }
    let mut counts = vec![0_u64; STEPS];
    let mut all = 0;
    for value in values.iter().filter(|value| value.is_finite()) {
        let step = ((f64::from(*value) - f64::from(least)) / width).round() as usize;
        counts[step.min(STEPS - 1)] += 1;
        all += 1;
    }
    let left_out = (f64::from(all) * PERCENTILE) as u64;
    let at = |mut steps: Box<dyn Iterator<Item = usize>>| {
        let mut passed = 0;
        let step = steps.find(|&step| {
            passed += counts[step];
            passed > left_out
        });
        (f64::from(least) + step.unwrap_or_default() as f64 * width) as f32
    };
    [at(Box::new(0..STEPS)), at(Box::new((0..STEPS).rev()))]
}

/// The fraction that two bytes hold.
pub(super) fn half_to_single(bits: u16) -> f32 {
    f16::from_bits(bits).to_f32()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u16], rescale: Rescale, is_grey: bool) -> Vec<u8> {
        Samples::Words(words.to_vec()).into_bytes(rescale, is_grey)
    }

    fn numbers(values: &[f32], is_fraction: bool, rescale: Rescale) -> Vec<u8> {
        let values = values.to_vec();
        Samples::Numbers { values, is_fraction }.into_bytes(rescale, true)
    }

    #[test]
    fn whole_numbers_keep_their_highest_bits() {
        assert_eq!(words(&[0, 0x1234, 0xffff], Rescale::Bits, true), [0, 0x12, 0xff]);
        // What would be black is not.
        assert_eq!(words(&[0, 7, 255], Rescale::Bits, true), [0, 7, 255]);
        assert_eq!(words(&[0, 7, 255], Rescale::Bits, false), [0, 7, 255]);
        // A sensor of 12 bits; colours are as dark as they are.
        assert_eq!(words(&[0, 0x123, 0xfff], Rescale::Bits, true), [0, 0x12, 0xff]);
        assert_eq!(words(&[0, 0x123, 0xfff], Rescale::Bits, false), [0, 0x1, 0xf]);
        assert_eq!(numbers(&[0.0, 32767.0], false, Rescale::Bits), [0, 127]);
        assert_eq!(numbers(&[-10.0, 0.0, 10.0], false, Rescale::Bits), [0, 128, 255]);
        assert_eq!(numbers(&[1e9, 65536.0], false, Rescale::Bits), [59, 0]);
    }

    #[test]
    fn fractions_go_by_their_range() {
        assert_eq!(numbers(&[0.0, 0.5, 1.0], true, Rescale::Bits), [0, 128, 255]);
        assert_eq!(numbers(&[0.0, 99.6, 255.0], true, Rescale::Bits), [0, 100, 255]);
        assert_eq!(numbers(&[-1.0, 0.0, 1.0], true, Rescale::Bits), [0, 128, 255]);
        assert_eq!(
            numbers(&[f32::NAN, 0.0, f32::INFINITY, 1.0], true, Rescale::Bits),
            [0, 0, 255, 255]
        );
        assert_eq!(numbers(&[], true, Rescale::Bits), [0; 0]);
    }

    #[test]
    fn a_range_is_stretched() {
        assert_eq!(words(&[100, 150, 200], Rescale::MinMax, true), [0, 128, 255]);
        assert_eq!(words(&[9, 9], Rescale::MinMax, true), [0, 0]);
        let mut values: Vec<u16> = (1000..1100).collect();
        values.push(60_000);
        let stretched = words(&values, Rescale::Percentile, true);
        assert!(stretched[50] > 100 && stretched[50] < 160, "{stretched:?}");
        assert_eq!((stretched[0], stretched[99], stretched[100]), (0, 255, 255));
    }
}
