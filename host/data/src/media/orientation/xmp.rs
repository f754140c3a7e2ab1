//! XMP's orientation.

const PROPERTY: &[u8] = b"tiff:Orientation";

/// The first `tiff:Orientation` of a packet, as an attribute or as an element. It is found as text, as Pillow does:
/// packets are often cut off, or not quite XML.
pub(super) fn orientation(packet: &[u8]) -> Option<u64> {
    let places = packet.windows(PROPERTY.len()).enumerate();
    places
        .filter(|(_, found)| *found == PROPERTY)
        .find_map(|(start, found)| {
            let value = &packet[start + found.len()..];
            let value = value.strip_prefix(b"=\"").or_else(|| value.strip_prefix(b">"))?;
            let digit = value.first()?;
            digit.is_ascii_digit().then(|| u64::from(digit - b'0'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_and_elements_are_found() {
        assert_eq!(orientation(br#"<x tiff:Orientation="8" tiff:Make="a">"#), Some(8));
        assert_eq!(orientation(b"<tiff:Orientation>3</tiff:Orientation>"), Some(3));
        assert_eq!(
            orientation(br#"tiff:Orientation is <tiff:Orientation>5"#),
            Some(5)
        );
        for nothing in [
            &b""[..],
            b"tiff:Orientation",
            b"tiff:Orientation=\"x\"",
            b"exif:Orientation=\"6\"",
        ] {
            assert_eq!(orientation(nothing), None);
        }
    }
}
