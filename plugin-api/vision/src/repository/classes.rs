//! The names of a model's classes.

use super::{Config, Form, Repository, imagenet};
use modelzoo_plugin_api::Result;
use serde_json::Value;

/// More classes than any model has.
const MOST_CLASSES: usize = 1 << 17;

/// The names of the classes that a repository's settings give, by index; `None` where they say nothing about classes.
///
/// # Errors
/// When the settings contradict themselves.
pub(crate) fn class_names(repository: &Repository) -> Result<Option<Vec<String>>> {
    match repository.form {
        Form::HuggingFace => of_hugging_face(&repository.config),
        Form::Timm | Form::Torchvision | Form::Class if has_labels(&repository.config) => {
            of_deployment(&repository.config).map(Some)
        }
        Form::Timm | Form::Torchvision | Form::Class => of_timm(&repository.config),
    }
}

/// The keys with which a manifest names classes; one that comes first counts.
const LABELS: [&str; 4] = ["classes", "labels_string", "labels_path", "mask_targets_path"];
/// A part of the names of FiftyOne's own files with the classes of ImageNet.
const IMAGENET_FILE: &str = "imagenet-labels";
/// A part of the name of FiftyOne's own file with the classes of PASCAL VOC.
pub(super) const VOC_FILE: &str = "voc-labels";

/// A part of the name of FiftyOne's own file with the classes of COCO.
pub(super) const COCO_FILE: &str = "ms-coco-labels";

/// The classes of PASCAL VOC 2012 in their order, that of no object before them.
const VOC: [&str; 21] = [
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
];

pub(super) fn has_labels(config: &Config) -> bool {
    LABELS.iter().any(|key| config.has(key))
}

/// The classes that a manifest names, of FiftyOne's keys.
fn of_deployment(config: &Config) -> Result<Vec<String>> {
    if let Some(names) = config.value("classes") {
        let names = names.as_array().and_then(|names| {
            let name = |name: &Value| name.as_str().map(str::to_owned);
            names.iter().map(name).collect::<Option<Vec<_>>>()
        });
        return names
            .filter(|names| (1..=MOST_CLASSES).contains(&names.len()))
            .ok_or_else(|| config.wrong("classes", "a list of names"));
    }
    if let Some(names) = config.text("labels_string")? {
        return Ok(names.split(',').map(|name| name.trim().to_owned()).collect());
    }
    let path = config.text("labels_path")?.unwrap_or_default();
    if path.contains(IMAGENET_FILE) {
        return Ok(imagenet::classes(1000).unwrap_or_default());
    }
    if path.contains(COCO_FILE) {
        return Ok(COCO.lines().map(str::to_owned).collect());
    }
    let path = config.text("mask_targets_path")?.unwrap_or_default();
    if path.contains(VOC_FILE) {
        return Ok(VOC.map(str::to_owned).to_vec());
    }
    if !path.is_empty() {
        return Err(config.unsupported(
            "mask_targets_path",
            "FiftyOne's file with the classes of VOC, or `labels_string`,",
        ));
    }
    Err(config.unsupported(
        "labels_path",
        "FiftyOne's file with the classes of ImageNet or COCO, or `labels_string`,",
    ))
}

/// `id2label`, or `num_labels` without names; transformers calls classes without names `LABEL_0`, `LABEL_1`, ... Two of them
/// are its default, which it leaves out where it saves a model.
fn of_hugging_face(config: &Config) -> Result<Option<Vec<String>>> {
    let Some(labels) = config.value("id2label") else {
        return Ok(Some(unnamed(config.count("num_labels", 2)?)));
    };
    let wrong = || config.wrong("id2label", "an object with a name for each index from 0");
    let labels = labels.as_object().ok_or_else(wrong)?;
    if labels.is_empty() || labels.len() > MOST_CLASSES {
        return Err(wrong());
    }
    let mut names: Vec<(usize, &str)> = labels
        .iter()
        .map(|(index, name)| Some((index.parse().ok()?, name.as_str()?)))
        .collect::<Option<_>>()
        .ok_or_else(wrong)?;
    names.sort_unstable();
    let last = names.last().map_or(0, |&(index, _)| index);
    if last >= MOST_CLASSES {
        return Err(wrong());
    }
    // `1` and `01` are the same one.
    if names.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(wrong());
    }
    // Detectors trained on COCO leave out indices that no object has.
    let mut classes = unnamed(last + 1);
    for (index, name) in names {
        name.clone_into(&mut classes[index]);
    }
    Ok(Some(classes))
}

/// The classes of COCO by the numbers that its annotations have, that of no object first, a line each; numbers that no
/// object has stand for themselves, as in FiftyOne's file.
const COCO: &str = include_str!("coco_91.txt");

/// The classes of COCO without those numbers and without that of no object, as networks have them that count objects only.
pub(super) fn coco_80() -> String {
    let names = COCO.lines().skip(1);
    let names: Vec<&str> = names.filter(|name| name.parse::<usize>().is_err()).collect();
    names.join(",")
}

/// `label_names`, described by `label_descriptions` where the names are WordNet's; or a number of classes. timm's own
/// files have no names: what has as many classes as a selection of ImageNet was trained on that.
fn of_timm(config: &Config) -> Result<Option<Vec<String>>> {
    let Some(names) = config.value("label_names") else {
        let inner = config.section("pretrained_cfg")?;
        let count = match config.count_or_none("num_classes", 0)? {
            0 => inner.map_or(Ok(0), |inner| inner.count_or_none("num_classes", 0))?,
            count => count,
        };
        return Ok((count > 0).then(|| imagenet::classes(count).unwrap_or_else(|| unnamed(count))));
    };
    let names: Option<Vec<&str>> = names
        .as_array()
        .and_then(|names| names.iter().map(Value::as_str).collect());
    let names = names.ok_or_else(|| config.wrong("label_names", "a list of names"))?;
    let descriptions = config.section_or_empty("label_descriptions")?;
    let described = |name: &&str| Ok(descriptions.text(name)?.unwrap_or(name).to_owned());
    names.iter().map(described).collect::<Result<_>>().map(Some)
}

fn unnamed(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("LABEL_{index}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(config: &str) -> Option<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), config).unwrap();
        class_names(&Repository::open(folder.path()).unwrap()).unwrap()
    }

    #[test]
    fn two_classes_without_names_are_transformers_default() {
        let two = names(r#"{"model_type": "vit"}"#).unwrap();
        assert_eq!(two, ["LABEL_0", "LABEL_1"]);
        assert_eq!(
            names(r#"{"model_type": "vit", "num_labels": 3}"#).unwrap().len(),
            3
        );
        let named = names(r#"{"model_type": "vit", "id2label": {"0": "cat", "1": "dog"}}"#);
        assert_eq!(named.unwrap(), ["cat", "dog"]);
    }

    #[test]
    fn names_of_transformers_have_an_index_each() {
        let left_out = names(r#"{"model_type": "vit", "id2label": {"0": "cat", "2": "dog"}}"#);
        assert_eq!(left_out.unwrap(), ["cat", "LABEL_1", "dog"]);
        for labels in [
            r#"{"1": "cat", "01": "dog"}"#,
            r#"{"-1": "cat"}"#,
            r#"{"4000000000": "cat"}"#,
            r#"{"0": null}"#,
            "{}",
            "[]",
        ] {
            let folder = tempfile::tempdir().unwrap();
            let config = format!(r#"{{"model_type": "vit", "id2label": {labels}}}"#);
            fs::write(folder.path().join("config.json"), config).unwrap();
            let error = class_names(&Repository::open(folder.path()).unwrap()).unwrap_err();
            assert!(error.to_string().starts_with("`id2label` in "), "{error}");
        }
    }

    #[test]
    fn timms_classifiers_know_the_classes_of_imagenet() {
        let known = names(r#"{"architecture": "resnet18", "num_classes": 1000}"#).unwrap();
        assert_eq!(
            (known.len(), known[0].as_str(), known[999].as_str()),
            (1000, "tench", "toilet tissue")
        );
        let own = names(r#"{"architecture": "resnet18", "num_classes": 2, "label_names": ["cat", "dog"]}"#);
        assert_eq!(own.unwrap(), ["cat", "dog"]);
        let unnamed = names(r#"{"architecture": "resnet18", "pretrained_cfg": {"num_classes": 3}}"#);
        assert_eq!(unnamed.unwrap(), ["LABEL_0", "LABEL_1", "LABEL_2"]);
    }
}
