//! Which files of a published model hold its trained tensors.
use serde::Deserialize;
use serde_json::Map;
use std::{collections::BTreeSet, path::Path};

/// What publishers call their weights; a name that ends in `.index.json` is an index of several files. The first that is
/// there counts.
pub const WEIGHT_FILES: [&str; 6] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "open_clip_model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "model.pth",
];

/// What an index says, as far as it matters here.
#[derive(Deserialize)]
struct Index {
    /// The file of each tensor.
    weight_map: Map<String, serde_json::Value>,
}

/// The names of the files in `folder` that hold the weights, an index among them; none where there are no weights. What is
/// wrong with an index is told by who reads the weights.
pub(super) fn find(folder: &Path) -> Vec<String> {
    let Some(first) = WEIGHT_FILES.iter().find(|name| folder.join(name).is_file()) else {
        return Vec::new();
    };
    let mut names = vec![(*first).to_owned()];
    if first.ends_with(".index.json") {
        names.extend(shards(&folder.join(first)).unwrap_or_default());
    }
    names
}

fn shards(index: &Path) -> Option<BTreeSet<String>> {
    let index: Index = serde_json::from_slice(&fs_err::read(index).ok()?).ok()?;
    let names = index.weight_map.values().filter_map(|name| name.as_str());
    let beside =
        names.filter(|name| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']));
    Some(beside.map(str::to_owned).collect())
}
