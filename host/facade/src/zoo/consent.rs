//! Nobody's code runs before the user has allowed it.

use super::{FoundModel, Zoo, ZooError};
use modelzoo_sources::trust::{Subject, Summary, Undecided, Verdict, check};
use std::time::SystemTime;

/// Is asked before a stranger's code runs.
pub trait Consent: Send + Sync {
    /// Whether the code that `summary` describes may run. `None` where nobody can be asked.
    fn ask(&self, summary: &Summary, undecided: &Undecided) -> Option<bool>;
}

/// There is nobody to ask: only what was allowed before may run.
#[derive(Clone, Copy, Debug, Default)]
pub struct NobodyToAsk;

impl Consent for NobodyToAsk {
    fn ask(&self, _summary: &Summary, _undecided: &Undecided) -> Option<bool> {
        None
    }
}

impl Zoo {
    /// Makes sure that the code of `model` may be built and run: by the policy, by an earlier decision, or by asking.
    ///
    /// # Errors
    /// When it may not; the error says how to allow it.
    pub fn require_trust(&self, model: &FoundModel) -> Result<(), ZooError> {
        let subject = Subject::of(&model.source);
        let decisions = self.decisions();
        match check(
            &subject,
            &self.settings.config.trust,
            &decisions,
            SystemTime::now(),
        )? {
            Verdict::Trusted(_) => Ok(()),
            Verdict::Undecided(undecided) => {
                let summary = Summary::of(&model.source, &model.manifest);
                match self.settings.consent.ask(&summary, &undecided) {
                    Some(true) => Ok(decisions.allow(&subject)?),
                    Some(false) | None => Err(undecided.into_error().into()),
                }
            }
        }
    }
}
