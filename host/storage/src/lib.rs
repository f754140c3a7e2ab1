//! Files by URL: `s3://`, `gs://`, `az://` and `https://`, behind the calls that files on a disk have.
//!
//! A path is a URL if it begins like one ([`is_url`]); every other path is a file of this machine, so callers need not tell
//! them apart. What is asynchronous stays in here: each call waits for its end, from any thread. Requests that are throttled
//! or cut off are sent again with growing pauses, and what of a body has come is not fetched a second time.
//!
//! Where a store is and who may use it is said by the variables that its own programs know: `AWS_*`, `GOOGLE_*`, `AZURE_*`.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod connect;
mod error;
mod exact_url;
mod list;
mod location;
mod passage;
mod patience;
mod providers;
mod read;
mod runtime;
mod upload;

pub use error::{Cause, StorageError};
pub use list::{list, list_folder};
pub use location::{is_url, name_of};
pub use passage::Passage;
pub use read::{Blob, find, open, read, remove};
pub use upload::Upload;
