//! `modelzoo lock` and `modelzoo verify`: what is pinned, and whether it is intact.

use super::{open::open, plan::carry_out};
use crate::{
    arguments::{Global, JsonArgument, LockArguments},
    exit::Exit,
    terminal::{Result, Terminal, count, print_json, print_line},
};
use modelzoo::store::Verdict;

/// Writes the lock file: from what was run in this folder, or of the sources that are named.
pub fn lock(arguments: &LockArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    let zoo = open(global, terminal)?;
    let json = arguments.facts.json;
    let models = arguments
        .models
        .iter()
        .map(|model| zoo.parse_model(model, None))
        .collect::<Result<Vec<_>, _>>()?;
    let plan = match models.is_empty() {
        true => zoo.plan_lock()?,
        false => zoo.plan_lock_models(&models)?,
    };
    for model in plan.unknown_weights() {
        terminal.say(format!(
            "the weights of {model} are not pinned: what they are is known once `modelzoo download` has got them"
        ));
    }
    let Some((path, changes)) = carry_out(plan, arguments.dry_run, json)? else {
        return Ok(Exit::Done);
    };
    if json {
        print_json(&serde_json::json!({ "path": path, "changes": changes }))?;
    } else {
        changes.iter().try_for_each(print_line)?;
        terminal.say(format!(
            "{} in {}",
            count(changes.len() as u64, "change"),
            path.display()
        ));
    }
    Ok(Exit::Done)
}

/// Checks all that the store holds against its hashes.
pub fn verify(facts: JsonArgument, global: &Global, terminal: &Terminal) -> Result<Exit> {
    verify_store(facts.json, false, global, terminal)
}

/// As `verify`; with `repair`, what was changed is moved away and fetched again on its next use.
pub fn verify_store(json: bool, repair: bool, global: &Global, terminal: &Terminal) -> Result<Exit> {
    let zoo = open(global, terminal)?;
    let (mut checked, mut broken, mut printed) = (0, Vec::new(), Ok(()));
    zoo.store().verify(repair, &mut |entry, verdict| {
        checked += 1;
        if *verdict != Verdict::Intact {
            broken.push(serde_json::json!({ "entry": entry, "verdict": verdict }));
            // Whether or not somebody reads on, everything is checked.
            if !json && printed.is_ok() {
                printed = print_line(format_args!("{}: {}", entry.path.display(), describe(verdict)));
            }
        }
    })?;
    printed?;
    if json {
        print_json(&serde_json::json!({ "checked": checked, "broken": broken }))?;
    } else {
        terminal.say(format!(
            "{} checked, {} not intact",
            count(checked, "item"),
            broken.len()
        ));
    }
    Ok(if broken.is_empty() {
        Exit::Done
    } else {
        Exit::Integrity
    })
}

fn describe(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Intact => "intact".to_owned(),
        Verdict::Changed { found } => format!("changed, its hash is {found}"),
        Verdict::Unreadable { reason } => format!("cannot be read: {reason}"),
    }
}
