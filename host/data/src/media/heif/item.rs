//! Which coded pictures an item is made of.

use super::{
    boxes::{Fault, Name, Reader, text},
    color::Cicp,
    meta::Meta,
    property::Properties,
    stream::Coding,
    transform::Transform,
};

/// How often a picture may be another one, derived from it without a change.
const MOST_STEPS: usize = 8;

/// A picture of a file.
#[derive(Debug)]
pub(super) struct Item {
    /// Columns and rows as they are stored, at least 1 each.
    pub size: (u32, u32),
    pub source: Source,
    pub num_colors: u8,
    /// What its numbers mean, where the file says so.
    pub color: Option<Cicp>,
    /// What is to be done to it, in this order.
    pub transforms: Vec<Transform>,
}

/// What a picture is made of.
#[derive(Debug)]
pub(super) enum Source {
    /// The data of an item.
    Coded(Coding, u32),
    /// Pictures of one size beside and below each other, row by row.
    Grid {
        coding: Coding,
        columns: u32,
        /// Columns and rows of a tile.
        tile: (u32, u32),
        tiles: Vec<u32>,
    },
}

impl Source {
    pub fn coding(&self) -> Coding {
        match self {
            Self::Coded(coding, _) | Self::Grid { coding, .. } => *coding,
        }
    }

    /// The coded items of which it is made.
    pub fn coded_items(&self) -> &[u32] {
        match self {
            Self::Coded(_, id) => std::slice::from_ref(id),
            Self::Grid { tiles, .. } => tiles,
        }
    }
}

impl Item {
    /// Reads about an item, without its coded data.
    pub fn of(meta: &Meta<'_>, mut id: u32) -> Result<Self, Fault> {
        // What the item that is derived is to be turned by comes after what the one that it is made of is.
        let mut after = Vec::new();
        for _ in 0..MOST_STEPS {
            let properties = Properties::of(meta, id)?;
            match (&meta.kind(id)?, meta.referred(id, b"dimg")) {
                (b"iden", &[source]) => {
                    after.splice(0..0, properties.transforms);
                    id = source;
                }
                (b"iden", _) => return Err(Fault::corrupt("a picture is derived from none")),
                (kind, _) => {
                    let mut item = Self::of_kind(meta, id, *kind, properties)?;
                    item.transforms.append(&mut after);
                    return Ok(item);
                }
            }
        }
        Err(Fault::corrupt("a picture is derived from itself"))
    }

    fn of_kind(meta: &Meta<'_>, id: u32, kind: Name, properties: Properties<'_>) -> Result<Self, Fault> {
        if kind == *b"grid" {
            return Self::grid(meta, id, properties);
        }
        let coding = coding(kind)?;
        let size = properties.size.filter(|&(width, height)| width > 0 && height > 0);
        let size = size.ok_or(Fault::corrupt("a picture has no size"))?;
        let (Some(_), Some(num_colors)) = (properties.configuration, properties.num_colors) else {
            return Err(Fault::corrupt("it does not say how a picture is coded"));
        };
        Ok(Self {
            size,
            source: Source::Coded(coding, id),
            num_colors,
            color: properties.color,
            transforms: properties.transforms,
        })
    }

    /// ISO/IEC 23008-12, 6.6.2.3.
    fn grid(meta: &Meta<'_>, id: u32, properties: Properties<'_>) -> Result<Self, Fault> {
        let data = meta.data(id)?;
        let mut reader = Reader(&data);
        let [_version, flags, rows, columns] = [reader.u8()?, reader.u8()?, reader.u8()?, reader.u8()?];
        let (rows, columns) = (u32::from(rows) + 1, u32::from(columns) + 1);
        let mut side = || reader.item(flags & 1 != 0);
        let (width, height) = (side()?, side()?);
        let tiles = meta.referred(id, b"dimg");
        if tiles.len() as u64 != u64::from(rows) * u64::from(columns) {
            let (found, message) = (tiles.len(), format!("a grid of {columns}x{rows} has"));
            return Err(Fault::corrupt(format!("{message} {found} tiles")));
        }
        let first = Self::tile(meta, tiles[0])?;
        let Source::Coded(coding, _) = first.source else {
            return Err(Fault::Unsupported("that are grids of grids".to_owned()));
        };
        let (tile_width, tile_height) = first.size;
        // Every tile shows something, and there are enough.
        let is_covered = |whole: u32, tile: u32, count: u32| {
            let (whole, tile, count) = (u64::from(whole), u64::from(tile), u64::from(count));
            whole > tile * (count - 1) && whole <= tile * count
        };
        if !is_covered(width, tile_width, columns) || !is_covered(height, tile_height, rows) {
            return Err(Fault::corrupt(format!(
                "{columns}x{rows} tiles of {tile_width}x{tile_height} pixels do not make {width}x{height}"
            )));
        }
        Ok(Self {
            size: (width, height),
            source: Source::Grid {
                coding,
                columns,
                tile: first.size,
                tiles: tiles.to_vec(),
            },
            num_colors: first.num_colors,
            color: properties.color.or(first.color),
            transforms: properties.transforms,
        })
    }

    /// Reads about a part of a grid.
    fn tile(meta: &Meta<'_>, id: u32) -> Result<Self, Fault> {
        let kind = meta.kind(id)?;
        if kind == *b"grid" {
            return Err(Fault::Unsupported("that are grids of grids".to_owned()));
        }
        let tile = Self::of_kind(meta, id, kind, Properties::of(meta, id)?)?;
        match tile.transforms.is_empty() {
            true => Ok(tile),
            false => Err(Fault::Unsupported("whose tiles are turned or cut".to_owned())),
        }
    }
}

fn coding(kind: Name) -> Result<Coding, Fault> {
    let other = match &kind {
        b"hvc1" | b"hev1" => return Ok(Coding::Hevc),
        b"av01" => return Ok(Coding::Av1),
        b"avc1" => "coded in H.264",
        b"vvc1" => "coded in H.266",
        b"jpeg" => "coded in JPEG",
        b"j2k1" => "coded in JPEG 2000",
        b"unci" => "that are not compressed",
        b"iovl" => "that are laid over each other",
        _ => return Err(Fault::Unsupported(format!("of the kind `{}`", text(kind)))),
    };
    Err(Fault::Unsupported(other.to_owned()))
}

/// The item with a picture's alpha, if there is one, and whether colours are multiplied by it. Others (depth, gain) are
/// not understood, and need not be.
pub(super) fn alpha(meta: &Meta<'_>, picture: u32) -> Option<(u32, bool)> {
    let mut auxiliary = meta.referring(picture, b"auxl");
    let id = auxiliary.find(|&id| Properties::of(meta, id).is_ok_and(|properties| properties.is_alpha))?;
    Some((id, meta.referred(picture, b"prem").contains(&id)))
}
