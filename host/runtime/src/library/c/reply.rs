//! What a plugin's functions give back.

use crate::limits::{MAX_BUFFER_BYTES, MAX_BUFFERS, MAX_MESSAGE_BYTES};
use modelzoo_abi::{Reply, ReplyBuffer, c};
use modelzoo_plugin_api::{Error, ErrorKind, Result};
use std::{ptr, slice};

/// A reply for a plugin's function to fill in. What is in it is released when this is dropped.
pub(super) struct PluginReply(c::Reply);

impl Default for PluginReply {
    fn default() -> Self {
        Self(c::Reply {
            size: size_of::<c::Reply>(),
            message: NOTHING,
            buffers: ptr::null(),
            buffer_count: 0,
            owner: ptr::null_mut(),
            release: None,
        })
    }
}

const NOTHING: c::Bytes = c::Bytes {
    data: ptr::null(),
    length: 0,
};

impl PluginReply {
    /// As a plugin's function takes it.
    pub(super) fn as_mut_ptr(&mut self) -> *mut c::Reply {
        &mut self.0
    }

    /// Takes out a copy of the answer, or the error that the plugin tells of. What cannot be read is an error, too.
    ///
    /// # Safety
    /// What the reply points to can be read, as far as the lengths say, and nothing writes to it.
    pub(super) unsafe fn take(self, status: c::Status) -> Result<Reply> {
        // SAFETY: the caller says so.
        let message = unsafe { bytes(&self.0.message, MAX_MESSAGE_BYTES, "a message") }?;
        if status != c::DONE {
            return Err(failure(status, message));
        }
        // SAFETY: the caller says so.
        let buffers = unsafe { buffers(self.0.buffers, self.0.buffer_count) }?;
        Ok(Reply {
            message: message.into(),
            buffers: buffers
                .into_iter()
                .map(|buffer| ReplyBuffer::from_vec(buffer.to_vec()))
                .collect(),
        })
    }
}

impl Drop for PluginReply {
    fn drop(&mut self) {
        if let Some(release) = self.0.release {
            // SAFETY: the plugin has put both there, for each other, and nobody else calls it.
            unsafe { release(self.0.owner) }
        }
    }
}

/// What a status and a text mean.
fn failure(status: c::Status, message: &[u8]) -> Error {
    let text = String::from_utf8_lossy(message);
    let text = match text.trim() {
        "" => format!("the plugin gives no reason (status {status})"),
        text => text.to_owned(),
    };
    Error::new(text).with_kind(match status {
        c::UNSUPPORTED => ErrorKind::Unsupported,
        c::INVALID_INPUT => ErrorKind::InvalidInput,
        c::INVALID_OPTION => ErrorKind::InvalidOption,
        c::WEIGHTS => ErrorKind::Weights,
        c::CANCELLED => ErrorKind::Cancelled,
        _ => ErrorKind::Other,
    })
}

/// The status that tells of an error of this kind.
pub(super) fn status_of(kind: ErrorKind) -> c::Status {
    match kind {
        ErrorKind::Unsupported => c::UNSUPPORTED,
        ErrorKind::InvalidInput => c::INVALID_INPUT,
        ErrorKind::InvalidOption => c::INVALID_OPTION,
        ErrorKind::Weights => c::WEIGHTS,
        ErrorKind::Cancelled => c::CANCELLED,
        _ => c::FAILED,
    }
}

/// The buffers at an address.
///
/// # Safety
/// Where the address is none of nothing, so many entries can be read there, and the bytes that each of them names.
pub(super) unsafe fn buffers<'a>(list: *const c::Bytes, count: usize) -> Result<Vec<&'a [u8]>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if count > MAX_BUFFERS {
        return Err(Error::new(format!(
            "{count} buffers were given; at most {MAX_BUFFERS} can be"
        )));
    }
    if list.is_null() || !list.is_aligned() {
        return Err(Error::new(format!(
            "{count} buffers were given, but no address of them"
        )));
    }
    let mut left = MAX_BUFFER_BYTES;
    // SAFETY: the caller says that so many can be read; the address is good for them.
    unsafe { slice::from_raw_parts(list, count) }
        .iter()
        .map(|buffer| {
            // SAFETY: as the caller says.
            let bytes = unsafe { bytes(buffer, left, "buffers") }?;
            left -= bytes.len();
            Ok(bytes)
        })
        .collect()
}

/// The bytes at an address.
///
/// # Safety
/// Where the address is none of nothing, so many bytes as it says can be read there.
pub(super) unsafe fn bytes<'a>(bytes: &c::Bytes, most: usize, what: &str) -> Result<&'a [u8]> {
    let c::Bytes { data, length } = *bytes;
    if length == 0 {
        return Ok(&[]);
    }
    if length > most {
        return Err(Error::new(format!(
            "{what} of {length} bytes came, where at most {most} can"
        )));
    }
    if data.is_null() {
        return Err(Error::new(format!(
            "{what} of {length} bytes came without an address"
        )));
    }
    // SAFETY: the caller says that they can be read; there are fewer than would fill the address space.
    Ok(unsafe { slice::from_raw_parts(data, length) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{
        ffi::c_void,
        sync::atomic::{AtomicUsize, Ordering},
    };

    /// Bytes that may be there, and lengths that may be wrong where they are not looked at.
    fn lengths() -> impl Strategy<Value = (bool, usize)> {
        prop_oneof![
            (Just(true), 0..64usize),
            (
                Just(false),
                prop_oneof![Just(0), Just(1), Just(MAX_MESSAGE_BYTES), any::<usize>()]
            ),
            (Just(true), MAX_BUFFER_BYTES + 1..),
        ]
    }

    fn at(memory: &[u8; 64], (is_there, length): (bool, usize)) -> c::Bytes {
        c::Bytes {
            data: if is_there { memory.as_ptr() } else { ptr::null() },
            length,
        }
    }

    fn is_good((is_there, length): (bool, usize)) -> bool {
        length == 0 || (is_there && length <= 64)
    }

    unsafe extern "C" fn count(owner: *mut c_void) {
        // SAFETY: the test hands over a counter that outlives the reply.
        unsafe { &*owner.cast::<AtomicUsize>() }.fetch_add(1, Ordering::Relaxed);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused_and_released_once(
            message in lengths(),
            list in proptest::collection::vec(lengths(), 0..4),
            has_list in any::<bool>(),
            too_many in proptest::option::weighted(0.2, MAX_BUFFERS + 1..),
            status in -2..9i32,
        ) {
            let memory: [u8; 64] = std::array::from_fn(|index| index as u8);
            let released = AtomicUsize::new(0);
            let views: Vec<c::Bytes> = list.iter().map(|&one| at(&memory, one)).collect();
            let mut reply = PluginReply::default();
            reply.0.message = at(&memory, message);
            reply.0.buffers = if has_list { views.as_ptr() } else { ptr::null() };
            reply.0.buffer_count = too_many.unwrap_or(views.len());
            reply.0.owner = ptr::from_ref(&released).cast_mut().cast();
            reply.0.release = Some(count);
            // SAFETY: whatever has an address and a length that is looked at is there.
            let taken = unsafe { reply.take(status) };
            prop_assert_eq!(released.load(Ordering::Relaxed), 1);
            let has_buffers = too_many.is_none()
                && (list.is_empty() || (has_list && list.iter().copied().all(is_good)));
            let should_work = status == c::DONE && is_good(message) && has_buffers;
            prop_assert_eq!(taken.is_ok(), should_work, "{:?}", taken);
            match taken {
                Ok(reply) => {
                    prop_assert_eq!(&reply.message[..], &memory[..message.1]);
                    for (buffer, (_, length)) in reply.buffers.iter().zip(list) {
                        prop_assert_eq!(buffer.bytes(), &memory[..length]);
                    }
                }
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }

    #[test]
    fn each_kind_of_error_has_a_status_and_an_unknown_status_is_an_error() {
        for kind in [
            ErrorKind::Unsupported,
            ErrorKind::InvalidInput,
            ErrorKind::InvalidOption,
            ErrorKind::Weights,
            ErrorKind::Cancelled,
            ErrorKind::Other,
        ] {
            let error = failure(status_of(kind), b" it failed\n");
            assert_eq!((error.kind(), error.message()), (kind, "it failed"));
        }
        let error = failure(-7, b"");
        assert_eq!(error.kind(), ErrorKind::Other);
        assert!(error.message().contains("-7"), "{error}");
    }
}
