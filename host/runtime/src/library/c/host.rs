//! The host's services, as a table for C.

use super::reply::{buffers, bytes, status_of};
use crate::limits::MAX_MESSAGE_BYTES;
use modelzoo_abi::{BufferView, HostServices, Reply, Request, c};
use modelzoo_plugin_api::{Error, Result, message};
use std::{ffi::c_void, ptr};

/// The table of `services`. It is never freed: the contract allows a plugin to keep it until the process ends.
pub(super) fn table(services: HostServices) -> &'static c::Host {
    Box::leak(Box::new(c::Host {
        size: size_of::<c::Host>(),
        context: ptr::from_ref(Box::leak(Box::new(services))).cast(),
        call,
    }))
}

/// Calls a service for a plugin.
///
/// # Safety
/// `context` is that of [`table`]; the request and the reply are as `modelzoo.h` says.
unsafe extern "C" fn call(
    context: *const c_void,
    request: *const c::Request,
    reply: *mut c::Reply,
) -> c::Status {
    let Some(reply) = (unsafe {
        // SAFETY: the plugin says that it is one, and the size, which comes first, says whether it is whole.
        reply.as_mut().filter(|reply| reply.size >= size_of::<c::Reply>())
    }) else {
        return c::FAILED;
    };
    // SAFETY: `table` made it from a value that lives for ever.
    let services = unsafe { &*context.cast::<HostServices>() };
    // SAFETY: as for the reply.
    match unsafe { ask(*services, request) } {
        Ok(answer) => {
            OwnedReply::give(answer, reply);
            c::DONE
        }
        Err(error) => {
            let text = Reply {
                message: error.to_string().into_bytes().into(),
                buffers: Vec::new().into(),
            };
            OwnedReply::give(text, reply);
            status_of(error.kind())
        }
    }
}

/// # Safety
/// What the request points to can be read, as far as its lengths say.
unsafe fn ask(services: HostServices, request: *const c::Request) -> Result<Reply> {
    // SAFETY: as the caller says; the size, which comes first, says whether it is whole.
    let request = unsafe { request.as_ref() }
        .filter(|request| request.size >= size_of::<c::Request>())
        .ok_or_else(|| Error::new("the request is none of version 1 of the contract"))?;
    let method = c::Bytes {
        data: request.method.data.cast(),
        length: request.method.length,
    };
    // SAFETY: as the caller says.
    let (method, message, buffers) = unsafe {
        (
            bytes(&method, MAX_MESSAGE_BYTES, "a method")?,
            bytes(&request.message, MAX_MESSAGE_BYTES, "a message")?,
            buffers(request.buffers, request.buffer_count)?,
        )
    };
    let method = str::from_utf8(method)?;
    let views: Vec<BufferView<'_>> = buffers
        .into_iter()
        .map(|bytes| BufferView { bytes: bytes.into() })
        .collect();
    message::result(services.call(Request {
        method: method.into(),
        message: message.into(),
        buffers: views.as_slice().into(),
    }))
}

/// What a reply to a plugin points to.
struct OwnedReply {
    answer: Reply,
    views: Vec<c::Bytes>,
}

impl OwnedReply {
    /// Fills in the reply, which owns the answer from now on.
    fn give(answer: Reply, reply: &mut c::Reply) {
        let views = answer.buffers.iter().map(|buffer| view(buffer.bytes())).collect();
        let owned = Box::new(Self { answer, views });
        reply.message = view(&owned.answer.message);
        reply.buffers = owned.views.as_ptr();
        reply.buffer_count = owned.views.len();
        reply.release = Some(release);
        reply.owner = Box::into_raw(owned).cast();
    }
}

fn view(bytes: &[u8]) -> c::Bytes {
    c::Bytes {
        data: bytes.as_ptr(),
        length: bytes.len(),
    }
}

unsafe extern "C" fn release(owner: *mut c_void) {
    // SAFETY: `give` made it from a box of this very type, and a reply is released once.
    drop(unsafe { Box::from_raw(owner.cast::<OwnedReply>()) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_abi::{AbiResult, RawServices, ReplyBuffer};
    use std::slice;

    struct Echo;

    impl RawServices for Echo {
        fn call(&self, request: Request<'_>) -> AbiResult<Reply> {
            if request.method == "fail/1" {
                let error = Error::invalid_option("no such thing");
                return AbiResult::RErr(message::encode_error(&error));
            }
            AbiResult::ROk(Reply {
                message: request.message.to_vec().into(),
                buffers: request
                    .buffers
                    .iter()
                    .map(|view| ReplyBuffer::from_vec(view.bytes.to_vec()))
                    .collect(),
            })
        }
    }

    /// What a plugin gets: the status, the message, and the buffers.
    fn asked(method: &[u8], change: impl FnOnce(&mut c::Request)) -> (c::Status, Vec<u8>, Vec<Vec<u8>>) {
        static ECHO: Echo = Echo;
        let host = table(HostServices::of(&ECHO));
        let buffers = [view(b"one"), view(b"")];
        let mut request = c::Request {
            size: size_of::<c::Request>(),
            method: c::Text {
                data: method.as_ptr().cast(),
                length: method.len(),
            },
            message: view(b"message"),
            buffers: buffers.as_ptr(),
            buffer_count: buffers.len(),
        };
        change(&mut request);
        let mut reply = c::Reply {
            size: size_of::<c::Reply>(),
            message: view(b""),
            buffers: ptr::null(),
            buffer_count: 0,
            owner: ptr::null_mut(),
            release: None,
        };
        // SAFETY: both are as the contract says, or wrong where it is looked at.
        let status = unsafe { (host.call)(host.context, &request, &mut reply) };
        // SAFETY: the host has filled in the reply.
        unsafe {
            let message = bytes(&reply.message, MAX_MESSAGE_BYTES, "a message")
                .unwrap()
                .to_vec();
            let given = match reply.buffer_count {
                0 => &[][..],
                count => slice::from_raw_parts(reply.buffers, count),
            };
            let given = given
                .iter()
                .map(|buffer| bytes(buffer, MAX_MESSAGE_BYTES, "a buffer").unwrap().to_vec())
                .collect();
            reply.release.unwrap()(reply.owner);
            (status, message, given)
        }
    }

    #[test]
    fn a_service_answers_a_plugin() {
        let (status, message, buffers) = asked(b"echo/1", |_| {});
        assert_eq!((status, message), (c::DONE, b"message".to_vec()));
        assert_eq!(buffers, [b"one".to_vec(), Vec::new()]);
    }

    #[test]
    fn what_a_service_or_a_request_fails_with_is_told_in_words() {
        let text = |method: &[u8], change: fn(&mut c::Request)| {
            let (status, message, _) = asked(method, change);
            (status, String::from_utf8(message).unwrap())
        };
        let failed = text(b"fail/1", |_| {});
        assert_eq!(failed, (c::INVALID_OPTION, "no such thing".to_owned()));
        for (method, change, words) in [
            (&b"\xff"[..], (|_| {}) as fn(&mut c::Request), "utf-8"),
            (b"echo/1", |request| request.size = 8, "version 1"),
            (
                b"echo/1",
                |request| request.message.data = ptr::null(),
                "without an address",
            ),
            (b"echo/1", |request| request.buffers = ptr::null(), "no address"),
            (b"echo/1", |request| request.buffer_count = usize::MAX, "at most"),
        ] {
            let (status, told) = text(method, change);
            assert_eq!(status, c::FAILED);
            assert!(told.contains(words), "{told}");
        }
    }

    #[test]
    fn a_reply_that_is_none_is_not_written_to() {
        static ECHO: Echo = Echo;
        let host = table(HostServices::of(&ECHO));
        // SAFETY: nothing is there, and nothing is touched.
        let status = unsafe { (host.call)(host.context, ptr::null(), ptr::null_mut()) };
        assert_eq!(status, c::FAILED);
    }
}
