//! How values become bytes that cross between host and plugin.

use crate::{Error, ErrorKind, Result};
use modelzoo_abi::{AbiResult, abi_stable::std_types::RVec};
use serde::{Serialize, de::DeserializeOwned};

/// Encodes a message as a MessagePack map with field names.
///
/// # Errors
/// When the value cannot be written as MessagePack.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    rmp_serde::to_vec_named(value)
        .map_err(|error| Error::new(format!("a message cannot be written: {error}")))
}

/// Decodes a message.
///
/// # Errors
/// When the bytes are no such message.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    rmp_serde::from_slice(bytes).map_err(|error| Error::new(format!("a message cannot be read: {error}")))
}

/// Turns the result of an ABI call into an ordinary one.
///
/// # Errors
/// The error that the other side sent.
pub fn result<T>(result: AbiResult<T>) -> Result<T> {
    result
        .into_result()
        .map_err(|bytes| decode(&bytes).unwrap_or_else(|error| error.with_kind(ErrorKind::Other)))
}

/// Encodes an error for the other side.
pub fn encode_error(error: &Error) -> RVec<u8> {
    // An error is text and an enumeration: there is nothing in it that MessagePack cannot hold. Should it fail all
    // the same, the other side reads an empty message as an error of its own.
    encode(error).unwrap_or_default().into()
}
