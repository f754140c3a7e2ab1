//! Whose code may run: what the user has decided, and is asked.

use super::{FoundModel, Zoo, find::Known, prebuilt::facts};
use crate::{
    error::ZooError,
    plan::{Plan, PlannedStep},
    settings::LoadSettings,
};
use modelzoo_base::error::in_one_line;
use modelzoo_runtime::{BuildCrate, PrebuiltRecord};
use modelzoo_sources::{
    SourceRef,
    source::ResolvedSource,
    trust::{CrateFacts, Decision, Subject, Summary, TrustError, Undecided, Verdict, check},
};
use std::time::SystemTime;

/// Allows the code of a source exactly as it is; gives the source.
#[derive(Debug)]
pub struct AllowPlan<'a> {
    zoo: &'a Zoo,
    source: Known<Box<ResolvedSource>>,
}

/// Denies all code of a source or an owner; gives its identity.
#[derive(Debug)]
pub struct DenyPlan<'a> {
    zoo: &'a Zoo,
    identity: String,
}

/// Takes back what was decided; gives the identity of the source or owner, and the decisions.
#[derive(Debug)]
pub struct RevokePlan<'a> {
    zoo: &'a Zoo,
    identity: String,
    decisions: u64,
}

impl Zoo {
    /// What the user has decided.
    ///
    /// # Errors
    /// When the decisions cannot be read.
    pub fn trust_decisions(&self) -> Result<Vec<Decision>, ZooError> {
        Ok(self.decisions().list()?)
    }

    /// What it takes to allow the code of a source, exactly as it is.
    ///
    /// # Errors
    /// When the source cannot be had.
    pub fn plan_allow(&self, reference: &SourceRef) -> Result<AllowPlan<'_>, ZooError> {
        let source = self.or_deferred(self.find_source(reference).map(Box::new))?;
        Ok(AllowPlan { zoo: self, source })
    }

    /// What it takes to deny all code of a source, or of an owner such as `github.com/acme`.
    pub fn plan_deny(&self, source_or_owner: &str) -> DenyPlan<'_> {
        DenyPlan {
            zoo: self,
            identity: self.identity(source_or_owner),
        }
    }

    /// What it takes to take back what was decided on a source or an owner.
    ///
    /// # Errors
    /// When the decisions cannot be read.
    pub fn plan_revoke(&self, source_or_owner: &str) -> Result<RevokePlan<'_>, ZooError> {
        let identity = self.identity(source_or_owner);
        let all = self.trust_decisions()?;
        let decisions = all.iter().filter(|decision| decision.identity == identity);
        Ok(RevokePlan {
            zoo: self,
            decisions: decisions.count() as u64,
            identity,
        })
    }

    /// What has to be asked before the code of `model` may be built and run; `None` where the policy or an earlier
    /// decision allows it.
    pub(super) fn undecided(&self, model: &FoundModel) -> Result<Option<Undecided>, ZooError> {
        let (policy, decisions) = (&self.settings.config.trust, self.decisions());
        match check(&Subject::of(&model.source), policy, &decisions, SystemTime::now())? {
            Verdict::Trusted(_) => Ok(None),
            Verdict::Undecided(undecided) => Ok(Some(undecided)),
        }
    }

    /// Refuses a model whose source or owner is denied, whether or not code of it would run.
    pub(super) fn refuse_denied(&self, model: &FoundModel) -> Result<(), ZooError> {
        match self.undecided(model) {
            Err(ZooError::Trust(error @ (TrustError::Denied { .. } | TrustError::DeniedByPolicy { .. }))) => {
                Err(error.into())
            }
            _ => Ok(()),
        }
    }

    /// Whether the user can be asked; where not, nothing is done that a question would come after.
    ///
    /// # Errors
    /// When he would have to be asked, and cannot be.
    pub(super) fn require_someone_to_ask(&self, undecided: Option<&Undecided>) -> Result<(), ZooError> {
        match undecided {
            Some(undecided) if !self.settings.consent.can_ask() => Err(undecided.clone().into_error().into()),
            _ => Ok(()),
        }
    }

    /// Asks whether the code of `model` may run, as it was compiled by its author if it was `prebuilt`, and remembers a
    /// yes.
    pub(super) fn ask(
        &self,
        model: &FoundModel,
        settings: &LoadSettings,
        prebuilt: Option<&PrebuiltRecord>,
        undecided: Undecided,
    ) -> Result<(), ZooError> {
        let consent = &self.settings.consent;
        let summary = || match prebuilt {
            Some(record) => Summary::of(&model.source, &model.manifest).with_prebuilt(facts(record)),
            None => self.summary(model, settings),
        };
        let is_allowed = consent.can_ask() && consent.ask(&summary(), &undecided) == Some(true);
        match is_allowed {
            true => Ok(self.decisions().allow(&Subject::of(&model.source))?),
            false => Err(undecided.into_error().into()),
        }
    }

    /// What to say of `model` in the question whether its code may run.
    fn summary(&self, model: &FoundModel, settings: &LoadSettings) -> Summary {
        let summary = Summary::of(&model.source, &model.manifest);
        let facts = |one: BuildCrate| CrateFacts {
            name: one.name,
            source: one.source,
            has_build_script: one.has_build_script,
            is_proc_macro: one.is_proc_macro,
        };
        match self.plugin_crates(model, settings) {
            Ok(crates) => summary.with_crates(&crates.into_iter().map(facts).collect::<Vec<_>>()),
            // The question says what is not known, and the build, if there is one, why.
            Err(error) => {
                tracing::debug!("{}", in_one_line(&error));
                summary
            }
        }
    }

    /// The identity of a source; of an owner, which is none, its name as it stands.
    fn identity(&self, text: &str) -> String {
        self.parse_reference(text)
            .map_or_else(|_| text.to_owned(), |reference| reference.identity())
    }
}

impl Plan for AllowPlan<'_> {
    type Step = PlannedStep;
    type Outcome = ResolvedSource;
    type Error = ZooError;

    fn steps(&self) -> Result<Vec<PlannedStep>, ZooError> {
        Ok(match &self.source {
            Known::Here(source) => vec![PlannedStep::Allow {
                source: source.identity.clone(),
                tree_hash: Some(source.tree_hash.to_string()),
            }],
            Known::Elsewhere { reference } => vec![PlannedStep::Allow {
                source: reference.clone(),
                tree_hash: None,
            }],
        })
    }

    fn execute(self) -> Result<ResolvedSource, ZooError> {
        let source = self.source.here()?;
        self.zoo.decisions().allow(&Subject::of(&source))?;
        Ok(*source)
    }
}

impl Plan for DenyPlan<'_> {
    type Step = PlannedStep;
    type Outcome = String;
    type Error = ZooError;

    fn steps(&self) -> Result<Vec<PlannedStep>, ZooError> {
        Ok(vec![PlannedStep::Deny {
            identity: self.identity.clone(),
        }])
    }

    fn execute(self) -> Result<String, ZooError> {
        self.zoo.decisions().deny(&self.identity)?;
        Ok(self.identity)
    }
}

impl Plan for RevokePlan<'_> {
    type Step = PlannedStep;
    type Outcome = (String, Vec<Decision>);
    type Error = ZooError;

    fn steps(&self) -> Result<Vec<PlannedStep>, ZooError> {
        let step = PlannedStep::Revoke {
            identity: self.identity.clone(),
            decisions: self.decisions,
        };
        Ok(Vec::from_iter((self.decisions > 0).then_some(step)))
    }

    fn execute(self) -> Result<(String, Vec<Decision>), ZooError> {
        let revoked = self.zoo.decisions().revoke(&self.identity)?;
        Ok((self.identity, revoked))
    }
}
