//! The convention for errors: each says what went wrong, what class of failure it is and what to do next.
//!
//! `Display` says what one level knows and never what its source says; [`std::error::Error::source`] leads on. So a
//! front end may print the levels one below the other, or [`in_one_line`].

mod chain;
mod class;
mod next_step;

pub use chain::{chain, in_one_line, is_broken_pipe};
pub use class::ErrorClass;
pub use next_step::NextStep;

use std::io;

/// An error that says how it counts and what to do about it.
pub trait Diagnose: std::error::Error + Send + Sync + 'static {
    /// What kind of failure it is.
    fn class(&self) -> ErrorClass;

    /// What to do next, where there is something.
    fn next_step(&self) -> Option<NextStep>;
}

impl<E: Diagnose> Diagnose for Box<E> {
    fn class(&self) -> ErrorClass {
        E::class(self)
    }

    fn next_step(&self) -> Option<NextStep> {
        E::next_step(self)
    }
}

impl Diagnose for io::Error {
    /// That a file is missing means something to whoever knows what the file was for.
    fn class(&self) -> ErrorClass {
        ErrorClass::Failed
    }

    fn next_step(&self) -> Option<NextStep> {
        None
    }
}
