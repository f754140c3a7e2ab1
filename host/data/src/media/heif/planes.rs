//! Decoded pictures as a decoder gives them: a plane of light, and two of colour that may be smaller.

use super::{
    boxes::Fault,
    color::{Cicp, Converter, IDENTITY, UNSPECIFIED},
};

/// A decoded picture.
#[derive(Clone, Debug)]
pub(super) struct Planes {
    width: u32,
    height: u32,
    layout: Layout,
    /// One of light, and two of colour where there are some. The second and third byte of a sample of more than 8 bits are
    /// its lower and its higher ones.
    planes: Vec<Vec<u8>>,
    /// What the stream itself says of its numbers.
    pub color: Cicp,
}

/// How the samples of a picture lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub depth: u32,
    /// By how many bits the sides of the planes of colour are shorter, where there are some.
    pub colors: Option<(u32, u32)>,
}

/// How the colours between samples of smaller planes are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upsampling {
    /// As the nearest ones are.
    Nearest,
    /// Between the nearest ones, by distance.
    Bilinear,
}

impl Layout {
    /// Reads FFmpeg's name of an arrangement, and whether it is red, green and blue in disguise.
    fn named(name: &str) -> Option<(Self, bool)> {
        let (kind, depth) = match name.strip_suffix("le") {
            Some(name) => {
                let kind = name.trim_end_matches(|character: char| character.is_ascii_digit());
                (kind, name[kind.len()..].parse().ok()?)
            }
            None => (name, 8),
        };
        let colors = match kind {
            "gray" => None,
            "yuv420p" | "yuvj420p" => Some((1, 1)),
            "yuv422p" | "yuvj422p" => Some((1, 0)),
            "yuv444p" | "yuvj444p" | "gbrp" => Some((0, 0)),
            _ => return None,
        };
        let layout = Self { depth, colors };
        (8..=16).contains(&depth).then_some((layout, kind == "gbrp"))
    }

    fn bytes_per_sample(self) -> usize {
        if self.depth > 8 { 2 } else { 1 }
    }

    /// The size of each plane.
    fn sizes(self, width: u32, height: u32) -> Vec<(usize, usize)> {
        let light = (width as usize, height as usize);
        let color = self.colors.map(|(across, down)| {
            let (across, down) = (1 << across, 1 << down);
            (width.div_ceil(across) as usize, height.div_ceil(down) as usize)
        });
        [Some(light), color, color].into_iter().flatten().collect()
    }
}

impl Planes {
    /// What FFmpeg gave: a picture of an arrangement with a name, whose planes lie one behind the other. What the stream
    /// says of its numbers, FFmpeg names, too.
    pub fn new(
        (width, height): (u32, u32),
        pixel_format: &str,
        (range, matrix): (&str, &str),
        samples: &[u8],
    ) -> Result<Self, Fault> {
        let named = Layout::named(pixel_format);
        let (layout, is_rgb) =
            named.ok_or_else(|| Fault::Unsupported(format!("of the kind `{pixel_format}`")))?;
        let mut rest = samples;
        let planes = layout.sizes(width, height).into_iter().map(|(columns, rows)| {
            let length = columns * rows * layout.bytes_per_sample();
            let (plane, others) = rest.split_at_checked(length)?;
            rest = others;
            Some(plane.to_vec())
        });
        let planes = planes.collect::<Option<Vec<_>>>();
        let planes = planes.filter(|planes| !planes[0].is_empty());
        Ok(Self {
            width,
            height,
            layout,
            planes: planes.ok_or(Fault::corrupt("a decoded picture is cut"))?,
            color: Cicp {
                primaries: UNSPECIFIED,
                matrix: if is_rgb { IDENTITY } else { matrix_named(matrix) },
                is_full_range: range == "pc" || pixel_format.starts_with("yuvj"),
            },
        })
    }

    pub fn layout(&self) -> Layout {
        self.layout
    }

    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// A picture of this size that is like another, and black or worse.
    pub fn like(other: &Self, (width, height): (u32, u32)) -> Self {
        let bytes = other.layout.bytes_per_sample();
        let sizes = other.layout.sizes(width, height).into_iter();
        Self {
            width,
            height,
            layout: other.layout,
            planes: sizes
                .map(|(columns, rows)| vec![0; columns * rows * bytes])
                .collect(),
            color: other.color,
        }
    }

    /// Puts another picture of the same layout into this one; what reaches beyond is cut. Its corner must lie on a sample
    /// of every plane.
    pub fn paste(&mut self, other: &Self, (x, y): (u32, u32)) {
        let bytes = self.layout.bytes_per_sample();
        let (own, others) = (
            self.layout.sizes(self.width, self.height),
            other.layout.sizes(other.width, other.height),
        );
        for (index, (plane, source)) in self.planes.iter_mut().zip(&other.planes).enumerate() {
            let (across, down) = self.layout.colors.filter(|_| index > 0).unwrap_or_default();
            let (left, top) = ((x >> across) as usize, (y >> down) as usize);
            let ((columns, rows), (width, height)) = (own[index], others[index]);
            let length = width.min(columns.saturating_sub(left)) * bytes;
            for row in 0..height.min(rows.saturating_sub(top)) {
                let to = ((top + row) * columns + left) * bytes;
                let from = row * width * bytes;
                plane[to..to + length].copy_from_slice(&source[from..from + length]);
            }
        }
    }

    /// The upper 8 bits of every sample.
    pub fn in_bytes(self) -> Self {
        let depth = self.layout.depth;
        if depth == 8 {
            return self;
        }
        let upper = |plane: Vec<u8>| -> Vec<u8> {
            let pairs = plane.as_chunks().0.iter();
            pairs
                .map(|&pair| (u16::from_le_bytes(pair) >> (depth - 8)) as u8)
                .collect()
        };
        Self {
            layout: Layout {
                depth: 8,
                ..self.layout
            },
            planes: self.planes.into_iter().map(upper).collect(),
            ..self
        }
    }

    /// The samples of the first plane, which is all that a plane of alpha has.
    pub fn light(&self) -> impl Iterator<Item = u16> {
        let width = self.width as usize;
        (0..self.height as usize).flat_map(move |row| self.row(0, row, width))
    }

    /// The pixels, one behind the other: three values each, or one where there are no colours.
    pub fn convert(&self, converter: &Converter, upsampling: Upsampling, mut give: impl FnMut(u16)) {
        let width = self.width as usize;
        for y in 0..self.height as usize {
            let light = self.row(0, y, width);
            match self.layout.colors {
                None => light.into_iter().for_each(|light| give(converter.grey(light))),
                Some(shifts) => {
                    let blue = self.color_row(1, y, shifts, upsampling);
                    let red = self.color_row(2, y, shifts, upsampling);
                    for (light, (blue, red)) in light.into_iter().zip(blue.into_iter().zip(red)) {
                        converter.rgb(light, blue, red).into_iter().for_each(&mut give);
                    }
                }
            }
        }
    }

    /// A row of a plane that has so many columns.
    fn row(&self, plane: usize, row: usize, columns: usize) -> Vec<u16> {
        let length = columns * self.layout.bytes_per_sample();
        let bytes = &self.planes[plane][row * length..][..length];
        match self.layout.depth {
            8 => bytes.iter().map(|&byte| byte.into()).collect(),
            _ => bytes
                .as_chunks()
                .0
                .iter()
                .map(|&pair| u16::from_le_bytes(pair))
                .collect(),
        }
    }

    /// The samples of a plane of colour for each pixel of a row.
    fn color_row(
        &self,
        plane: usize,
        y: usize,
        (across, down): (u32, u32),
        upsampling: Upsampling,
    ) -> Vec<u16> {
        let width = self.width as usize;
        let (columns, rows) = self.layout.sizes(self.width, self.height)[plane];
        let near = self.row(plane, y >> down, columns);
        if across == 0 && down == 0 {
            return near;
        }
        if upsampling == Upsampling::Nearest {
            return (0..width).map(|x| near[x >> across]).collect();
        }
        let beside = |place: usize, shift: u32, count: usize| match (shift, place & 1) {
            (0, _) => place,
            (_, 0) => (place >> 1).saturating_sub(1),
            _ => ((place >> 1) + 1).min(count - 1),
        };
        let far = self.row(plane, beside(y, down, rows), columns);
        let between = |x: usize| {
            // At the right end of an odd row libyuv takes the nearest one.
            let other = if x + 1 == width {
                x >> across
            } else {
                beside(x, across, columns)
            };
            let place = x >> across;
            let near = 3 * u32::from(near[place]) + u32::from(near[other]);
            let far = 3 * u32::from(far[place]) + u32::from(far[other]);
            ((3 * near + far + 8) >> 4) as u16
        };
        (0..width).map(between).collect()
    }
}

/// The number that ITU-T H.273 gives to what FFmpeg calls a matrix.
fn matrix_named(name: &str) -> u16 {
    match name {
        "gbr" => IDENTITY,
        "bt709" => 1,
        "fcc" => 4,
        "bt470bg" => 5,
        "smpte170m" => 6,
        "smpte240m" => 7,
        "ycgco" => 8,
        "bt2020nc" => 9,
        "bt2020c" => 10,
        "smpte2085" => 11,
        "chroma-derived-nc" => 12,
        "chroma-derived-c" => 13,
        "ictcp" => 14,
        _ => UNSPECIFIED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::heif::color::Arithmetic;

    fn planes(size: (u32, u32), pixel_format: &str, samples: &[u8]) -> Planes {
        Planes::new(size, pixel_format, ("pc", "gbr"), samples).expect("it is whole")
    }

    /// Red, green and blue of each pixel, as they are.
    fn pixels(planes: &Planes, upsampling: Upsampling) -> Vec<u16> {
        let depth = planes.layout().depth;
        let greatest = ((1_u32 << depth) - 1) as u16;
        let converter =
            Converter::new(planes.color, Arithmetic::Exact, depth, greatest).expect("it is known");
        let mut pixels = Vec::new();
        planes.convert(&converter, upsampling, |value| pixels.push(value));
        pixels
    }

    #[test]
    fn arrangements_have_names() {
        let layout = |depth, colors| Some(Layout { depth, colors });
        let named = |name| Layout::named(name).map(|(layout, _)| layout);
        assert_eq!(named("gray"), layout(8, None));
        assert_eq!(named("gray12le"), layout(12, None));
        assert_eq!(named("yuvj420p"), layout(8, Some((1, 1))));
        assert_eq!(named("yuv422p10le"), layout(10, Some((1, 0))));
        assert_eq!(Layout::named("gbrp10le").map(|(_, is_rgb)| is_rgb), Some(true));
        for name in ["yuv410p", "yuv420p10be", "rgb24", "le", "yuv420p99le", ""] {
            assert_eq!(Layout::named(name), None, "{name}");
        }
    }

    #[test]
    fn planes_lie_behind_each_other() {
        let picture = planes((2, 1), "gbrp", &[1, 2, 3, 4, 5, 6]);
        assert_eq!(pixels(&picture, Upsampling::Nearest), [5, 1, 3, 6, 2, 4]);
        let deep = planes((1, 1), "gbrp10le", &[1, 2, 3, 0, 0, 1]);
        assert_eq!(pixels(&deep, Upsampling::Nearest), [256, 513, 3]);
        assert_eq!(pixels(&deep.in_bytes(), Upsampling::Nearest), [64, 128, 0]);
        let grey = planes((3, 1), "gray", &[7, 8, 9]);
        assert_eq!(pixels(&grey, Upsampling::Bilinear), [7, 8, 9]);
        assert!(Planes::new((2, 1), "gbrp", ("", ""), &[0; 5]).is_err());
        assert!(Planes::new((0, 1), "gbrp", ("", ""), &[]).is_err());
    }

    #[test]
    fn colours_between_samples_are_mixed() {
        // Four columns and three rows of light, two columns and rows of colours.
        let light = [0; 12];
        let picture = planes(
            (4, 3),
            "yuv420p",
            &[&light[..], &[0, 16, 32, 48], &[100; 4]].concat(),
        );
        let blue = |upsampling| -> Vec<u16> {
            let pixels = pixels(&picture, upsampling);
            pixels.into_iter().skip(2).step_by(3).collect()
        };
        assert_eq!(
            blue(Upsampling::Nearest),
            [0, 0, 16, 16, 0, 0, 16, 16, 32, 32, 48, 48]
        );
        assert_eq!(
            blue(Upsampling::Bilinear),
            [0, 4, 12, 16, 8, 12, 20, 24, 24, 28, 36, 40]
        );
        let odd = planes((3, 1), "yuv422p", &[0, 0, 0, 0, 16, 100, 100]);
        let blue: Vec<u16> = pixels(&odd, Upsampling::Bilinear)
            .into_iter()
            .skip(2)
            .step_by(3)
            .collect();
        assert_eq!(blue, [0, 4, 16]);
    }

    #[test]
    fn tiles_are_put_together() {
        let tile = planes((2, 2), "yuv420p", &[1, 2, 3, 4, 50, 60]);
        let mut whole = Planes::like(&tile, (3, 2));
        whole.paste(&tile, (0, 0));
        whole.paste(&tile, (2, 0));
        assert_eq!(whole.planes, [vec![1, 2, 1, 3, 4, 3], vec![50, 50], vec![60, 60]]);
    }
}
