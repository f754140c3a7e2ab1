//! Both sides of the contract in one process: what crosses arrives, and everything is released once. Under Miri or
//! Valgrind it also shows that no memory is used after its end, and that none is lost.

use modelzoo_abi::{
    AbiResult, BufferView, HostServices, ModelHandle, PluginRootRef, RawModel, RawServices, Reply,
    ReplyBuffer, Request,
    abi_stable::std_types::{RSlice, RStr, RVec},
};
use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicUsize, Ordering},
};

/// Services that give back what they get.
struct Echo;

static ECHO: Echo = Echo;

impl RawServices for Echo {
    fn call(&self, request: Request<'_>) -> AbiResult<Reply> {
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

/// A model that asks its host for each answer, counts its calls, and panics in the end.
struct Asking {
    name: String,
    host: HostServices,
    calls: AtomicUsize,
    ended: Arc<AtomicUsize>,
}

impl RawModel for Asking {
    fn info(&self) -> AbiResult<RVec<u8>> {
        AbiResult::ROk(self.name.as_bytes().into())
    }

    fn call(&self, request: Request<'_>) -> AbiResult<Reply> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if request.method == "fail/1" {
            return AbiResult::RErr(b"it failed"[..].into());
        }
        self.host.call(request)
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
        panic!("a model may panic in the end");
    }
}

fn model(ended: &Arc<AtomicUsize>) -> ModelHandle {
    ModelHandle::of(Box::new(Asking {
        name: "asking".to_owned(),
        host: HostServices::of(&ECHO),
        calls: AtomicUsize::new(0),
        ended: Arc::clone(ended),
    }))
}

fn request<'a>(method: &'static str, message: &'a [u8], buffers: &'a [BufferView<'a>]) -> Request<'a> {
    Request {
        method: method.into(),
        message: message.into(),
        buffers: buffers.into(),
    }
}

#[test]
fn a_model_is_called_from_many_threads_and_ended_once() {
    let ended = Arc::new(AtomicUsize::new(0));
    let handle = model(&ended);
    assert_eq!(handle.info().unwrap(), b"asking"[..]);
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            let handle = &handle;
            scope.spawn(move || {
                for length in 0..5 {
                    let pixels = vec![thread; length];
                    let buffers = [BufferView {
                        bytes: pixels.as_slice().into(),
                    }; 2];
                    let reply = handle.call(request("echo/1", &[thread], &buffers)).unwrap();
                    assert_eq!(reply.message, [thread]);
                    assert!(reply.buffers.iter().all(|buffer| buffer.bytes() == pixels));
                }
            });
        }
    });
    let error = handle.call(request("fail/1", &[], &[])).unwrap_err();
    assert_eq!(error, b"it failed"[..]);
    assert_eq!(ended.load(Ordering::Relaxed), 0);
    std::thread::spawn(move || drop(handle))
        .join()
        .expect("the panic stays inside");
    assert_eq!(ended.load(Ordering::Relaxed), 1);
}

extern "C" fn describe() -> AbiResult<RVec<u8>> {
    AbiResult::ROk(b"described"[..].into())
}

extern "C" fn download_model(name: RStr<'_>, path: RStr<'_>, host: HostServices) -> AbiResult<()> {
    let message = format!("{name} to {path}");
    host.call(request("log/1", message.as_bytes(), &[])).map(drop)
}

extern "C" fn load_model(
    name: RStr<'_>,
    _: RStr<'_>,
    options: RSlice<'_, u8>,
    host: HostServices,
) -> AbiResult<ModelHandle> {
    if options.is_empty() {
        return AbiResult::RErr(name.as_bytes().into());
    }
    AbiResult::ROk(ModelHandle::of(Box::new(Asking {
        name: name.to_string(),
        host,
        calls: AtomicUsize::new(0),
        ended: Arc::new(AtomicUsize::new(0)),
    })))
}

extern "C" fn call(request: Request<'_>) -> AbiResult<Reply> {
    HostServices::of(&ECHO).call(request)
}

/// A root lives for ever: that it is not freed is no leak.
static ROOT: LazyLock<PluginRootRef> =
    LazyLock::new(|| PluginRootRef::new(describe, download_model, load_model, call));

#[test]
fn a_root_passes_everything_on_to_its_entries() {
    let root = *ROOT;
    let host = HostServices::of(&ECHO);
    assert_eq!(root.describe().unwrap(), b"described"[..]);
    assert!(root.download_model("one", "/path", host).is_ok());
    assert_eq!(
        root.load_model("one", "/path", &[], host).unwrap_err(),
        b"one"[..]
    );
    let loaded = root.load_model("two", "/path", b"options", host).unwrap();
    assert_eq!(loaded.info().unwrap(), b"two"[..]);
    assert_eq!(
        root.call(request("echo/1", b"message", &[])).unwrap().message,
        b"message"[..]
    );
}

#[test]
fn a_reply_buffer_outlives_its_maker_and_is_read_in_place() {
    let buffers: Vec<ReplyBuffer> = std::thread::spawn(|| {
        vec![
            ReplyBuffer::from_vec(vec![1.5f64, -2.0]),
            ReplyBuffer::from_vec(Vec::<u16>::new()),
        ]
    })
    .join()
    .expect("nothing panics there");
    let expected = [1.5f64.to_ne_bytes(), (-2.0f64).to_ne_bytes()].concat();
    assert_eq!(buffers[0].bytes(), expected);
    assert_eq!(buffers[1].bytes(), b"");
}
