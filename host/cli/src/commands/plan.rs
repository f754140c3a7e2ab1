//! `--dry-run`: what a command would do, said on standard output instead of done.

use crate::{
    arguments::DryRunArgument,
    terminal::{Failure, Result, count, print_json, print_line},
};
use indicatif::HumanBytes;
use modelzoo::{Plan, PlannedStep};

/// Does what the plan says; with `--dry-run` only says it, and nothing comes of it.
pub fn carry_out<P>(plan: P, dry_run: DryRunArgument, json: bool) -> Result<Option<P::Outcome>>
where
    P: Plan<Step: Sentence, Error: Into<Failure>>,
{
    if !dry_run.dry_run {
        return plan.execute().map(Some).map_err(Into::into);
    }
    let steps = plan.steps().map_err(Into::into)?;
    let steps: Vec<String> = steps.iter().map(Sentence::sentence).collect();
    if json {
        print_json(&serde_json::json!({ "dry_run": true, "would": steps }))?;
        return Ok(None);
    }
    if steps.is_empty() {
        print_line("there is nothing to do")?;
    }
    for step in &steps {
        print_line(format_args!("would {step}"))?;
    }
    Ok(None)
}

/// A step in words: what follows after `would`.
pub trait Sentence {
    fn sentence(&self) -> String;
}

impl Sentence for String {
    fn sentence(&self) -> String {
        self.clone()
    }
}

impl Sentence for PlannedStep {
    fn sentence(&self) -> String {
        match self {
            Self::Fetch { source } => format!("fetch {source}, which tells what else there is to do"),
            Self::Ask { source, allow } => {
                format!("ask whether the code of {source} may run (`modelzoo trust allow {allow}` allows it)")
            }
            Self::Build { source } => format!("build the plugin of {source}"),
            Self::TakePrebuilt { source, from } => format!(
                "take the plugin of {source} that its author compiled, from {}, or else build it",
                from.join(" or ")
            ),
            Self::Download {
                file,
                from,
                size_bytes,
            } => {
                let size =
                    size_bytes.map_or("of unknown size".to_owned(), |size| HumanBytes(size).to_string());
                match from.first() {
                    Some(url) => format!("download {file} ({size}) from {url}"),
                    None => format!("let the plugin download {file} ({size})"),
                }
            }
            Self::Register { source, models } => match models {
                Some(models) => format!("register {source} with {}", count(*models, "model")),
                None => format!("fetch {source} and register it"),
            },
            Self::Forget { source } => format!("forget {source}"),
            Self::Allow { source, tree_hash } => match tree_hash {
                Some(tree_hash) => format!("allow {source}, as it is at tree {tree_hash}"),
                None => format!("fetch {source} and allow it"),
            },
            Self::Deny { identity } => format!("deny {identity}"),
            Self::Revoke { identity, decisions } => {
                format!("revoke {} on {identity}", count(*decisions, "decision"))
            }
            Self::Delete { path } => format!("delete {}", path.display()),
            Self::Lock { path, change } => format!("write to {}: {change}", path.display()),
            Self::SaveBundle { path, sources } => {
                format!(
                    "write {} and what they need to {}",
                    sources.join(", "),
                    path.display()
                )
            }
            Self::LoadBundle {
                path,
                sources,
                size_bytes,
            } => format!(
                "take {} out of {} ({}) and register them",
                sources.join(", "),
                path.display(),
                HumanBytes(*size_bytes)
            ),
            Self::CreateDataset { path, samples } => {
                format!(
                    "make the dataset {} of {}",
                    path.display(),
                    count(*samples, "sample")
                )
            }
            Self::Import {
                path,
                input,
                is_new: true,
            } => format!("make the dataset {} of {}", path.display(), input.display()),
            Self::Import {
                path,
                input,
                is_new: false,
            } => format!("add {} to the dataset {}", input.display(), path.display()),
            Self::Export {
                path,
                format,
                samples,
                replaces,
            } => format!(
                "write {} to {} ({format}){}",
                count(*samples, "sample"),
                path.display(),
                if *replaces {
                    ", in place of the file that is there"
                } else {
                    ""
                }
            ),
            // A step that was added to the library later is still a step.
            _ => "do what a newer version of the library does".to_owned(),
        }
    }
}
