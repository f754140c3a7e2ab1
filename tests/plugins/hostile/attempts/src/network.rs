//! Sockets of all kinds.

use crate::{Attempt, outcome};
use std::{
    io,
    net::{TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket},
    os::unix::net::{UnixDatagram, UnixListener, UnixStream},
    path::Path,
};

pub fn socket(family: i32, kind: i32) -> io::Result<()> {
    // SAFETY: three numbers.
    outcome(unsafe { libc::socket(family, kind, 0) }.into())
}

/// What can be tried at a port and a socket of this machine, and without them.
pub fn attempts<'a>(port: u16, path: &'a Path) -> Vec<Attempt<'a>> {
    vec![
        (
            "connect",
            Box::new(move || TcpStream::connect(("127.0.0.1", port)).map(drop)),
        ),
        (
            "connect over IPv6",
            Box::new(move || TcpStream::connect(("::1", port)).map(drop)),
        ),
        (
            "listen",
            Box::new(move || TcpListener::bind("127.0.0.1:0").map(drop)),
        ),
        (
            "send a datagram",
            Box::new(move || {
                UdpSocket::bind("127.0.0.1:0")?
                    .send_to(b"x", ("127.0.0.1", port))
                    .map(drop)
            }),
        ),
        (
            "resolve a name",
            Box::new(move || "localhost:80".to_socket_addrs().map(drop)),
        ),
        (
            "connect to a Unix socket",
            Box::new(move || UnixStream::connect(path).map(drop)),
        ),
        (
            "send to a Unix socket",
            Box::new(move || UnixDatagram::unbound()?.send_to(b"x", path).map(drop)),
        ),
        (
            "listen at a Unix socket",
            Box::new(move || UnixListener::bind(std::env::temp_dir().join("own")).map(drop)),
        ),
        (
            "abstract Unix socket",
            Box::new(move || socket(libc::AF_UNIX, libc::SOCK_SEQPACKET)),
        ),
        (
            "netlink socket",
            Box::new(move || socket(libc::AF_NETLINK, libc::SOCK_RAW)),
        ),
        (
            "packet socket",
            Box::new(move || socket(libc::AF_PACKET, libc::SOCK_RAW)),
        ),
        (
            "raw socket",
            Box::new(move || socket(libc::AF_INET, libc::SOCK_RAW)),
        ),
        (
            "vsock",
            Box::new(move || socket(libc::AF_VSOCK, libc::SOCK_STREAM)),
        ),
        (
            "kernel cryptography",
            Box::new(move || socket(libc::AF_ALG, libc::SOCK_SEQPACKET)),
        ),
        #[cfg(target_arch = "x86_64")]
        (
            "socket by its other number",
            // SAFETY: three numbers.
            Box::new(move || {
                outcome(unsafe {
                    libc::syscall(
                        0x4000_0000 | libc::SYS_socket,
                        libc::AF_INET,
                        libc::SOCK_STREAM,
                        0,
                    )
                })
            }),
        ),
    ]
}
