//! Pillow's resizing, exactly: the same fixed-point weights, the same order of passes, the same rounding between them.
//!
//! A classifier's confidence moves by a percent or two where single bytes differ by one, so "nearly Pillow" is not
//! enough to reproduce what a model gives in Python. The algorithm is that of Pillow's `Image.resize` (its
//! `ImagingResample`): a separable filter, widened when it reduces, with weights of 22 fractional bits.

use super::filter::Filter;

/// The fractional bits of a weight; 8 more for the byte, and 2 so that overshooting sums fit into 32 bits.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// The bytes of a pixel.
const CHANNELS: usize = 3;

/// The input pixels that make up one output pixel of a line, and their weights.
struct Window {
    first: usize,
    weights: Vec<i32>,
}

/// Resizes pixels of three bytes from `[height, width]` to `[height, width]`: lines first, then columns. A side that
/// keeps its length is left alone.
pub(super) fn resample(pixels: &[u8], from: [usize; 2], to: [usize; 2], filter: Filter) -> Vec<u8> {
    if from[1] == to[1] {
        return columns(pixels, from, to[0], filter);
    }
    let narrowed = lines(pixels, from, to[1], filter);
    if from[0] == to[0] {
        narrowed
    } else {
        columns(&narrowed, [from[0], to[1]], to[0], filter)
    }
}

/// Changes the width of every line.
fn lines(pixels: &[u8], [height, width]: [usize; 2], to: usize, filter: Filter) -> Vec<u8> {
    let windows = windows(width, to, filter);
    let mut output = Vec::with_capacity(height * to * CHANNELS);
    for line in pixels.chunks_exact(width * CHANNELS) {
        for window in &windows {
            let mut sums = [1i32 << (PRECISION_BITS - 1); CHANNELS];
            let inputs = line[window.first * CHANNELS..].chunks_exact(CHANNELS);
            for (pixel, weight) in inputs.zip(&window.weights) {
                for (sum, &byte) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(byte) * weight;
                }
            }
            output.extend(sums.map(byte));
        }
    }
    output
}

/// Changes the number of lines.
fn columns(pixels: &[u8], [height, width]: [usize; 2], to: usize, filter: Filter) -> Vec<u8> {
    let stride = width * CHANNELS;
    let mut output = Vec::with_capacity(to * stride);
    let mut sums = vec![0i32; stride];
    for window in windows(height, to, filter) {
        sums.fill(1 << (PRECISION_BITS - 1));
        let inputs = pixels[window.first * stride..].chunks_exact(stride);
        for (line, &weight) in inputs.zip(&window.weights) {
            for (sum, &byte) in sums.iter_mut().zip(line) {
                *sum += i32::from(byte) * weight;
            }
        }
        output.extend(sums.iter().map(|&sum| byte(sum)));
    }
    output
}

/// A sum of weighted bytes as a byte; filters that overshoot are cut off at both ends.
fn byte(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

/// What each of `to` output pixels is made of, out of `from` input pixels.
fn windows(from: usize, to: usize, filter: Filter) -> Vec<Window> {
    let scale = from as f64 / to as f64;
    let widening = scale.max(1.0);
    let (support, narrowing) = (filter.support() * widening, 1.0 / widening);
    let window = |place: usize| {
        if filter == Filter::Nearest {
            let nearest = ((place as f64 + 0.5) * scale) as usize;
            return Window {
                first: nearest.min(from - 1),
                weights: vec![1 << PRECISION_BITS],
            };
        }
        let center = (place as f64 + 0.5) * scale;
        // Conversion to an integer cuts off the fraction, as it does in C.
        let first = (center - support + 0.5).max(0.0) as usize;
        let end = ((center + support + 0.5) as usize).min(from);
        let weights: Vec<f64> = (first..end)
            .map(|input| filter.weight((input as f64 - center + 0.5) * narrowing))
            .collect();
        let sum: f64 = weights.iter().sum();
        let fixed = |weight: f64| {
            let weight = if sum == 0.0 { weight } else { weight / sum };
            let scaled = weight * f64::from(1u32 << PRECISION_BITS);
            (scaled + 0.5f64.copysign(scaled)) as i32
        };
        Window {
            first,
            weights: weights.into_iter().map(fixed).collect(),
        }
    };
    (0..to).map(window).collect()
}
