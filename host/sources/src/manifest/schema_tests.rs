//! The published schema and the reader know the same fields.
use super::{
    ArtifactBuild, Artifacts, CpuRequirements, DeploymentConfig, GpuRequirements, Manager, Manifest,
    ModelEntry, Package, PluginRequirements, Requirements, TrainingData, manager::CONFIG_FIELDS,
};
use modelzoo_base::Sha256Digest;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const SCHEMA: &str = include_str!("../../../../docs/schema/manifest.schema.json");

fn keys(value: &impl Serialize) -> BTreeSet<String> {
    let value = serde_json::to_value(value).unwrap();
    value.as_object().unwrap().keys().cloned().collect()
}

/// The fields that the schema has for the object of this name; without a name, for the manifest itself.
fn properties(name: Option<&str>) -> BTreeSet<String> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let object = name.map_or(&schema, |name| &schema["$defs"][name]);
    let properties = object["properties"].as_object().unwrap();
    for (field, property) in properties {
        let is_told = property["description"].is_string() || property["$ref"].is_string();
        assert!(is_told, "{name:?}: {field} has no description");
    }
    properties
        .keys()
        .filter(|key| *key != "$schema")
        .cloned()
        .collect()
}

/// Every field has a value; a new one makes this fail to compile.
#[test]
fn every_field_that_is_read_is_in_the_schema_and_none_besides() {
    let text = || Some("a".to_owned());
    let texts = || vec!["a".to_owned()];
    let packages = || vec![Package { any_of: texts() }];
    let build = ArtifactBuild {
        target: String::new(),
        variant: String::new(),
        url: text(),
        sha256: Sha256Digest::of(""),
        size_bytes: Some(1),
        extra: Map::new(),
    };
    assert_eq!(keys(&build), properties(Some("build")));
    let artifacts = Artifacts {
        key: text(),
        url: text(),
        builds: vec![build],
        extra: Map::new(),
    };
    assert_eq!(keys(&artifacts), properties(Some("artifacts")));
    let cpu = CpuRequirements {
        support: Some(true),
        packages: packages(),
        extra: Map::new(),
    };
    assert_eq!(keys(&cpu), properties(Some("cpu")));
    let gpu = GpuRequirements {
        support: Some(true),
        packages: packages(),
        cuda_version: text(),
        cudnn_version: text(),
        extra: Map::new(),
    };
    assert_eq!(keys(&gpu), properties(Some("gpu")));
    let plugin = PluginRequirements {
        min_api_version: Some(semver::Version::new(1, 0, 0)),
        targets: texts(),
        features: texts(),
        system_libraries: texts(),
        extra: Map::new(),
    };
    assert_eq!(keys(&plugin), properties(Some("plugin_requirements")));
    let requirements = Requirements {
        packages: packages(),
        cpu: Some(cpu),
        gpu: Some(gpu),
        modelzoo: Some(plugin),
        extra: Map::new(),
    };
    assert_eq!(keys(&requirements), properties(Some("requirements")));
    let manager: Manager = serde_json::from_value(json!({ "type": "a" })).unwrap();
    assert_eq!(keys(&manager), properties(Some("manager")));
    let known = CONFIG_FIELDS.map(str::to_owned);
    assert_eq!(BTreeSet::from(known), properties(Some("manager_config")));
    let deployment = DeploymentConfig {
        type_name: String::new(),
        config: Map::new(),
    };
    assert_eq!(keys(&deployment), properties(Some("deployment")));
    let training_data = TrainingData {
        name: String::new(),
        url: text(),
    };
    assert_eq!(keys(&training_data), properties(Some("training_data")));
    let model = ModelEntry {
        base_name: String::new(),
        base_filename: text(),
        version: text(),
        author: text(),
        url: text(),
        license: text(),
        source: text(),
        description: text(),
        tags: texts(),
        size_bytes: Some(1),
        date_added: text(),
        requirements: Some(requirements),
        manager: Some(manager),
        default_deployment_config_dict: Some(deployment),
        training_data: vec![training_data],
        expected: text(),
        extra: Map::new(),
    };
    assert_eq!(keys(&model), properties(Some("model")));
    let manifest = Manifest {
        name: text(),
        url: text(),
        artifacts: Some(artifacts),
        models: vec![model],
        extra: Map::new(),
    };
    assert_eq!(keys(&manifest), properties(None));
}
