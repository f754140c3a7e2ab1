//! `modelzoo verify --rebuild`: whether compiled plugins are what their sources give.

use super::open::open;
use crate::{
    arguments::{Global, VerifyArguments},
    exit::Exit,
    terminal::{Hinted, Result, Terminal, count, print_json, print_line},
};
use modelzoo::{
    ArtifactRecord, Difference, Finding, Ingredient, LoadSettings, Mismatch, Rebuilt, SectionDifference,
    diagnosis::ErrorClass, variant_of,
};
use serde_json::{Value, json};

/// How many names of functions are shown.
const SHOWN_NAMES: usize = 5;

/// How much of a hash is shown beside another one.
const SHOWN_DIGITS: usize = 16;

pub fn run(arguments: &VerifyArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    let zoo = open(global, terminal)?;
    let sources = match arguments.sources.is_empty() {
        true => zoo.locked_sources(),
        false => arguments.sources.clone(),
    };
    if sources.is_empty() {
        return Err(Hinted {
            message: "no lock file says whose plugins are to be compiled anew".to_owned(),
            hint: "name a source: `modelzoo verify --rebuild user/repo@v1`".to_owned(),
            class: ErrorClass::NotFound,
        }
        .into());
    }
    let (mut all, mut exit) = (Vec::new(), Exit::Done);
    for source in &sources {
        let model = zoo.parse_model(source, None)?;
        for rebuilt in zoo.rebuild(&model, &LoadSettings::default())? {
            exit = worse(exit, &rebuilt.finding);
            if arguments.facts.json {
                all.push(facts(&rebuilt));
            } else {
                lines(&rebuilt).iter().try_for_each(print_line)?;
                advise(&rebuilt.finding, terminal);
            }
        }
    }
    if arguments.facts.json {
        print_json(&all)?;
    }
    Ok(exit)
}

/// What is known to be something else counts more than what nobody knows.
fn worse(exit: Exit, finding: &Finding) -> Exit {
    match (exit, finding) {
        (Exit::Integrity, _) | (_, Finding::Different { .. }) => Exit::Integrity,
        (Exit::Incompatible, _) | (_, Finding::Unknown(_)) => Exit::Incompatible,
        _ => exit,
    }
}

fn facts(rebuilt: &Rebuilt) -> Value {
    let record = &rebuilt.plugin;
    let mut facts = json!({
        "source": rebuilt.source,
        "commit": record.commit,
        "target": record.target,
        "variant": variant_of(&record.features),
        "prebuilt": record.prebuilt.as_ref().map(|prebuilt| &prebuilt.url),
        "sha256": record.sha256,
    });
    match &rebuilt.finding {
        Finding::Same => facts["result"] = "same".into(),
        Finding::Different { sha256, difference } => {
            facts["result"] = "different".into();
            facts["rebuilt_sha256"] = json!(sha256);
            facts["difference"] = json!(difference);
        }
        Finding::Unknown(mismatches) => {
            facts["result"] = "unknown".into();
            facts["mismatches"] = json!(mismatches);
        }
    }
    facts
}

fn lines(rebuilt: &Rebuilt) -> Vec<String> {
    let ArtifactRecord { sha256, prebuilt, .. } = &rebuilt.plugin;
    let plugin = match prebuilt {
        Some(prebuilt) => format!("{}, as its author compiled it ({})", rebuilt.source, prebuilt.url),
        None => format!("{}, as it was compiled here", rebuilt.source),
    };
    match &rebuilt.finding {
        Finding::Same => vec![format!(
            "{plugin}: what its source gives, byte for byte; its SHA-256 is {sha256}"
        )],
        Finding::Different {
            sha256: anew,
            difference,
        } => {
            let head =
                format!("{plugin}: NOT what its source gives: its SHA-256 is {sha256} instead of {anew}");
            [head].into_iter().chain(differences(difference)).collect()
        }
        Finding::Unknown(mismatches) => {
            let head = format!("{plugin}: this machine cannot tell, as it was compiled otherwise");
            [head]
                .into_iter()
                .chain(mismatches.iter().map(mismatch))
                .collect()
        }
    }
}

fn differences(difference: &Difference) -> Vec<String> {
    let [here, anew] = difference.size_bytes;
    let mut lines = vec![match here == anew {
        true => format!("  both have {here} bytes"),
        false => format!("  it has {here} bytes instead of {anew}"),
    }];
    lines.extend(difference.sections.iter().map(section));
    let symbols = &difference.symbols;
    for (what, names) in [
        ("with other bytes", &symbols.changed),
        ("only in it", &symbols.only_first),
        ("only in what the source gives", &symbols.only_second),
    ] {
        if !names.is_empty() {
            let shown = names[..names.len().min(SHOWN_NAMES)].join(", ");
            let more = match names.len() > SHOWN_NAMES {
                true => ", ...",
                false => "",
            };
            lines.push(format!(
                "  {} {what}: {shown}{more}",
                count(names.len() as u64, "symbol")
            ));
        }
    }
    lines
}

fn section(section: &SectionDifference) -> String {
    let name = &section.name;
    match (section.size_bytes, section.changed_bytes) {
        ([Some(size), _], Some(changed)) => format!("  section {name}: {changed} of {size} bytes differ"),
        ([Some(here), Some(anew)], None) => format!("  section {name}: {here} bytes instead of {anew}"),
        ([Some(_), None], _) => format!("  section {name}: only in it"),
        ([None, _], _) => format!("  section {name}: only in what the source gives"),
    }
}

fn mismatch(mismatch: &Mismatch) -> String {
    let what = match mismatch.what {
        Ingredient::Target => "target",
        Ingredient::Compiler => "compiler",
        Ingredient::Sdk => "SDK of modelzoo",
        Ingredient::Flags => "flags",
        Ingredient::Crates => "versions of crates (Cargo.lock)",
        _ => "something else",
    };
    let is_hash = matches!(mismatch.what, Ingredient::Sdk | Ingredient::Crates);
    let shown = |text: &str| {
        let first = text.lines().next().unwrap_or_default();
        match is_hash {
            true => first.chars().take(SHOWN_DIGITS).collect(),
            false => first.to_owned(),
        }
    };
    format!(
        "  {what}: {} then, {} here",
        shown(&mismatch.then),
        shown(&mismatch.here)
    )
}

/// What would tell.
fn advise(finding: &Finding, terminal: &Terminal) {
    let Finding::Unknown(mismatches) = finding else {
        return;
    };
    for mismatch in mismatches {
        match mismatch.what {
            Ingredient::Compiler => {
                let release = mismatch
                    .then
                    .lines()
                    .find_map(|line| line.strip_prefix("release: "));
                if let Some(release) = release {
                    terminal.say(format!(
                        "with that compiler it can be told: `rustup toolchain install {release}`, then the same \
                         command with RUSTUP_TOOLCHAIN={release} before it"
                    ));
                }
            }
            Ingredient::Sdk | Ingredient::Flags => {
                terminal.say("the version of modelzoo that it was compiled by can tell");
            }
            Ingredient::Target => terminal.say("a machine of that target can tell"),
            Ingredient::Crates => {
                terminal.say("a source without a complete Cargo.lock gives something else from day to day");
            }
            _ => {}
        }
    }
}
