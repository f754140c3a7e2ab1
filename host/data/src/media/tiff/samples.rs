//! From a row of a strip or tile to numbers: predictors, bits, byte orders.

use super::page::{Page, SampleFormat};
use crate::media::{
    depth::{Samples, half_to_single},
    error::DecodeError,
    ifd::ByteOrder,
};

/// A sample was stored as its difference from the one before it in its row.
const DIFFERENCE: u64 = 2;
/// The same by the bytes of floating-point numbers, the highest bytes of all first.
const FRACTION_BYTES: u64 = 3;

/// Undoes the predictor in whole rows, and says the byte order of what is there then.
pub(super) fn undo_prediction(
    page: &Page<'_>,
    rows: &mut [u8],
    row_bytes: usize,
    num_samples: usize,
) -> Result<ByteOrder, DecodeError> {
    let order = page.order();
    match (page.predictor, page.bits) {
        (DIFFERENCE, 8) => rows.chunks_exact_mut(row_bytes).for_each(|row| {
            for index in num_samples..row.len() {
                row[index] = row[index].wrapping_add(row[index - num_samples]);
            }
        }),
        (DIFFERENCE, 16) => rows.chunks_exact_mut(row_bytes).for_each(|row| {
            sum_up(row, num_samples, |last: [u8; 2], here| {
                let sum = order.u16(last).wrapping_add(order.u16(here));
                if order == ByteOrder::Little {
                    sum.to_le_bytes()
                } else {
                    sum.to_be_bytes()
                }
            });
        }),
        (DIFFERENCE, 32) => rows.chunks_exact_mut(row_bytes).for_each(|row| {
            sum_up(row, num_samples, |last: [u8; 4], here| {
                let sum = order.u32(last).wrapping_add(order.u32(here));
                if order == ByteOrder::Little {
                    sum.to_le_bytes()
                } else {
                    sum.to_be_bytes()
                }
            });
        }),
        (DIFFERENCE, 64) => rows.chunks_exact_mut(row_bytes).for_each(|row| {
            sum_up(row, num_samples, |last: [u8; 8], here| {
                let sum = order.u64(last).wrapping_add(order.u64(here));
                if order == ByteOrder::Little {
                    sum.to_le_bytes()
                } else {
                    sum.to_be_bytes()
                }
            });
        }),
        (FRACTION_BYTES, 16 | 32 | 64) if page.format == SampleFormat::Fraction => {
            let size = page.bits as usize / 8;
            for row in rows.chunks_exact_mut(row_bytes) {
                for index in num_samples..row.len() {
                    row[index] = row[index].wrapping_add(row[index - num_samples]);
                }
                let planes = row.to_vec();
                let count = row.len() / size;
                for (index, number) in row.chunks_exact_mut(size).enumerate() {
                    for (place, byte) in number.iter_mut().enumerate() {
                        *byte = planes[place * count + index];
                    }
                }
            }
            return Ok(ByteOrder::Big);
        }
        (DIFFERENCE | FRACTION_BYTES, bits) => {
            return Err(DecodeError::unsupported(format!(
                "TIFF pictures with predictor {} and {bits} bits a sample",
                page.predictor
            )));
        }
        _ => {}
    }
    Ok(order)
}

fn sum_up<const N: usize>(row: &mut [u8], num_samples: usize, sum: impl Fn([u8; N], [u8; N]) -> [u8; N]) {
    let (numbers, _) = row.as_chunks_mut::<N>();
    for index in num_samples..numbers.len() {
        numbers[index] = sum(numbers[index - num_samples], numbers[index]);
    }
}

/// The samples of a whole picture, in the narrowest form that holds them.
pub(super) fn empty(page: &Page<'_>, count: usize) -> Samples {
    match (page.format, page.bits) {
        // Signed bytes are taken for bytes, as in Pillow.
        (SampleFormat::Unsigned | SampleFormat::Signed, ..=8) => Samples::Bytes(vec![0; count]),
        (SampleFormat::Unsigned, ..=16) => Samples::Words(vec![0; count]),
        (format, _) => Samples::Numbers {
            values: vec![0.0; count],
            is_fraction: format == SampleFormat::Fraction,
        },
    }
}

/// Where samples of a row go: every `step`th place from `start` on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub start: usize,
    pub step: usize,
}

/// Takes every `num_samples`th sample of a row, from the one numbered `which` on, at most `count` of them.
pub(super) fn take_row(
    page: &Page<'_>,
    order: ByteOrder,
    row: &[u8],
    (which, num_samples): (usize, usize),
    count: usize,
    samples: &mut Samples,
    target: Target,
) {
    let Target { start, step } = target;
    match samples {
        Samples::Bytes(bytes) => {
            let places = bytes[start..].iter_mut().step_by(step).take(count);
            if page.bits == 8 {
                let stored = row.iter().skip(which).step_by(num_samples);
                places.zip(stored).for_each(|(place, &sample)| *place = sample);
            } else {
                let scale = stretch(page);
                for (index, place) in places.enumerate() {
                    *place = (bits_at(row, index * num_samples + which, page.bits) * scale / SCALE) as u8;
                }
            }
        }
        Samples::Words(words) => {
            let places = words[start..].iter_mut().step_by(step).take(count);
            for (index, place) in places.enumerate() {
                let index = index * num_samples + which;
                *place = match page.bits {
                    16 => number(row, index).map_or(0, |bytes| order.u16(bytes)),
                    bits => bits_at(row, index, bits) as u16,
                };
            }
        }
        Samples::Numbers { values, .. } => {
            let places = values[start..].iter_mut().step_by(step).take(count);
            for (index, place) in places.enumerate() {
                *place = value(page, order, row, index * num_samples + which);
            }
        }
    }
}

/// Samples of few bits are stretched to 0 to 255, in fixed-point numbers; indices of a palette are not.
const SCALE: u64 = 1 << 16;

fn stretch(page: &Page<'_>) -> u64 {
    match page.photometric {
        super::page::Photometric::Palette => SCALE,
        // Rounded up, so that the quotients of whole numbers come out whole.
        _ => (255 * SCALE).div_ceil((1 << page.bits) - 1),
    }
}

/// A number of up to 32 bits in a stream of bits, the highest first.
fn bits_at(row: &[u8], index: usize, bits: u32) -> u64 {
    let first = index * bits as usize;
    let last = first + bits as usize - 1;
    let bytes = row.get(first / 8..=last / 8).unwrap_or_default();
    let together = bytes.iter().fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte));
    (together >> (7 - last % 8)) & ((1 << bits) - 1)
}

fn number<const N: usize>(row: &[u8], index: usize) -> Option<[u8; N]> {
    row.as_chunks::<N>().0.get(index).copied()
}

fn value(page: &Page<'_>, order: ByteOrder, row: &[u8], index: usize) -> f32 {
    let value = match (page.format, page.bits) {
        (SampleFormat::Unsigned, 32) => number(row, index).map(|bytes| order.u32(bytes) as f32),
        (SampleFormat::Unsigned, 24) => number(row, index).map(|[a, b, c]| match order {
            ByteOrder::Little => u32::from_le_bytes([a, b, c, 0]) as f32,
            ByteOrder::Big => u32::from_be_bytes([0, a, b, c]) as f32,
        }),
        (SampleFormat::Unsigned, bits) => Some(bits_at(row, index, bits) as f32),
        (SampleFormat::Signed, 16) => number(row, index).map(|bytes| order.u16(bytes).cast_signed().into()),
        (SampleFormat::Signed, _) => number(row, index).map(|bytes| order.u32(bytes).cast_signed() as f32),
        (SampleFormat::Fraction, 16) => number(row, index).map(|bytes| half_to_single(order.u16(bytes))),
        (SampleFormat::Fraction, 32) => number(row, index).map(|bytes| f32::from_bits(order.u32(bytes))),
        (SampleFormat::Fraction, _) => {
            number(row, index).map(|bytes| f64::from_bits(order.u64(bytes)) as f32)
        }
    };
    value.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_found_across_bytes() {
        let row = [0b1010_0111, 0b0001_1111, 0xff];
        assert_eq!(bits_at(&row, 0, 1), 1);
        assert_eq!(bits_at(&row, 1, 4), 0b0111);
        assert_eq!(bits_at(&row, 0, 12), 0b1010_0111_0001);
        assert_eq!(bits_at(&row, 1, 12), 0xfff);
        assert_eq!(bits_at(&row, 9, 12), 0);
    }
}
