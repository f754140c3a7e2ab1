//! The host's services as the ABI's table of functions.

use super::ServiceReply;
use modelzoo_abi::{AbiResult, HostServices, Reply, ReplyBuffer, Request, abi_stable::std_types::RResult};
use modelzoo_plugin_api::{Error, Result, message};
use std::{
    ffi::c_void,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Answers a call of a service: its name and its arguments, then the reply or an error.
type Answer = Box<dyn Fn(&str, &[u8]) -> Result<ServiceReply> + Send + Sync>;

/// Makes the table that a plugin gets.
///
/// It is never freed: the contract allows a plugin to keep it until the process ends.
pub(crate) fn service_table(
    answer: impl Fn(&str, &[u8]) -> Result<ServiceReply> + Send + Sync + 'static,
) -> HostServices {
    let answer: Answer = Box::new(answer);
    HostServices {
        context: std::ptr::from_ref::<Answer>(Box::leak(Box::new(answer))).cast(),
        call,
    }
}

extern "C" fn call(context: *const c_void, request: Request<'_>) -> AbiResult<Reply> {
    // SAFETY: `service_table` made `context` from a leaked `Answer`, which any thread may call.
    let answer = unsafe { &*context.cast::<Answer>() };
    let body = || answer(request.method.as_str(), request.message.as_slice());
    // A panic must not cross into the plugin; what the services guard with locks is poisoned by it, as always.
    let result = catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|_| Err(Error::new(format!("the host panicked in {}", request.method))));
    match result {
        Ok((message, buffers)) => RResult::ROk(Reply {
            message: message.into(),
            buffers: buffers.into_iter().map(ReplyBuffer::from_vec).collect(),
        }),
        Err(error) => RResult::RErr(message::encode_error(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_plugin_api::{Host, LogLevel};
    use std::sync::{Arc, Mutex};

    #[test]
    fn a_plugin_reaches_the_services_through_the_table() {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&calls);
        let host = Host::new(service_table(move |method, _| {
            seen.lock().unwrap().push(method.to_owned());
            let message = match method {
                "threads/1" => message::encode(&3usize),
                _ => message::encode(&()),
            };
            Ok((message?, Vec::new()))
        }));
        host.log(LogLevel::Info, "hello");
        assert_eq!(host.threads(), 3);
        assert_eq!(*calls.lock().unwrap(), ["log/1", "threads/1"]);
    }

    #[test]
    fn a_panic_of_the_host_is_an_error_for_the_plugin() {
        let host = Host::new(service_table(|_, _| panic!("no such luck")));
        assert!(!host.is_cancelled());
    }
}
