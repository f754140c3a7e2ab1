//! Every format: a picture of the size that its header says, or a smaller one that the file has itself, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_data::media::{DecodeError, Decoder};

fuzz_target!(|data: &[u8]| {
    let decoder = Decoder::default().with_max_pixels(1 << 16);
    let metadata = decoder.read_metadata_bytes(data);
    match decoder.decode_bytes(data) {
        Ok(decoded) => {
            let (width, height) = decoded.image.size();
            assert!(width <= decoded.metadata.width && height <= decoded.metadata.height);
            assert!(u64::from(width) * u64::from(height) <= 1 << 16);
            assert_eq!(metadata.expect("it was decoded"), decoded.metadata);
        }
        // Faults of other people's decoders are contained; ours are looked for by the other targets.
        Err(DecodeError::Fault { .. }) => {}
        Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
    }
});
