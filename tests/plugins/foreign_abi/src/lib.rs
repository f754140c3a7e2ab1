//! A library with the header that an abi_stable of the future would have: the host must read no further.

/// The header's form, which is the same in every version: a magic text, and the version.
#[repr(C)]
pub struct Header {
    magic: [u8; 32],
    major: u32,
    minor: u32,
}

/// What the host looks for.
#[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
pub static HEADER: Header = Header {
    magic: *b"abi stable library for Rust     ",
    major: 0,
    minor: 99,
};
