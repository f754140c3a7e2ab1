//! HEIC's and AVIF's boxes: bytes in, facts or an error out, in little time and memory. What is coded is decoded by another
//! program, which is not there: all before it is tried.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_data::media::{DecodeError, Decoder};

/// Enough for every kind of picture; a larger limit would only fill memory.
const MAX_PIXELS: u64 = 1 << 16;

fuzz_target!(|data: &[u8]| {
    let decoder = Decoder::default().with_max_pixels(MAX_PIXELS);
    for error in [
        decoder.read_metadata_bytes(data).err(),
        decoder.decode_bytes(data).err(),
    ] {
        match error {
            Some(DecodeError::Fault { fault, .. }) => panic!("{fault}"),
            Some(error) => assert!(!error.to_string().contains('\n'), "{error}"),
            None => {}
        }
    }
});
