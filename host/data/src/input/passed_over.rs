//! Files of a folder that look as if somebody wanted them, and are not taken.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Endings of pictures that are not read, lower case, with what they are.
const PICTURES: [(&str, &str); 20] = [
    ("svg", "SVG"),
    ("psd", "Photoshop"),
    ("ico", "icon"),
    ("tga", "Targa"),
    ("pbm", "PNM"),
    ("pgm", "PNM"),
    ("ppm", "PNM"),
    ("pnm", "PNM"),
    ("exr", "OpenEXR"),
    ("hdr", "Radiance HDR"),
    ("dds", "DDS"),
    ("dcm", "DICOM"),
    ("cr2", "raw"),
    ("cr3", "raw"),
    ("nef", "raw"),
    ("arw", "raw"),
    ("raf", "raw"),
    ("orf", "raw"),
    ("rw2", "raw"),
    ("dng", "raw"),
];

/// Counts what was passed over in folders.
#[derive(Clone, Debug, Default)]
pub(super) struct PassedOver(Arc<Mutex<BTreeMap<PathBuf, Counts>>>);

/// How many files there are of each kind.
pub(super) type Counts = BTreeMap<&'static str, u64>;

/// Counts a file that is no picture and no video by its name, if it looks as if it was wanted.
pub(super) fn count(counts: &mut Counts, file: &Path) {
    let ending = file.extension().unwrap_or_default().to_ascii_lowercase();
    if let Some((_, kind)) = PICTURES.iter().find(|(known, _)| ending == *known) {
        *counts.entry(kind).or_default() += 1;
    }
}

impl PassedOver {
    /// Notes what was found by a whole walk through a folder.
    pub fn note(&self, folder: &Path, counts: Counts) {
        let mut folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        folders.insert(folder.to_owned(), counts);
    }

    /// A line for each folder in which something was passed over.
    pub fn lines(&self) -> Vec<String> {
        let folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |(folder, counts): (&PathBuf, &Counts)| {
            let kinds: Vec<String> = counts
                .iter()
                .map(|(kind, count)| format!("{count} {kind} {}", plural(*count)))
                .collect();
            (!kinds.is_empty()).then(|| {
                format!(
                    "{}: passed over {}, which are not read; convert them to JPEG, PNG or WebP",
                    folder.display(),
                    kinds.join(", ")
                )
            })
        };
        folders.iter().filter_map(line).collect()
    }
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "picture" } else { "pictures" }
}
