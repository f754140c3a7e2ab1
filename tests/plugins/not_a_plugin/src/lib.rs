//! A library that exports something, but no model source.

/// The answer.
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> i32 {
    42
}
