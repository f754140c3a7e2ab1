//! What would be computed in silence, and wrong: it is refused in a line.

use super::*;

/// A copy of a golden model with a changed description of the preprocessing.
fn prepared(key: &str, value: Value) -> tempfile::TempDir {
    let folder = changed("vit_classifier", |_| {});
    let path = folder.path().join("preprocessor_config.json");
    let mut settings: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    settings[key] = value;
    fs::write(&path, settings.to_string()).unwrap();
    folder
}

#[test]
fn numbers_that_single_precision_has_not_are_refused() {
    for (key, value) in [
        ("image_mean", json!([0.5, 1e300, 0.5])),
        ("image_mean", json!(-1e39)),
        ("image_std", json!([0.5, 0.5, 1e39])),
        ("image_std", json!([0.5, 0.5, 1e-44])),
        ("image_std", json!(0)),
        ("rescale_factor", json!(1e300)),
        ("rescale_factor", json!(1e-300)),
        ("rescale_factor", json!(-0.5)),
        ("rescale_factor", json!(0)),
    ] {
        let text = refusal(prepared(key, value.clone()).path()).1;
        assert!(text.starts_with(&format!("`{key}` in ")), "{value}: {text}");
    }
    load(prepared("image_std", json!(0.25)).path(), json!({})).unwrap();
}

#[test]
fn arguments_of_timm_whose_effect_is_not_known_are_refused() {
    for (model, key, value) in [
        ("timm_vit", "act_layer", json!("silu")),
        ("timm_resnet18", "output_stride", json!(8)),
        ("timm_convnext_small", "norm_eps", json!(1e-3)),
        ("timm_wrapper_vit", "pool_include_prefix", json!(true)),
    ] {
        let set = |value: Value| {
            changed(model, |config| {
                if !config["model_args"].is_object() {
                    config["model_args"] = json!({});
                }
                config["model_args"][key] = value;
            })
        };
        let (kind, text) = refusal(set(value).path());
        assert_eq!(kind, ErrorKind::Unsupported, "{text}");
        assert!(text.starts_with(&format!("`model_args.{key}` in ")), "{text}");
        // `null` is Python's word for what is not said.
        load(set(Value::Null).path(), json!({})).unwrap();
    }
}

#[test]
fn arguments_of_torchvision_that_leave_weights_as_they_are_are_refused() {
    for (model, key, value, default) in [
        (
            "torchvision_deeplabv3_resnet50",
            "replace_stride_with_dilation",
            json!([false, true, true]),
            json!([false, false, false]),
        ),
        (
            "torchvision_shufflenet",
            "norm_layer",
            json!("torch.nn.GroupNorm"),
            json!(null),
        ),
        (
            "torchvision_alexnet",
            "activation_layer",
            json!("torch.nn.SiLU"),
            json!(null),
        ),
    ] {
        let with =
            |value: Value| detectors::described(model, |config| config["entrypoint_args"][key] = value);
        let error = with(value).err().expect("it was loaded");
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(
            error.to_string().contains(&format!("entrypoint_args.{key}` in ")),
            "{error}"
        );
        with(default).unwrap();
    }
}
