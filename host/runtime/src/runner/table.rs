//! The host's services as the ABI's table of functions.

use modelzoo_abi::{AbiResult, HostServices, RawServices, Reply, ReplyBuffer, Request};
use modelzoo_plugin_api::{Error, Result, message};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The reply to a service's call: its message, and buffers beside it.
pub(crate) type ServiceReply = (Vec<u8>, Vec<Vec<u8>>);

/// Makes the table that a plugin gets, from a function that answers a call of a service: its name and its arguments,
/// then the reply or an error.
///
/// It is never freed: the contract allows a plugin to keep it until the process ends.
pub(crate) fn service_table(
    answer: impl Fn(&str, &[u8]) -> Result<ServiceReply> + Send + Sync + 'static,
) -> HostServices {
    HostServices::of(Box::leak(Box::new(Answering(answer))))
}

struct Answering<A>(A);

impl<A: Fn(&str, &[u8]) -> Result<ServiceReply> + Sync> RawServices for Answering<A> {
    fn call(&self, request: Request<'_>) -> AbiResult<Reply> {
        let body = || (self.0)(request.method.as_str(), request.message.as_slice());
        // A panic must not cross into the plugin; what the services guard with locks is poisoned by it, as always.
        let result = catch_unwind(AssertUnwindSafe(body))
            .unwrap_or_else(|_| Err(Error::new(format!("the host panicked in {}", request.method))));
        match result {
            Ok((message, buffers)) => AbiResult::ROk(Reply {
                message: message.into(),
                buffers: buffers.into_iter().map(ReplyBuffer::from_vec).collect(),
            }),
            Err(error) => AbiResult::RErr(message::encode_error(&error)),
        }
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
                message::THREADS => message::encode(&3usize),
                _ => message::encode(&()),
            };
            Ok((message?, Vec::new()))
        }));
        host.log(LogLevel::Info, "hello");
        assert_eq!(host.threads(), 3);
        assert_eq!(*calls.lock().unwrap(), [message::LOG, message::THREADS]);
    }

    #[test]
    fn a_panic_of_the_host_is_an_error_for_the_plugin() {
        let host = Host::new(service_table(|_, _| panic!("no such luck")));
        assert!(!host.is_cancelled());
    }
}
