//! The verdicts so far.

use crate::{exit::Exit, terminal::Failure};
use modelzoo::doctor::{Check, Verdict};

/// The verdicts so far, and how the program ends because of them.
#[derive(Debug)]
pub struct Report {
    checks: Vec<Check>,
    exit: Exit,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            checks: Vec::new(),
            exit: Exit::Done,
        }
    }
}

impl Report {
    /// All verdicts.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// How the program ends: as the first bad verdict says.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Something is as it should be.
    pub fn good(&mut self, name: impl Into<String>, detail: impl Into<String>) {
        self.checks.push(Check::good(name.into(), detail));
    }

    /// Something works, but not for everybody or not as well as it could.
    pub fn warning(&mut self, name: impl Into<String>, detail: impl Into<String>, remedy: impl Into<String>) {
        self.checks.push(Check::warning(name.into(), detail, remedy));
    }

    /// Something does not work.
    pub fn bad(&mut self, name: impl Into<String>, detail: impl Into<String>, remedy: impl Into<String>) {
        self.add_bad(Check::bad(name.into(), detail, remedy), Exit::Failed);
    }

    /// Something failed with an error, which brings its own exit code, and mostly its own hint; `remedy` is for those
    /// without one.
    pub fn error(&mut self, name: impl Into<String>, error: impl Into<Failure>, remedy: &str) {
        let failure: Failure = error.into();
        let mut detail = vec![failure.message()];
        detail.extend(failure.causes());
        let remedy = failure.hint().unwrap_or_else(|| remedy.to_owned());
        self.add_bad(Check::bad(name.into(), detail.join(": "), remedy), failure.exit());
    }

    fn add_bad(&mut self, check: Check, exit: Exit) {
        debug_assert_eq!(
            check.verdict,
            Verdict::Bad,
            "only what is bad changes the exit code"
        );
        if self.exit == Exit::Done {
            self.exit = exit;
        }
        self.checks.push(check);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Context as _;

    #[test]
    fn the_first_bad_verdict_says_how_it_ends() {
        let mut report = Report::default();
        report.good("a", "is there");
        report.warning("b", "is small", "make it larger");
        assert_eq!(report.exit(), Exit::Done);
        report.bad("c", "is missing", "write it");
        let inner = Err::<(), _>(Failure::new("inner"));
        report.error("d", inner.context("outer").unwrap_err(), "mend it");
        assert_eq!(report.exit(), Exit::Failed);
        assert_eq!(report.checks()[3].detail, "outer: inner");
        assert_eq!(report.checks()[3].remedy.as_deref(), Some("mend it"));
    }
}
