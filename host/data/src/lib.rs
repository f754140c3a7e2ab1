//! Media decoding, labels as data, datasets, import and export.
#![forbid(unsafe_code)]
