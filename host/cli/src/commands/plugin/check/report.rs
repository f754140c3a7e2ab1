//! What was found so far.

use super::rules::Rule;
use crate::{exit::Exit, terminal::Failure};
use modelzoo::doctor::{Check, Verdict};
use serde::Serialize;

/// What was found when one rule was looked at.
#[derive(Debug, Serialize)]
pub struct Finding {
    #[serde(rename = "rule", serialize_with = "id_of")]
    rule: &'static Rule,
    /// The model that it is about; `None` is about the source.
    model: Option<String>,
    verdict: Verdict,
    detail: String,
    /// What to do about it, where the rule is broken.
    remedy: Option<String>,
}

/// What was found so far, and how the program ends because of it.
#[derive(Debug)]
pub struct Report {
    findings: Vec<Finding>,
    exit: Exit,
    model: Option<String>,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            findings: Vec::new(),
            exit: Exit::Done,
            model: None,
        }
    }
}

impl Report {
    /// All that was found.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The same as checks of things with names.
    pub fn checks(&self) -> Vec<Check> {
        self.findings.iter().map(Finding::to_check).collect()
    }

    /// How the program ends: as the first broken rule says.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// What is found from now on is about this model.
    pub fn turn_to(&mut self, model: String) {
        self.model = Some(model);
    }

    /// How many rules are broken.
    pub fn broken(&self) -> usize {
        let is_bad = |finding: &&Finding| finding.verdict == Verdict::Bad;
        self.findings.iter().filter(is_bad).count()
    }

    /// The rule is kept.
    pub fn good(&mut self, rule: &'static Rule, detail: impl Into<String>) {
        self.add(rule, Verdict::Good, detail.into(), None);
    }

    /// It works, but not for everybody or not as well as it could.
    pub fn warning(&mut self, rule: &'static Rule, detail: impl Into<String>) {
        self.add(
            rule,
            Verdict::Warning,
            detail.into(),
            Some(rule.remedy.to_owned()),
        );
    }

    /// The rule is broken.
    pub fn bad(&mut self, rule: &'static Rule, detail: impl Into<String>) {
        self.add(rule, Verdict::Bad, detail.into(), Some(rule.remedy.to_owned()));
    }

    /// The rule is broken, and this is what to do about it.
    pub fn bad_with(&mut self, rule: &'static Rule, detail: impl Into<String>, remedy: impl Into<String>) {
        self.add(rule, Verdict::Bad, detail.into(), Some(remedy.into()));
    }

    /// The rule is broken by an error, which brings its own exit code, and mostly its own hint.
    pub fn error(&mut self, rule: &'static Rule, error: impl Into<Failure>) {
        let failure: Failure = error.into();
        let mut detail = vec![failure.message()];
        detail.extend(failure.causes());
        let remedy = failure.hint().unwrap_or_else(|| rule.remedy.to_owned());
        if self.exit == Exit::Done {
            self.exit = failure.exit();
        }
        self.add(rule, Verdict::Bad, detail.join(": "), Some(remedy));
    }

    /// The value of a result; an error breaks the rule.
    pub fn value<T>(&mut self, rule: &'static Rule, result: Result<T, impl Into<Failure>>) -> Option<T> {
        result.map_err(|error| self.error(rule, error)).ok()
    }

    fn add(&mut self, rule: &'static Rule, verdict: Verdict, detail: String, remedy: Option<String>) {
        if verdict == Verdict::Bad && self.exit == Exit::Done {
            self.exit = Exit::Failed;
        }
        self.findings.push(Finding {
            rule,
            model: self.model.clone(),
            verdict,
            detail,
            remedy,
        });
    }
}

impl Finding {
    fn to_check(&self) -> Check {
        let name = match &self.model {
            Some(model) => format!("{model}: {}", self.rule.id),
            None => self.rule.id.to_owned(),
        };
        Check {
            name: name.into(),
            verdict: self.verdict,
            detail: self.detail.clone(),
            remedy: self.remedy.clone(),
        }
    }
}

fn id_of<S: serde::Serializer>(rule: &Rule, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(rule.id)
}

#[cfg(test)]
mod tests {
    use super::{super::rules, *};
    use crate::terminal::Context as _;

    #[test]
    fn the_first_broken_rule_says_how_it_ends() {
        let mut report = Report::default();
        report.good(&rules::MANIFEST, "is there");
        report.warning(&rules::LOCK_FILE, "is missing");
        assert_eq!((report.exit(), report.broken()), (Exit::Done, 0));
        report.bad(&rules::CRATE_TYPE, "is another");
        report.turn_to("m".to_owned());
        let inner = Err::<(), _>(Failure::new("inner"));
        report.error(&rules::LOAD, inner.context("outer").unwrap_err());
        assert_eq!((report.exit(), report.broken()), (Exit::Failed, 2));
        let checks = report.checks();
        assert_eq!(checks[2].remedy.as_deref(), Some(rules::CRATE_TYPE.remedy));
        assert_eq!(
            (checks[3].name.as_ref(), checks[3].detail.as_str()),
            ("m: load", "outer: inner")
        );
    }
}
