//! `modelzoo doctor`: why does it not work here?

use crate::{
    arguments::JsonArgument,
    exit::Exit,
    terminal::{Result, print_checks, print_json},
};
use modelzoo::doctor::{Verdict, examine};

pub fn run(facts: JsonArgument) -> Result<Exit> {
    let checks = examine()?;
    if facts.json {
        print_json(&checks)?;
    } else {
        print_checks(&checks)?;
    }
    let is_bad = checks.iter().any(|check| check.verdict == Verdict::Bad);
    Ok(if is_bad { Exit::Failed } else { Exit::Done })
}
