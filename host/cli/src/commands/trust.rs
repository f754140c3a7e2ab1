//! `modelzoo trust`: whose code may run.

use super::{
    plan::Plan,
    zoo::{open, open_offline},
};
use crate::{
    arguments::{DryRunArgument, Global, JsonArgument},
    exit::Exit,
    terminal::{Terminal, count, print_json, print_table},
};
use clap::{Args, Subcommand};
use modelzoo::{Zoo, ZooError};
use modelzoo_sources::{
    source::SourceError,
    trust::{Decision, DecisionKind, Subject},
};

#[derive(Clone, Debug, Args)]
pub struct TrustArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// List the decisions
    List(JsonArgument),
    /// Allow the code of a source, exactly as it is at this ref
    Allow {
        /// user/repo@ref, a Git or archive URL
        source: String,

        #[command(flatten)]
        dry_run: DryRunArgument,
    },
    /// Deny all code of a source or an owner
    Deny {
        /// A source, or an owner such as github.com/acme
        source: String,

        #[command(flatten)]
        dry_run: DryRunArgument,
    },
    /// Take back what was decided
    Revoke {
        /// The source or owner
        source: String,

        #[command(flatten)]
        dry_run: DryRunArgument,
    },
}

pub fn run(arguments: &TrustArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    let zoo = open(global, terminal)?;
    let decisions = zoo.decisions();
    match &arguments.action {
        Action::List(JsonArgument { json: true }) => print_json(&decisions.list()?)?,
        Action::List(JsonArgument { json: false }) => {
            let row = |decision: &Decision| {
                let kind = match decision.kind {
                    DecisionKind::Allowed => "allowed",
                    DecisionKind::Denied => "denied",
                };
                let commit = decision.commit.clone().unwrap_or_default();
                [
                    decision.identity.clone(),
                    kind.to_owned(),
                    commit,
                    decision.decided_at.to_string(),
                ]
            };
            let rows: Vec<_> = decisions.list()?.iter().map(row).collect();
            if rows.is_empty() {
                terminal.say("nothing is decided yet");
            }
            print_table(["source", "decision", "commit", "decided"], &rows)?;
        }
        Action::Allow { source, dry_run } => {
            let reference = zoo.parse_reference(source)?;
            if dry_run.dry_run {
                let plan = match open_offline(global, terminal)?.find_source(&reference) {
                    Ok(source) => format!("allow {}, as it is at tree {}", source.identity, source.tree_hash),
                    Err(ZooError::Source(SourceError::Offline { reference })) if !global.offline => {
                        format!("fetch {reference} and allow it")
                    }
                    Err(error) => return Err(error.into()),
                };
                Plan::default().and(plan).print(false)?;
                return Ok(Exit::Done);
            }
            let source = zoo.find_source(&reference)?;
            decisions.allow(&Subject::of(&source))?;
            terminal.say(format!(
                "{} may run, as it is at tree {}",
                source.identity, source.tree_hash
            ));
        }
        Action::Deny { source, dry_run } => {
            let identity = identity(&zoo, source);
            if dry_run.dry_run {
                Plan::default().and(format!("deny {identity}")).print(false)?;
                return Ok(Exit::Done);
            }
            decisions.deny(&identity)?;
            terminal.say(format!("{identity} may not run"));
        }
        Action::Revoke { source, dry_run } => {
            let identity = identity(&zoo, source);
            if dry_run.dry_run {
                let all = decisions.list()?;
                let revoked = all.iter().filter(|decision| decision.identity == identity);
                let plan = match revoked.count() {
                    0 => Plan::default(),
                    many => Plan::default()
                        .and(format!("revoke {} on {identity}", count(many as u64, "decision"))),
                };
                plan.print(false)?;
                return Ok(Exit::Done);
            }
            let revoked = decisions.revoke(&identity)?;
            terminal.say(format!(
                "revoked {} on {identity}",
                count(revoked.len() as u64, "decision")
            ));
        }
    }
    Ok(Exit::Done)
}

/// The identity of a source; of an owner, which is none, its name as it stands.
fn identity(zoo: &Zoo, text: &str) -> String {
    zoo.parse_reference(text)
        .map_or_else(|_| text.to_owned(), |reference| reference.identity())
}
