//! Nobody's code runs before the user has allowed it.

use modelzoo_sources::trust::{Summary, Undecided};

/// Is asked before a stranger's code runs. A closure of the same form is one as well.
pub trait Consent: Send + Sync {
    /// Whether somebody can be asked. Where nobody can, what the question would say is not found out.
    fn can_ask(&self) -> bool {
        true
    }

    /// Whether the code that `summary` describes may run. `None` where nobody can be asked after all.
    fn ask(&self, summary: &Summary, undecided: &Undecided) -> Option<bool>;
}

/// There is nobody to ask: only what was allowed before may run.
#[derive(Clone, Copy, Debug, Default)]
pub struct NobodyToAsk;

impl Consent for NobodyToAsk {
    fn can_ask(&self) -> bool {
        false
    }

    fn ask(&self, _summary: &Summary, _undecided: &Undecided) -> Option<bool> {
        None
    }
}

impl<F: Fn(&Summary, &Undecided) -> Option<bool> + Send + Sync> Consent for F {
    fn ask(&self, summary: &Summary, undecided: &Undecided) -> Option<bool> {
        self(summary, undecided)
    }
}
