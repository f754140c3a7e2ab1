//! Exports what `brightest.cpp` defines: a library of cargo's shows nothing to the outside that no Rust exports.

use std::ffi::c_void;

unsafe extern "C" {
    safe fn brightest_plugin() -> *const c_void;
}

/// The entry that `modelzoo.h` declares.
#[unsafe(no_mangle)]
pub extern "C" fn modelzoo_plugin() -> *const c_void {
    brightest_plugin()
}
