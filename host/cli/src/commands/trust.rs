//! `modelzoo trust`: whose code may run.

use super::{
    open::{open, open_to_plan},
    plan::carry_out,
};
use crate::{
    arguments::{Global, TrustAction, TrustArguments},
    exit::Exit,
    terminal::{Result, Terminal, count, print_json, print_table},
};
use modelzoo::trust::{Decision, DecisionKind};

pub fn run(arguments: &TrustArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    match &arguments.action {
        TrustAction::List(facts) => {
            let decisions = open(global, terminal)?.trust_decisions()?;
            if facts.json {
                print_json(&decisions)?;
            } else {
                print_decisions(&decisions, terminal)?;
            }
        }
        TrustAction::Allow { source, dry_run } => {
            let zoo = open_to_plan(*dry_run, global, terminal)?;
            let plan = zoo.plan_allow(&zoo.parse_reference(source)?)?;
            if let Some(source) = carry_out(plan, *dry_run, false)? {
                terminal.say(format!(
                    "{} may run, as it is at tree {}",
                    source.identity, source.tree_hash
                ));
            }
        }
        TrustAction::Deny { source, dry_run } => {
            let zoo = open(global, terminal)?;
            if let Some(identity) = carry_out(zoo.plan_deny(source), *dry_run, false)? {
                terminal.say(format!("{identity} may not run"));
            }
        }
        TrustAction::Revoke { source, dry_run } => {
            let zoo = open(global, terminal)?;
            if let Some((identity, revoked)) = carry_out(zoo.plan_revoke(source)?, *dry_run, false)? {
                terminal.say(format!(
                    "revoked {} on {identity}",
                    count(revoked.len() as u64, "decision")
                ));
            }
        }
    }
    Ok(Exit::Done)
}

fn print_decisions(decisions: &[Decision], terminal: &Terminal) -> Result<()> {
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
    if decisions.is_empty() {
        terminal.say("nothing is decided yet");
    }
    let rows: Vec<_> = decisions.iter().map(row).collect();
    Ok(print_table(["source", "decision", "commit", "decided"], &rows)?)
}
