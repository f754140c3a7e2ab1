//! What a file says about its items: their kinds, where their data lie, how they belong together, and what is true of
//! them (ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12, 9.3).

use super::boxes::{Fault, IsoBox, Name, Reader, boxes};
use std::{borrow::Cow, collections::BTreeMap};

/// A file's items.
#[derive(Debug, Default)]
pub(super) struct Meta<'a> {
    file: &'a [u8],
    /// The item that is the picture.
    pub primary: u32,
    kinds: BTreeMap<u32, Name>,
    locations: BTreeMap<u32, Location<'a>>,
    /// To which items an item refers, by how it does.
    references: BTreeMap<(u32, Name), Vec<u32>>,
    properties: Vec<IsoBox<'a>>,
    /// Which properties an item has, by their place, and whether who does not know one may not show the item.
    associations: BTreeMap<u32, Vec<(usize, bool)>>,
    data: &'a [u8],
}

/// Where an item's data lie. The extents are read when they are wanted: a table may promise more of them than can be gone
/// through, in no bytes at all.
#[derive(Clone, Copy, Debug)]
struct Location<'a> {
    construction: u8,
    is_elsewhere: bool,
    base: u64,
    count: u16,
    extents: Reader<'a>,
    sizes: Sizes,
}

/// How many bytes the numbers of a table have.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    index: usize,
    offset: usize,
    length: usize,
    base: usize,
}

/// More items than the largest grid has tiles, twice over; a file with more of them is made to fill memory.
const MOST_ITEMS: usize = 1 << 17;

impl<'a> Meta<'a> {
    /// Reads the first box `meta` of a file.
    pub fn read(file: &'a [u8]) -> Result<Self, Fault> {
        let mut is_sequence = false;
        for found in boxes(file) {
            match &found.name {
                b"meta" if found.is_cut => return Err(Fault::Truncated),
                b"meta" => return Self::of_box(file, found.content),
                b"moov" => is_sequence = true,
                _ if found.is_cut && !is_sequence => return Err(Fault::Truncated),
                _ => {}
            }
        }
        Err(match is_sequence {
            true => Fault::Unsupported("that are sequences without a still picture".to_owned()),
            false => Fault::corrupt("it has no box `meta`"),
        })
    }

    fn of_box(file: &'a [u8], content: &'a [u8]) -> Result<Self, Fault> {
        let mut meta = Self {
            file,
            ..Self::default()
        };
        let mut reader = Reader(content);
        reader.version_and_flags()?;
        let mut primary = None;
        for found in boxes(reader.0) {
            if found.is_cut {
                return Err(Fault::corrupt("a box is longer than the one that it is in"));
            }
            let mut reader = Reader(found.content);
            match &found.name {
                b"pitm" => primary = Some(primary_item(&mut reader)?),
                b"iinf" => meta.read_kinds(&mut reader)?,
                b"iloc" => meta.read_locations(&mut reader)?,
                b"iref" => meta.read_references(&mut reader)?,
                b"iprp" => meta.read_properties(found.content)?,
                b"idat" => meta.data = found.content,
                _ => {}
            }
        }
        let counts = [
            meta.kinds.len(),
            meta.locations.len(),
            meta.associations.len(),
            meta.references.len(),
        ];
        if counts.iter().any(|&count| count > MOST_ITEMS) {
            return Err(Fault::corrupt("it has too many items"));
        }
        meta.primary = primary.ok_or(Fault::corrupt("it does not say which item is the picture"))?;
        Ok(meta)
    }

    fn read_kinds(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        let (version, _) = reader.version_and_flags()?;
        // The entries are boxes, which count themselves.
        reader.item(version > 0)?;
        for entry in boxes(reader.0).filter(|entry| &entry.name == b"infe") {
            let mut reader = Reader(entry.content);
            let (version, _) = reader.version_and_flags()?;
            // Older ones have media types instead of kinds, and no pictures.
            if version >= 2 {
                let item = reader.item(version > 2)?;
                let _protection = reader.u16()?;
                self.kinds.insert(item, reader.name()?);
            }
        }
        Ok(())
    }

    fn read_locations(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        let (version, _) = reader.version_and_flags()?;
        let [first, second] = reader.u16()?.to_be_bytes();
        let sizes = Sizes {
            offset: usize::from(first >> 4),
            length: usize::from(first & 15),
            base: usize::from(second >> 4),
            index: if version > 0 { usize::from(second & 15) } else { 0 },
        };
        let all = [sizes.offset, sizes.length, sizes.base, sizes.index];
        if version > 2 || all.iter().any(|size| ![0, 4, 8].contains(size)) {
            return Err(Fault::corrupt(
                "the table of its items' places is of no known kind",
            ));
        }
        let count = reader.item(version > 1)?;
        for _ in 0..count {
            let item = reader.item(version > 1)?;
            let construction = if version > 0 { reader.u16()? as u8 & 15 } else { 0 };
            let is_elsewhere = reader.u16()? != 0;
            let base = reader.number(sizes.base)?;
            let count = reader.u16()?;
            let extent = sizes.index + sizes.offset + sizes.length;
            let location = Location {
                construction,
                is_elsewhere,
                base,
                count,
                extents: Reader(reader.take(usize::from(count) * extent)?),
                sizes,
            };
            self.locations.insert(item, location);
        }
        Ok(())
    }

    fn read_references(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        let (version, _) = reader.version_and_flags()?;
        for found in boxes(reader.0) {
            let mut reader = Reader(found.content);
            let from = reader.item(version > 0)?;
            let count = reader.u16()?;
            let to = (0..count)
                .map(|_| reader.item(version > 0))
                .collect::<Result<_, _>>()?;
            self.references.entry((from, found.name)).or_insert(to);
        }
        Ok(())
    }

    fn read_properties(&mut self, content: &'a [u8]) -> Result<(), Fault> {
        for found in boxes(content) {
            match &found.name {
                b"ipco" => self.properties = boxes(found.content).collect(),
                b"ipma" => self.read_associations(&mut Reader(found.content))?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_associations(&mut self, reader: &mut Reader<'a>) -> Result<(), Fault> {
        let (version, flags) = reader.version_and_flags()?;
        let bytes = if flags & 1 == 0 { 1 } else { 2 };
        let essential = 0x80 << (8 * (bytes - 1));
        let count = reader.u32()?;
        for _ in 0..count {
            let item = reader.item(version > 0)?;
            let places = (0..reader.u8()?).map(|_| reader.number(bytes));
            let properties = places.map(|place| {
                let place = place?;
                Ok(((place & (essential - 1)) as usize, place & essential != 0))
            });
            let properties = properties.collect::<Result<Vec<_>, Fault>>()?;
            // An item has one entry.
            self.associations.entry(item).or_insert(properties);
        }
        Ok(())
    }

    /// How long the file is.
    pub fn size_bytes(&self) -> usize {
        self.file.len()
    }

    /// What kind of item it is.
    pub fn kind(&self, item: u32) -> Result<Name, Fault> {
        let kind = self.kinds.get(&item).copied();
        kind.ok_or_else(|| Fault::corrupt(format!("there is no item {item}")))
    }

    /// The properties of an item in their order, with whether who does not know one may not show the item.
    pub fn properties(&self, item: u32) -> impl Iterator<Item = (IsoBox<'a>, bool)> {
        let places = self.associations.get(&item).into_iter().flatten();
        // They are counted from 1, and 0 is none.
        places.filter_map(|&(place, is_essential)| {
            let property = self.properties.get(place.checked_sub(1)?)?;
            Some((*property, is_essential))
        })
    }

    /// The items that one refers to in this way.
    pub fn referred(&self, from: u32, kind: &Name) -> &[u32] {
        self.references.get(&(from, *kind)).map_or(&[], Vec::as_slice)
    }

    /// The items that refer to one in this way.
    pub fn referring(&self, to: u32, kind: &Name) -> impl Iterator<Item = u32> {
        let found = self.references.iter();
        found
            .filter(move |((_, one), items)| one == kind && items.contains(&to))
            .map(|((from, _), _)| *from)
    }

    /// An item's data.
    pub fn data(&self, item: u32) -> Result<Cow<'a, [u8]>, Fault> {
        let location = self.locations.get(&item);
        let location = location.ok_or_else(|| Fault::corrupt(format!("item {item} is nowhere")))?;
        if location.is_elsewhere {
            return Err(Fault::Unsupported("whose data lie in another file".to_owned()));
        }
        let container = match location.construction {
            0 => self.file,
            1 => self.data,
            _ => return Err(Fault::Unsupported("whose items are parts of items".to_owned())),
        };
        location.data(container)
    }
}

impl<'a> Location<'a> {
    fn data(&self, container: &'a [u8]) -> Result<Cow<'a, [u8]>, Fault> {
        let mut extents = self.extents;
        let mut data = Cow::Borrowed(&[][..]);
        for _ in 0..self.count {
            extents.take(self.sizes.index)?;
            let offset = extents.number(self.sizes.offset)?;
            let length = extents.number(self.sizes.length)?;
            let start = usize::try_from(self.base.saturating_add(offset)).unwrap_or(usize::MAX);
            let rest = container.get(start..).ok_or(Fault::Truncated)?;
            let extent = match usize::try_from(length).unwrap_or(usize::MAX) {
                // Up to the end.
                0 => rest,
                length => rest.get(..length).ok_or(Fault::Truncated)?,
            };
            if data.len() + extent.len() > container.len() {
                return Err(Fault::corrupt("the parts of an item overlap"));
            }
            match data.is_empty() {
                true => data = Cow::Borrowed(extent),
                false => data.to_mut().extend_from_slice(extent),
            }
        }
        match data.is_empty() {
            true => Err(Fault::corrupt("an item has no data")),
            false => Ok(data),
        }
    }
}

fn primary_item(reader: &mut Reader<'_>) -> Result<u32, Fault> {
    let (version, _) = reader.version_and_flags()?;
    reader.item(version > 0)
}
