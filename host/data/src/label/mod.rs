//! Labels as data: FiftyOne's JSON of every label type, both ways.
//!
//! A label is an object with its type under `_cls`; fields without a value are left out, `tags` never is. Arrays are
//! `{"$binary": {"base64": ..., "subType": "00"}}` around a zlib-compressed NPY file, numbers that JSON does not have
//! are MongoDB's `{"$numberDouble": "NaN"}`, and a label's further attributes stand beside its own fields, as
//! FiftyOne's dynamic attributes do. Ids (`_id`) are neither written nor kept.

mod array;
mod error;
mod fields;
mod filter;
mod npy;
mod npy_header;
mod number;
mod patch;
mod read;
mod write;

pub use error::LabelError;
pub use fields::{Fields, FrameNumberError, LabelField};
pub use filter::LabelFilter;
pub use npy::{read_npy, write_npy};
pub(crate) use number::Number;
pub use patch::{PatchGeometry, patch_boxes, set_patch_attribute};
pub use read::from_json;
pub use write::{LabelJson, to_json};

#[cfg(test)]
mod tests;
