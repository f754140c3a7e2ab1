//! Pictures and videos, told apart by the first bytes of their content.

use super::media_kind::MediaKind;
use crate::media::{DecodeError, ImageFormat};
use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

/// How much of a file is looked at: the sync bytes of several packets of MPEG-TS are in it.
const HEAD: u64 = 1024;

impl MediaKind {
    /// What the content of a file is; `None` when it is neither a picture nor a video, as far as its first bytes tell.
    ///
    /// # Errors
    /// When it cannot be read, or is no regular file: a pipe would be waited for, and a device may have no end.
    pub fn of_content(path: &Path) -> io::Result<Option<Self>> {
        if !path.metadata()?.is_file() {
            return Err(io::Error::other("this is no regular file"));
        }
        let mut head = Vec::new();
        File::open(path)?.take(HEAD).read_to_end(&mut head)?;
        Ok(kind_of(&head))
    }

    /// What some content is, as [`MediaKind::of_content`] has it.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        kind_of(&bytes[..bytes.len().min(HEAD as usize)])
    }
}

fn kind_of(head: &[u8]) -> Option<MediaKind> {
    match ImageFormat::detect(head) {
        // Pictures that are not decoded are pictures all the same.
        Ok(_) | Err(DecodeError::Unsupported { .. }) => Some(MediaKind::Image),
        Err(_) => is_video(head).then_some(MediaKind::Video),
    }
}

/// What videos begin with: containers and bare streams.
const VIDEO_STARTS: [&[u8]; 23] = [
    // Matroska, WebM
    b"\x1a\x45\xdf\xa3",
    b"FLV\x01",
    // ASF: WMV
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    b"OggS",
    // MPEG: program streams, and video of versions 1, 2 and 4
    b"\x00\x00\x01\xba",
    b"\x00\x00\x01\xb3",
    b"\x00\x00\x01\xb0",
    // MXF
    b"\x06\x0e\x2b\x34",
    // IVF
    b"DKIF",
    b"YUV4MPEG2",
    // RealMedia
    b".RMF",
    b"nut/multimedia container",
    // DV, in two line standards
    b"\x1f\x07\x00\x3f",
    b"\x1f\x07\x00\xbf",
    // WTV
    b"\xb7\xd8\x00\x20\x37\x49\xda\x11",
    // GXF
    b"\x00\x00\x00\x00\x01\xbc",
    // Bink and Smacker
    b"BIK",
    b"KB2",
    b"SMK2",
    b"SMK4",
    // AV1's stream of OBUs
    b"\x12\x00\x0a",
    // Flash
    b"FWS",
    b"CWS",
];

/// The types of the atoms that QuickTime and MP4 files begin with.
const ATOMS: [&[u8]; 7] = [b"ftyp", b"moov", b"mdat", b"wide", b"skip", b"free", b"pnot"];

/// Where the packets of MPEG-TS begin, and how far they are apart: plain, with a time in front (M2TS), with parity.
const PACKETS: [(usize, usize); 3] = [(0, 188), (4, 192), (0, 204)];

fn is_video(head: &[u8]) -> bool {
    let has_atom = || head.get(4..8).is_some_and(|name| ATOMS.contains(&name));
    let is_avi = || head.starts_with(b"RIFF") && head.get(8..12) == Some(b"AVI ");
    let is_transport_stream = || {
        PACKETS.iter().any(|&(first, distance)| {
            let mut syncs = (0..4).map(|packet| head.get(first + packet * distance));
            head.len() > distance && syncs.all(|byte| byte.is_none_or(|&byte| byte == 0x47))
        })
    };
    VIDEO_STARTS.iter().any(|start| head.starts_with(start))
        || has_atom()
        || is_avi()
        || is_transport_stream()
        || is_bare_stream(head)
}

/// Whether it is a stream of H.264 or HEVC in the byte format of Annex B: a start code before a unit that streams begin
/// with (parameter sets, or the delimiter of pictures).
fn is_bare_stream(head: &[u8]) -> bool {
    let unit = head
        .strip_prefix(b"\x00\x00\x00\x01")
        .or_else(|| head.strip_prefix(b"\x00\x00\x01"));
    match unit {
        Some([first, second, ..]) => {
            let is_h264 = first & 0x80 == 0 && matches!(first & 0x1f, 7 | 9);
            let is_hevc = *second == 1 && first & 0x81 == 0 && matches!(first >> 1, 32 | 33 | 35);
            is_h264 || is_hevc
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_tells_pictures_from_videos() {
        let mut packets = vec![0u8; 188 * 5];
        packets.iter_mut().step_by(188).for_each(|byte| *byte = 0x47);
        for video in [
            &b"\x00\x00\x00\x20ftypisom"[..],
            b"\x00\x00\x00\x08wide",
            b"RIFF\x00\x00\x00\x00AVI LIST",
            b"\x1a\x45\xdf\xa3\x9f",
            b"\x00\x00\x00\x01\x67\x42",
            b"\x00\x00\x00\x01\x09\x10",
            b"\x00\x00\x00\x01\x40\x01",
            &packets,
        ] {
            assert_eq!(kind_of(video), Some(MediaKind::Video), "{video:?}");
        }
        for picture in [&b"\xff\xd8\xff\xe0"[..], b"GIF89a", b"\x00\x00\x00\x1cftypheic"] {
            assert_eq!(kind_of(picture), Some(MediaKind::Image), "{picture:?}");
        }
        for other in [
            &b""[..],
            b"root:x:0:0:root:/root:/bin/bash\n",
            b"#EXTM3U\n",
            b"ffconcat version 1.0",
            b"RIFF\x00\x00\x00\x00WAVEfmt ",
            b"GIF",
            b"GGGG",
        ] {
            assert_eq!(kind_of(other), None, "{other:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_not_opened() {
        assert!(MediaKind::of_content(Path::new("/dev/zero")).is_err());
        assert!(MediaKind::of_content(Path::new("/")).is_err());
    }
}
