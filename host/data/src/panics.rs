//! Panics that cost one item. A decoder of a stranger's format can meet bytes that its authors did not think of; that
//! must not end a run of a million other files.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

thread_local! {
    /// Whether this thread is inside of [`contained`].
    static IS_CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// What a panic said, on one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Panic {
    message: String,
}

/// Does a piece of work on one item. Whatever the work can reach from outside must be thrown away when it fails, as
/// what it did is half done.
///
/// # Errors
/// When the work panicked. Nothing is printed then: who asked tells it.
pub fn contained<T>(work: impl FnOnce() -> T) -> Result<T, Panic> {
    silence_contained_panics();
    let was_contained = IS_CONTAINED.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    IS_CONTAINED.set(was_contained);
    outcome.map_err(|payload| {
        let message = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or("it said nothing");
        Panic {
            message: message.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    })
}

/// Every other panic is reported as it was before.
fn silence_contained_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // The thread's storage is gone when a panic comes while it ends.
            if !IS_CONTAINED.try_with(Cell::get).unwrap_or(false) {
                report(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_on_one_line() {
        assert_eq!(contained(|| 1), Ok(1));
        let fault = contained(|| panic!("index {} is\n out of bounds", 7)).expect_err("it panics");
        assert_eq!(fault.to_string(), "index 7 is out of bounds");
        let fault: Panic = contained(|| panic::panic_any(7)).expect_err("it panics");
        assert_eq!(fault.to_string(), "it said nothing");
    }

    #[test]
    fn one_may_be_inside_of_another() {
        let outer = contained(|| {
            contained(|| panic!("inner")).expect_err("it panics");
            IS_CONTAINED.get()
        });
        assert_eq!(outer, Ok(true));
        assert!(!IS_CONTAINED.get());
    }
}
