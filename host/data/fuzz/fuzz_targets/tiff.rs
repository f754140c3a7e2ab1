//! TIFF's directories, compressions and conversions: bytes in, a picture or an error out, and no fault of a decoder.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_data::media::{DecodeError, Decoder, Rescale};

/// Enough for every kind of picture; a larger limit would only fill memory.
const MAX_PIXELS: u64 = 1 << 16;

fuzz_target!(|data: &[u8]| {
    let decoder = Decoder::default().with_max_pixels(MAX_PIXELS);
    for rescale in [Rescale::Bits, Rescale::Percentile] {
        match decoder.with_rescale(rescale).decode_bytes(data) {
            Err(DecodeError::Fault { fault, .. }) => panic!("{fault}"),
            Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
            Ok(_) => {}
        }
    }
});
