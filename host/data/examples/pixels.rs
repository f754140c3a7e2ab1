//! Prints what each picture decodes to, a line of JSON for each: its size, its channels, and the pixels' SHA-256; or
//! the error.

use modelzoo_data::media::Decoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn facts(path: &str) -> Value {
    match Decoder::default().decode_path(path) {
        Ok(decoded) => {
            let (width, height) = decoded.image.size();
            let right = width - 1;
            let bottom = height - 1;
            let corners =
                [(0, 0), (right, 0), (0, bottom), (right, bottom)].map(|(x, y)| decoded.image.pixel(x, y));
            let digest = Sha256::digest(decoded.image.data());
            let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({
                "path": path,
                "width": width,
                "height": height,
                "channels": decoded.metadata.num_channels,
                "sha256": sha256,
                "corners": corners,
                "warning": decoded.warning,
            })
        }
        Err(error) => json!({ "path": path, "error": error.reason.to_string() }),
    }
}

fn main() {
    for path in std::env::args().skip(1) {
        println!("{}", facts(&path));
    }
}
