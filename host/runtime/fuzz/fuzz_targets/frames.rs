//! Whatever comes out of a worker's socket, with a memory of any size beside it, is a message or an error; buffers are
//! given as long as they were said to be, and nothing that is not in that memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_plugin_api::message::PluginDescription;
use rustix::{
    fs::{MemfdFlags, ftruncate, memfd_create},
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
};
use std::{
    io::{IoSlice, Write as _},
    mem::MaybeUninit,
    ops::Range,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixStream,
    },
};

// The modules of the runtime that read what workers write. They are private there, so they are compiled in here.
#[path = "../../src/worker/attention.rs"]
mod attention;
#[path = "../../src/worker/channel.rs"]
#[allow(dead_code, reason = "the rest of the runtime uses it")]
mod channel;
#[path = "../../src/worker/frame.rs"]
mod frame;
#[path = "../../src/limits.rs"]
mod limits;
#[path = "../../src/worker/memory.rs"]
#[allow(dead_code, reason = "the rest of the runtime uses it")]
mod memory;
#[path = "../../src/shared_memory.rs"]
#[allow(dead_code, reason = "the rest of the runtime uses it")]
mod shared_memory;

/// More would not fit into a socket at once, and there is nobody to read meanwhile.
const MOST_BYTES: usize = 64 << 10;

fuzz_target!(|input: (Option<u16>, &[u8])| {
    let (memory, bytes) = input;
    if bytes.is_empty() || bytes.len() > MOST_BYTES {
        return;
    }
    let (mut stranger, socket) = UnixStream::pair().expect("there are descriptors left");
    match memory {
        Some(size) => send(&stranger, bytes, &memory_of(size)),
        None => stranger.write_all(bytes).expect("it fits into the socket"),
    }
    drop(stranger);
    let end = memory.map_or(0, usize::from);
    let (_, mut receiver) = channel::channel(socket).expect("a socket can be asked not to block");
    while let Ok((_, places)) = receiver.receive::<PluginDescription>(None) {
        let Ok(buffers) = receiver.copy_buffers(&places) else {
            continue;
        };
        assert!(places.iter().all(|place| place.is_empty() || place.end <= end));
        let lengths = places.iter().map(Range::len);
        assert!(buffers.iter().map(Vec::len).eq(lengths));
    }
});

fn memory_of(bytes: u16) -> OwnedFd {
    let memory = memfd_create("fuzz", MemfdFlags::CLOEXEC).expect("there is memory");
    ftruncate(&memory, bytes.into()).expect("it is ours");
    memory
}

/// Writes `bytes`, and the descriptor with the first of them.
fn send(socket: &UnixStream, bytes: &[u8], memory: &OwnedFd) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = [memory.as_fd()];
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)));
    let sent = sendmsg(
        socket,
        &[IoSlice::new(bytes)],
        &mut ancillary,
        SendFlags::NOSIGNAL,
    );
    assert_eq!(sent.expect("it fits into the socket"), bytes.len());
}
