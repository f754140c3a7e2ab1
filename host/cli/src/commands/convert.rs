//! `modelzoo weights convert`: PyTorch's weights as a file that plugins read.

use crate::{
    arguments::{ConvertArguments, WeightsAction, WeightsArguments},
    exit::Exit,
    terminal::{Failure, Hinted, Result, Terminal, count, print_facts, print_json},
};
use indicatif::HumanBytes;
use modelzoo::{Sha256Digest, diagnosis::ErrorClass, weights::convert};
use std::path::{Path, PathBuf};

const ENDING: &str = "safetensors";

pub fn run(arguments: &WeightsArguments, terminal: &Terminal) -> Result<Exit> {
    let WeightsAction::Convert(arguments) = &arguments.action;
    let to = place(arguments)?;
    let converted = convert(&arguments.file, &to, arguments.half)?;
    let (sha256, size) = (Sha256Digest::of(&converted.bytes), converted.bytes.len());
    if arguments.facts.json {
        print_json(&serde_json::json!({
            "path": to,
            "tensors": converted.tensors,
            "left_out": converted.left_out,
            "kept_single": converted.kept_single,
            "sha256": sha256.to_string(),
            "size_bytes": size,
        }))?;
    } else {
        print_facts(
            &to.display().to_string(),
            &[
                ("tensors", Some(converted.tensors.to_string())),
                ("sha256", Some(sha256.to_string())),
                (
                    "size",
                    Some(format!("{size} bytes ({})", HumanBytes(size as u64))),
                ),
            ],
        )?;
    }
    if !converted.left_out.is_empty() {
        let left_out = count(converted.left_out.len() as u64, "tensor");
        terminal.say(format!("left out {left_out} that training alone needs"));
    }
    if !converted.kept_single.is_empty() {
        terminal.warn(format!(
            "too large for half precision, and not rounded: {}",
            converted.kept_single.join(", ")
        ));
    }
    Ok(Exit::Done)
}

/// Where to write to: never over something that nobody has named.
fn place(arguments: &ConvertArguments) -> Result<PathBuf> {
    let named = arguments
        .file
        .file_name()
        .map(Path::new)
        .unwrap_or(&arguments.file);
    let to = match &arguments.output {
        Some(output) => output.clone(),
        None => named.with_extension(ENDING),
    };
    if to.extension().is_none_or(|ending| ending != ENDING) {
        return Err(refusal(
            format!(
                "{} does not end in .{ENDING}, by which plugins know it",
                to.display()
            ),
            format!(
                "without `-o` it is called {}",
                named.with_extension(ENDING).display()
            ),
        ));
    }
    if to.exists() && !arguments.overwrite {
        return Err(refusal(
            format!("{} is there already", to.display()),
            "`--overwrite` replaces it, `-o` names another file".to_owned(),
        ));
    }
    Ok(to)
}

fn refusal(message: String, hint: String) -> Failure {
    let class = ErrorClass::Failed;
    Hinted { message, hint, class }.into()
}
