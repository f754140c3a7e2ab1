//! A source that does not compile.

pub fn broken() -> u32 {
    "this is no number"
}
