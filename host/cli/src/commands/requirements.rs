//! `modelzoo requirements`: what a model needs, and what this machine lacks of it.

use super::open::{named, open};
use crate::{
    arguments::{Global, ModelQueryArguments},
    exit::Exit,
    terminal::{Result, Terminal, print_facts, print_json, print_line},
};
use modelzoo::{
    LoadSettings,
    manifest::{Package, Requirements},
};
use serde_json::json;

pub fn run(arguments: &ModelQueryArguments, global: &Global, terminal: &Terminal) -> Result<Exit> {
    let zoo = open(global, terminal)?;
    let model = zoo.find(&named(&arguments.choice, &zoo)?)?;
    let unmet: Vec<String> = zoo
        .unmet_requirements(&model, &LoadSettings::default())
        .iter()
        .map(ToString::to_string)
        .collect();
    let needed = model.entry.requirements.as_ref();
    if arguments.facts.json {
        print_json(&json!({ "requirements": needed, "unmet": unmet }))?;
    } else {
        let name = model.entry.name();
        match needed {
            Some(needed) => print_facts(&name, &facts(needed))?,
            None => print_line(format_args!("{name} names no requirements"))?,
        }
        for unmet in &unmet {
            print_line(format_args!("missing: {unmet}"))?;
        }
    }
    Ok(if unmet.is_empty() {
        Exit::Done
    } else {
        Exit::Incompatible
    })
}

/// What the manifest asks for, in words.
fn facts(needed: &Requirements) -> Vec<(&'static str, Option<String>)> {
    let list = |items: &[String]| Some(items.join(", ")).filter(|text| !text.is_empty());
    let packages = |packages: &[Package]| {
        let names: Vec<String> = packages.iter().map(ToString::to_string).collect();
        list(&names)
    };
    let support = |is_supported: Option<bool>| {
        is_supported.map(|is_supported| if is_supported { "yes" } else { "no" }.to_owned())
    };
    let (cpu, gpu, plugin) = (
        needed.cpu.clone().unwrap_or_default(),
        needed.gpu.clone().unwrap_or_default(),
        needed.modelzoo.clone().unwrap_or_default(),
    );
    let minimum = plugin
        .min_api_version
        .map(|version| format!("{version} or later"));
    vec![
        ("runs on a CPU", support(cpu.support)),
        ("runs on a GPU", support(gpu.support)),
        ("CUDA", gpu.cuda_version.clone()),
        ("cuDNN", gpu.cudnn_version.clone()),
        ("plugin API", minimum),
        ("targets", list(&plugin.targets)),
        ("Cargo features", list(&plugin.features)),
        ("system libraries", list(&plugin.system_libraries)),
        ("Python packages (FiftyOne's)", packages(&needed.packages)),
        ("Python packages, CPU", packages(&cpu.packages)),
        ("Python packages, GPU", packages(&gpu.packages)),
    ]
}
