//! YCbCr that is not compressed by JPEG: blocks of light with one colour each. TIFF 6.0, section 21; the numbers are
//! libtiff's, in fixed-point arithmetic of 16 bits.

use super::page::Page;

/// The shares of red, green and blue in light (ITU-R BT.601).
const COEFFICIENTS: [f32; 3] = [0.299, 0.587, 0.114];
/// The samples that stand for black and for white, of light and of both colours.
const REFERENCE: [f32; 6] = [0.0, 255.0, 128.0, 255.0, 128.0, 255.0];

const ONE: f32 = 65536.0;
const HALF: i32 = 1 << 15;

/// How many bytes a strip or tile of this size has.
pub(super) fn length(page: &Page<'_>, width: u32, height: u32) -> usize {
    let (across, down) = page.subsampling;
    let blocks = width.div_ceil(across) as usize * height.div_ceil(down) as usize;
    blocks.saturating_mul(across as usize * down as usize + 2)
}

/// Turns a strip or tile into RGB, row by row.
pub(super) fn to_rgb(page: &Page<'_>, data: &[u8], width: u32, height: u32) -> Vec<u8> {
    let (across, down) = (page.subsampling.0 as usize, page.subsampling.1 as usize);
    let (width, height) = (width as usize, height as usize);
    let converter = Converter::new(page);
    let block_size = across * down + 2;
    let blocks_a_row = width.div_ceil(across);
    let mut rgb = vec![0; width * height * 3];
    for (index, block) in data.chunks_exact(block_size).enumerate() {
        let (left, top) = (index % blocks_a_row * across, index / blocks_a_row * down);
        let colors = [block[block_size - 2], block[block_size - 1]];
        for (place, &light) in block[..block_size - 2].iter().enumerate() {
            let (x, y) = (left + place % across, top + place / across);
            if x < width && y < height {
                let start = (y * width + x) * 3;
                rgb[start..start + 3].copy_from_slice(&converter.rgb(light, colors));
            }
        }
    }
    rgb
}

/// What each sample adds to each colour.
struct Converter {
    light: [i32; 256],
    blue_to_blue: [i32; 256],
    blue_to_green: [i32; 256],
    red_to_red: [i32; 256],
    red_to_green: [i32; 256],
}

impl Converter {
    fn new(page: &Page<'_>) -> Self {
        let [red, green, blue] = page
            .coefficients
            .filter(|[_, green, _]| *green != 0.0)
            .unwrap_or(COEFFICIENTS);
        let reference = page.reference_black_white.unwrap_or(REFERENCE);
        let fixed = |value: f32| (value.clamp(0.0, 2.0) * ONE + 0.5) as i32;
        let (red_share, blue_share) = (2.0 - 2.0 * red, 2.0 - 2.0 * blue);
        let (to_red, to_blue) = (fixed(red_share), fixed(blue_share));
        let red_from_green = -fixed(red * red_share / green);
        let blue_from_green = -fixed(blue * blue_share / green);
        // A sample between its black and its white, stretched to a range; far beyond, it is cut.
        let scaled = |sample: i32, black: f32, white: f32, range: f32| {
            let width = match white - black {
                0.0 => 1.0,
                width => width,
            };
            ((sample as f32 - black.trunc()) * range / width).clamp(-4096.0, 4096.0) as i32
        };
        let color = |index: usize, place: usize| {
            let [black, white] = [reference[place] - 128.0, reference[place + 1] - 128.0];
            scaled(index as i32 - 128, black, white, 127.0)
        };
        Self {
            light: std::array::from_fn(|index| scaled(index as i32, reference[0], reference[1], 255.0)),
            blue_to_blue: std::array::from_fn(|index| (to_blue * color(index, 2) + HALF) >> 16),
            blue_to_green: std::array::from_fn(|index| blue_from_green * color(index, 2) + HALF),
            red_to_red: std::array::from_fn(|index| (to_red * color(index, 4) + HALF) >> 16),
            red_to_green: std::array::from_fn(|index| red_from_green * color(index, 4)),
        }
    }

    fn rgb(&self, light: u8, [blue, red]: [u8; 2]) -> [u8; 3] {
        let light = self.light[usize::from(light)];
        let (blue, red) = (usize::from(blue), usize::from(red));
        let green = self.blue_to_green[blue].wrapping_add(self.red_to_green[red]) >> 16;
        [
            light + self.red_to_red[red],
            light + green,
            light + self.blue_to_blue[blue],
        ]
        .map(|color| color.clamp(0, 255) as u8)
    }
}
