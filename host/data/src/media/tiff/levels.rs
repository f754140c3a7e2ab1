//! Smaller versions of a picture that its file has itself: a pyramid, as maps and microscopes write it, by GDAL, libvips,
//! tifffile, Aperio and OME.
//!
//! They lie in directories that the picture's own names (`SubIFDs`), or in those behind it. There, a version says that it is
//! one (`NewSubfileType`), or is tiled and of the same form; pages, labels and overviews of slides are neither.

use super::page::Page;
use crate::media::ifd::{Directory, Structure};

mod tag {
    pub const NEW_SUBFILE_TYPE: u16 = 254;
    pub const SUB_IFDS: u16 = 330;
}

/// The bit of `NewSubfileType` that says that a version is a smaller one.
const IS_REDUCED: u64 = 1;

/// No pyramid has more.
const MOST_LEVELS: usize = 64;

/// The greatest version of `page`, whose directory is given, that has at most so many pixels.
pub(super) fn largest<'a>(page: &Page<'a>, directory: &Directory<'a>, max_pixels: u64) -> Option<Page<'a>> {
    let structure = page.structure;
    let below = directory.entry(tag::SUB_IFDS).into_iter();
    let below = below.flat_map(|entry| entry.unsigned().flatten().take(MOST_LEVELS));
    let below = below.filter_map(|offset| read(structure, &structure.directory(offset)?, true));
    let behind = Behind {
        structure,
        next: directory.next(),
    };
    let behind = behind
        .take(MOST_LEVELS)
        .filter_map(|directory| read(structure, &directory, false));
    below
        .chain(behind)
        .filter(|level| level.num_pixels() <= max_pixels && is_smaller(level, page))
        .max_by_key(Page::num_pixels)
}

/// The directories behind one.
struct Behind<'a> {
    structure: Structure<'a>,
    next: Option<u64>,
}

impl<'a> Iterator for Behind<'a> {
    type Item = Directory<'a>;

    fn next(&mut self) -> Option<Directory<'a>> {
        let directory = self.structure.directory(self.next?)?;
        self.next = directory.next();
        Some(directory)
    }
}

/// The picture of a directory, where that may be a version of another one. One that cannot be read is none.
fn read<'a>(structure: Structure<'a>, directory: &Directory<'a>, is_below: bool) -> Option<Page<'a>> {
    let kind = directory
        .entry(tag::NEW_SUBFILE_TYPE)
        .and_then(|entry| entry.first_unsigned())
        .unwrap_or(0);
    let page = Page::read(structure, directory).ok()?;
    // Other bits are those of masks and of pages.
    let is_level = match kind {
        0 => is_below || page.is_tiled,
        kind => kind == IS_REDUCED,
    };
    is_level.then_some(page)
}

/// Whether `level` has the form of `page`, each side of it a whole part of the other's, up to a pixel.
fn is_smaller(level: &Page<'_>, page: &Page<'_>) -> bool {
    let sides = [(level.width, page.width), (level.height, page.height)];
    let scale = f64::from(page.width) / f64::from(level.width);
    let is_scaled = |(small, large): (u32, u32)| (f64::from(large) / scale - f64::from(small)).abs() <= 1.5;
    scale >= 1.5 && sides.into_iter().all(is_scaled)
}
