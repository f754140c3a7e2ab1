//! Files that are damaged or made to do harm. None of them reaches a decoder.

use super::Heif;
use crate::media::{DecodeError, Decoder, Rescale};

/// A file that is put together from parts. Item 1 is the picture; all items have the same data, at the end of the file.
struct Parts {
    /// Number, kind, and the places of its properties.
    items: Vec<(u16, [u8; 4], Vec<u8>)>,
    /// Kind, from, to.
    references: Vec<([u8; 4], u16, Vec<u16>)>,
    properties: Vec<Vec<u8>>,
    /// Offset from the data, and length, of each extent of every item.
    extents: Vec<(u32, u32)>,
    /// What lies in the box for small data, which is where a grid looks.
    description: Vec<u8>,
    data: Vec<u8>,
}

fn boxed(name: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [&(content.len() as u32 + 8).to_be_bytes()[..], name, &content].concat()
}

fn size(width: u32, height: u32) -> Vec<u8> {
    boxed(b"ispe", &[&[0; 4], &width.to_be_bytes(), &height.to_be_bytes()])
}

fn configuration() -> Vec<u8> {
    boxed(b"av1C", &[b"\x81\0\0\0"])
}

impl Parts {
    /// A picture of 64 by 64 pixels in one item.
    fn picture() -> Self {
        Self {
            items: vec![(1, *b"av01", vec![1, 2])],
            references: Vec::new(),
            properties: vec![configuration(), size(64, 64)],
            extents: vec![(0, 4)],
            description: Vec::new(),
            data: b"data".to_vec(),
        }
    }

    /// A grid of tiles of 64 by 64 pixels, which are the items 2 and so on.
    fn grid(columns: u8, rows: u8, (width, height): (u16, u16), tiles: &[u16]) -> Self {
        let mut items: Vec<_> = tiles.iter().map(|&id| (id, *b"av01", vec![1, 2])).collect();
        items.dedup();
        items.push((1, *b"grid", vec![]));
        let [width, height] = [width, height].map(u16::to_be_bytes);
        Self {
            items,
            references: vec![(*b"dimg", 1, tiles.to_vec())],
            description: [
                &[0, 0, rows.wrapping_sub(1), columns.wrapping_sub(1)],
                &width[..],
                &height,
            ]
            .concat(),
            ..Self::picture()
        }
    }

    fn file(&self) -> Vec<u8> {
        let meta = |start: u32| {
            let number = |number: u16| number.to_be_bytes();
            let count = self.items.len() as u16;
            let entries = self
                .items
                .iter()
                .map(|(id, kind, _)| boxed(b"infe", &[b"\x02\0\0\0", &number(*id), b"\0\0", kind, b"\0"]));
            let entries = entries.collect::<Vec<_>>().concat();
            let places = self.items.iter().map(|(id, kind, _)| {
                let (how, extents) = match kind == b"grid" {
                    true => (1, vec![(0, self.description.len() as u32)]),
                    false => (
                        0,
                        self.extents
                            .iter()
                            .map(|(at, length)| (start + at, *length))
                            .collect(),
                    ),
                };
                let head = [number(*id), number(how), [0; 2], number(extents.len() as u16)].concat();
                let extents = extents
                    .iter()
                    .map(|(at, length)| [at.to_be_bytes(), length.to_be_bytes()].concat());
                [head, extents.collect::<Vec<_>>().concat()].concat()
            });
            let places = places.collect::<Vec<_>>().concat();
            let references = self.references.iter().map(|(kind, from, to)| {
                let to: Vec<u8> = to.iter().flat_map(|&to| number(to)).collect();
                boxed(kind, &[&number(*from), &number((to.len() / 2) as u16), &to])
            });
            let references = references.collect::<Vec<_>>().concat();
            let owned = self
                .items
                .iter()
                .map(|(id, _, places)| [&number(*id)[..], &[places.len() as u8], places].concat());
            let owned = owned.collect::<Vec<_>>().concat();
            let associations = boxed(b"ipma", &[&[0; 4], &u32::from(count).to_be_bytes(), &owned]);
            let contents = [
                boxed(b"hdlr", &[&[0; 8], b"pict", &[0; 13]]),
                boxed(b"pitm", &[&[0; 4], &number(1)]),
                boxed(b"iinf", &[&[0; 4], &number(count), &entries]),
                boxed(b"iloc", &[b"\x01\0\0\0\x44\0", &number(count), &places]),
                boxed(b"iref", &[&[0; 4], &references]),
                boxed(
                    b"iprp",
                    &[&boxed(b"ipco", &[&self.properties.concat()]), &associations],
                ),
                boxed(b"idat", &[&self.description]),
            ];
            [
                boxed(b"ftyp", &[b"avif\0\0\0\0avifmif1"]),
                boxed(b"meta", &[&[0; 4], &contents.concat()]),
            ]
            .concat()
        };
        let length = meta(0).len() as u32;
        [meta(length + 8), boxed(b"mdat", &[&self.data])].concat()
    }

    /// The size, or what is wrong.
    fn header(&self) -> Result<(u32, u32), String> {
        let facts = Decoder::default().read_metadata_bytes(&self.file());
        facts
            .map(|facts| (facts.width, facts.height))
            .map_err(|error| error.to_string())
    }

    /// What keeps it from being decoded.
    fn refusal(&self) -> String {
        let error = Decoder::default()
            .decode_bytes(&self.file())
            .expect_err("it is no picture");
        error.to_string()
    }
}

#[test]
fn a_file_made_of_parts_has_a_header() {
    assert_eq!(Parts::picture().header(), Ok((64, 64)));
    assert_eq!(Parts::grid(2, 1, (100, 60), &[2, 3]).header(), Ok((100, 60)));
    let mut derived = Parts::picture();
    derived.items = vec![(1, *b"iden", vec![]), (2, *b"av01", vec![1, 2])];
    derived.references = vec![(*b"dimg", 1, vec![2])];
    assert_eq!(derived.header(), Ok((64, 64)));
}

#[test]
fn data_beyond_the_file_are_a_cut_file() {
    for extent in [(0, 5), (4, 1), (1 << 30, 4), (u32::MAX - 10_000, u32::MAX)] {
        let parts = Parts {
            extents: vec![extent],
            ..Parts::picture()
        };
        assert!(
            parts.refusal().contains("before the picture does"),
            "{}",
            parts.refusal()
        );
    }
    let nothing = Parts {
        extents: vec![],
        ..Parts::picture()
    };
    assert_eq!(nothing.refusal(), "the AVIF data is corrupt: an item has no data");
}

#[test]
fn extents_that_overlap_are_not_added_up() {
    for extent in [(0, 1 << 20), (0, 0)] {
        let parts = Parts {
            extents: vec![extent; 1000],
            data: vec![0; 1 << 20],
            ..Parts::picture()
        };
        assert_eq!(
            parts.refusal(),
            "the AVIF data is corrupt: the parts of an item overlap"
        );
    }
}

#[test]
fn items_that_lead_back_to_themselves_end() {
    let mut itself = Parts::picture();
    itself.items = vec![(1, *b"iden", vec![])];
    itself.references = vec![(*b"dimg", 1, vec![1])];
    assert_eq!(
        itself.refusal(),
        "the AVIF data is corrupt: a picture is derived from itself"
    );
    let mut two = Parts::picture();
    two.items = vec![(1, *b"iden", vec![]), (2, *b"iden", vec![])];
    two.references = vec![(*b"dimg", 1, vec![2]), (*b"dimg", 2, vec![1])];
    assert_eq!(
        two.refusal(),
        "the AVIF data is corrupt: a picture is derived from itself"
    );
    let mut grid = Parts::grid(1, 1, (64, 64), &[2]);
    grid.references = vec![(*b"dimg", 1, vec![1])];
    assert!(
        grid.refusal()
            .starts_with("AVIF pictures that are grids of grids are not supported")
    );
    let mut nowhere = Parts::grid(1, 1, (64, 64), &[2]);
    nowhere.references = vec![(*b"dimg", 1, vec![77])];
    assert_eq!(nowhere.refusal(), "the AVIF data is corrupt: there is no item 77");
}

#[test]
fn sizes_are_checked_before_anything_is_decoded() {
    let mut huge = Parts::picture();
    huge.properties[1] = size(u32::MAX, u32::MAX);
    assert!(
        huge.refusal()
            .contains("are more than the limit of 178956970 pixels")
    );
    // Only a pixel of it is shown.
    let part = [1, 1, 1, 1, 0, 1, 0, 1_u32].map(u32::to_be_bytes).concat();
    huge.properties.push(boxed(b"clap", &[&part]));
    huge.items[0].2.push(3);
    assert_eq!(huge.header(), Ok((1, 1)));
    assert!(
        huge.refusal()
            .contains("are more than the limit of 178956970 pixels")
    );
    let mut none = Parts::picture();
    none.properties[1] = size(0, 64);
    assert_eq!(none.refusal(), "the AVIF data is corrupt: a picture has no size");
}

#[test]
fn grids_have_the_tiles_that_they_need() {
    let refusal = |parts: Parts| parts.refusal();
    assert_eq!(
        refusal(Parts::grid(2, 2, (128, 128), &[2, 3])),
        "the AVIF data is corrupt: a grid of 2x2 has 2 tiles"
    );
    for size in [(129, 64), (64, 64), (128, 65)] {
        let message = refusal(Parts::grid(2, 1, size, &[2, 3]));
        assert!(
            message.contains("2x1 tiles of 64x64 pixels do not make"),
            "{message}"
        );
    }
    let most = Parts::grid(0, 0, (16384, 16384), &[2; 65535]);
    assert_eq!(
        refusal(most),
        "the AVIF data is corrupt: a grid of 256x256 has 65535 tiles"
    );
    let mut small = Parts::grid(0, 200, (256 * 64, 200 * 64), &[2; 51200]);
    assert!(small.refusal().contains("are more than the limit"));
    small.properties[1] = size(1, 1);
    assert!(small.refusal().contains("tiles of 1x1 pixels do not make"));
}

#[test]
fn what_is_not_understood_is_named() {
    let mut unknown = Parts::picture();
    unknown.properties.push(boxed(b"abcd", &[]));
    unknown.items[0].2.push(3);
    assert_eq!(unknown.header(), Ok((64, 64)));
    unknown.items[0].2[2] |= 0x80;
    assert!(
        unknown
            .refusal()
            .starts_with("AVIF pictures with the property `abcd` are not supported")
    );
    for (kind, told) in [
        (b"jpeg", "coded in JPEG"),
        (b"avc1", "coded in H.264"),
        (b"a\0\n\xff", r"of the kind `a\x00\n\xff`"),
    ] {
        let mut other = Parts::picture();
        other.items[0].1 = *kind;
        let message = other.refusal();
        assert!(
            message.starts_with(&format!("AVIF pictures {told} are not")),
            "{message}"
        );
    }
    let mut turned = Parts::picture();
    turned.properties.push(boxed(b"irot", &[&[1]]));
    turned.items[0].2.extend([3; 200]);
    assert_eq!(
        turned.refusal(),
        "the AVIF data is corrupt: a picture is turned again and again"
    );
}

#[test]
fn other_auxiliary_pictures_do_not_matter() {
    let mut parts = Parts::picture();
    parts
        .properties
        .push(boxed(b"auxC", &[&[0; 4], b"urn:com:example:depth\0"]));
    parts.properties.push(boxed(b"abcd", &[]));
    parts.items.push((2, *b"hvc1", vec![3, 0x84]));
    parts.references.push((*b"auxl", 2, vec![1]));
    let channels = |parts: &Parts| {
        let facts = Decoder::default().read_metadata_bytes(&parts.file());
        facts.expect("it has a header").num_channels
    };
    assert_eq!(channels(&parts), 3);
    let alpha = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0";
    parts.properties[2] = boxed(b"auxC", &[&[0; 4], alpha]);
    parts.items[1].2 = vec![3];
    assert_eq!(channels(&parts), 4);
}

#[test]
fn a_sequence_without_a_still_picture_is_named() {
    let file = [
        boxed(b"ftyp", &[b"avis\0\0\0\0avis"]),
        boxed(b"moov", &[&[0; 20]]),
    ]
    .concat();
    let open = |file: &[u8]| Heif::open(file, "AVIF").map(|picture| picture.decode(1, Rescale::Bits));
    assert!(matches!(open(&file), Err(DecodeError::Unsupported { .. })));
    let no_meta = boxed(b"ftyp", &[b"avif\0\0\0\0avif"]);
    assert!(matches!(open(&no_meta), Err(DecodeError::Corrupt { .. })));
}
