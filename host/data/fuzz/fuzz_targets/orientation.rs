//! What is read beside a picture: EXIF and XMP, in each container that holds them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_data::media::{DecodeError, Decoder};

/// Whole pictures, and where something can be put into them: behind a JPEG's first marker, behind a PNG's header, and
/// behind the chunk of a WebP that promises EXIF.
const JPEG: (&[u8], usize) = (include_bytes!("../../tests/images/grey.jpg"), 2);
const PNG: (&[u8], usize) = (include_bytes!("../../tests/images/grey.png"), 33);
const WEBP: (&[u8], usize) = (include_bytes!("../../tests/images/orientation.webp"), 30);

fuzz_target!(|data: &[u8]| {
    let data = &data[..data.len().min(60_000)];
    let segment = |prefix: &[u8]| {
        let length = (2 + prefix.len() + data.len()) as u16;
        put_into(
            JPEG,
            &[b"\xff\xe1", &length.to_be_bytes()[..], prefix, data].concat(),
        )
    };
    let chunk = |name: &[u8], prefix: &[u8]| {
        let length = (prefix.len() + data.len()) as u32;
        // The check sum is wrong, which nobody minds.
        put_into(
            PNG,
            &[&length.to_be_bytes()[..], name, prefix, data, b"\0\0\0\0"].concat(),
        )
    };
    let exif = [
        b"EXIF",
        &(data.len() as u32).to_le_bytes()[..],
        data,
        &b"\0"[..data.len() % 2],
    ]
    .concat();
    for file in [
        segment(b"Exif\0\0"),
        segment(b"http://ns.adobe.com/xap/1.0/\0"),
        chunk(b"eXIf", b""),
        chunk(b"tEXt", b"Raw profile type exif\0"),
        chunk(b"zTXt", b"Raw profile type exif\0\0"),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0"),
        webp(&exif),
    ] {
        match Decoder::default().read_metadata_bytes(&file) {
            Err(DecodeError::Fault { fault, .. }) => panic!("{fault}"),
            Err(error) => panic!("a whole picture is refused for what is beside it: {error}"),
            Ok(_) => {}
        }
    }
});

/// The WebP with a piece more, whose header says how long it is with that: what is beyond would not be read.
fn webp(piece: &[u8]) -> Vec<u8> {
    let mut file = put_into(WEBP, piece);
    let length = (file.len() - 8) as u32;
    file[4..8].copy_from_slice(&length.to_le_bytes());
    file
}

fn put_into((picture, place): (&[u8], usize), piece: &[u8]) -> Vec<u8> {
    [&picture[..place], piece, &picture[place..]].concat()
}
