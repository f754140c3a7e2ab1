//! What a folder's files may say, and in which words they are refused.

use super::*;
use modelzoo_candle::{
    testing::{assert_close, numbers, tensor},
    weights::Weights,
};
use modelzoo_plugin_api::{ErrorKind, Image, Output, PredictOptions, label::Label};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/goldens")
        .join(name)
}

/// A copy of a golden model with changed settings.
fn changed(name: &str, change: impl FnOnce(&mut Value)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(golden(name)).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    let path = folder.path().join("config.json");
    let mut config = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut config);
    fs::write(&path, config.to_string()).unwrap();
    folder
}

fn load(folder: &Path, settings: Value) -> Result<Box<dyn Model>> {
    let mut options = LoadOptions::default();
    options.settings = settings.as_object().unwrap().clone();
    PublishedModels.load_model("", folder, options)
}

/// The one line with which a model is refused.
fn refusal(folder: &Path) -> (ErrorKind, String) {
    let error = load(folder, json!({})).err().expect("it was loaded");
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    (error.kind(), text)
}

fn predict(model: &dyn Model) -> Output {
    let pixels: Vec<u8> = (0..60 * 40 * 3).map(|value| (value * 7 % 251) as u8).collect();
    model
        .predict(&Image::new(60, 40, &pixels).unwrap(), &PredictOptions::default())
        .unwrap()
}

#[test]
fn a_classifier_gives_a_class_an_embedding_and_what_is_asked_for() {
    let model = load(&golden("vit_classifier"), json!({})).unwrap();
    assert_eq!(model.info().classes.len(), 5);
    let Output::Label(Label::Classification(label)) = predict(model.as_ref()) else {
        panic!("no classification");
    };
    assert!(label.label.unwrap().starts_with("LABEL_"));
    let image = Image::new(2, 1, &[1, 2, 3, 4, 5, 6]).unwrap();
    assert_eq!(model.embed(&image).unwrap().shape(), [24]);

    let model = load(
        &golden("vit_classifier"),
        json!({"top_k": 3, "embeddings_layer": "classifier"}),
    )
    .unwrap();
    let Output::Label(Label::Classifications(labels)) = predict(model.as_ref()) else {
        panic!("no classifications");
    };
    assert_eq!(labels.classifications.len(), 3);
    assert_eq!(model.embed(&image).unwrap().shape(), [5]);
    for (settings, part) in [
        (json!({"top_k": 0}), "top_k"),
        (json!({"embeddings_layer": "none"}), "none"),
        (json!({"topk": 1}), "topk"),
        (json!({"image_size": 0}), "image_size"),
    ] {
        let error = load(&golden("vit_classifier"), settings).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidOption, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn the_network_of_a_published_model_is_to_be_had_by_itself() {
    let folder = golden("vit_classifier");
    let computed = Weights::open(folder.join("golden.safetensors")).unwrap();
    let pixels = tensor(&computed, "pixels");
    let (_, _, height, width) = pixels.dims4().unwrap();
    // Without a size, it is the published one.
    for size in [Some([height, width]), None] {
        let network = network(&folder, size, &Placement::cpu()).unwrap();
        let logits = network
            .with_outputs(&["logits"])
            .unwrap()
            .forward(&pixels)
            .unwrap();
        assert_close(
            &numbers(&logits[0]),
            &numbers(&tensor(&computed, "logits")),
            1e-4,
            "logits",
        );
    }
}

#[test]
fn a_picture_may_have_several_classes_where_the_settings_say_so() {
    let folder = changed("vit_classifier", |config| {
        config["problem_type"] = "multi_label_classification".into();
    });
    let count = |settings| {
        let Output::Label(Label::Classifications(labels)) =
            predict(load(folder.path(), settings).unwrap().as_ref())
        else {
            panic!("no classifications");
        };
        labels.classifications.len()
    };
    assert_eq!(count(json!({"score_threshold": 0.0})), 5);
    assert_eq!(count(json!({"score_threshold": 0.0, "top_k": 2})), 2);
    assert_eq!(count(json!({"score_threshold": 1.0})), 0);
}

#[test]
fn other_sizes_of_pictures_are_taken_where_the_user_wants_them() {
    let model = load(&golden("dinov2_backbone"), json!({"image_size": [28, 70]})).unwrap();
    let image = Image::new(2, 1, &[1, 2, 3, 4, 5, 6]).unwrap();
    assert_eq!(model.embed(&image).unwrap().shape(), [24]);
    let error = model.predict(&image, &PredictOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn every_task_gives_its_labels() {
    let output = |name| {
        predict(
            load(&golden(name), json!({"score_threshold": 0.0}))
                .unwrap()
                .as_ref(),
        )
    };
    let Output::Label(Label::Detections(objects)) = output("detr_basic") else {
        panic!("no detections");
    };
    assert_eq!(objects.detections.len(), 5);
    // An object may have several classes: there are as many labels as queries all the same.
    let Output::Label(Label::Detections(objects)) = output("rt_detr_v2") else {
        panic!("no detections");
    };
    assert_eq!(objects.detections.len(), 6);
    let Output::Label(Label::Segmentation(classes)) = output("segformer_segmenter") else {
        panic!("no segmentation");
    };
    assert_eq!(classes.mask.unwrap().shape(), [40, 60]);
    let Output::Label(Label::Heatmap(depth)) = output("depth_anything_relative") else {
        panic!("no heatmap");
    };
    assert_eq!(depth.map.unwrap().shape(), [42, 56]);
}

#[test]
fn malformed_settings_are_one_clear_line() {
    let cases: [(&str, Value, &str); 9] = [
        ("num_channels", json!(4), "`num_channels` in "),
        ("hidden_size", json!(-24), "`hidden_size` in "),
        ("hidden_size", json!(25), "a divisor of 25"),
        ("num_hidden_layers", json!("two"), "`num_hidden_layers` in "),
        ("hidden_act", json!("mish"), "`hidden_act` in "),
        ("image_size", json!([32]), "`image_size` in "),
        ("layer_norm_eps", json!(-1), "`layer_norm_eps` in "),
        ("id2label", json!({"zero": "cat"}), "`id2label` in "),
        ("patch_size", json!(1_000_000_000), "`patch_size` in "),
    ];
    for (key, value, part) in cases {
        let folder = changed("vit_classifier", |config| config[key] = value);
        let (_, text) = refusal(folder.path());
        assert!(text.contains(part) && text.contains("config.json"), "{text}");
    }
}

#[test]
fn malformed_settings_of_a_detector_are_one_clear_line() {
    let cases: [(&str, Value, &str); 14] = [
        ("d_model", json!(-8), "`d_model` in "),
        ("encoder_hidden_dim", json!(6), "a multiple of 4"),
        ("activation_function", json!("mish"), "`activation_function` in "),
        ("decoder_attention_heads", json!(3), "a divisor of 8"),
        ("num_feature_levels", json!(1), "`num_feature_levels` in "),
        ("decoder_n_levels", json!(4), "`decoder_n_levels` in "),
        ("decoder_n_points", json!([1, 2]), "`decoder_n_points` in "),
        ("decoder_method", json!("discrete"), "`decoder_method` in "),
        ("encode_proj_layers", json!([3]), "`encode_proj_layers` in "),
        ("hidden_expansion", json!(-1), "`hidden_expansion` in "),
        ("normalize_before", json!(true), "`normalize_before` in "),
        ("learn_initial_query", json!(true), "`learn_initial_query` in "),
        ("layer_norm_eps", json!("small"), "`layer_norm_eps` in "),
        (
            "backbone_config",
            json!({"model_type": "swin"}),
            "`backbone_config.model_type` in ",
        ),
    ];
    for (key, value, part) in cases {
        let folder = changed("rt_detr_v2", |config| config[key] = value);
        let (_, text) = refusal(folder.path());
        assert!(text.contains(part) && text.contains("config.json"), "{text}");
    }
    for (key, value) in [
        ("out_features", json!(["stage2", "stage3"])),
        ("out_features", json!("stage2")),
        ("depths", json!([1, 1])),
        ("layer_type", json!("bottle")),
    ] {
        let folder = changed("rt_detr_v2", |config| config["backbone_config"][key] = value);
        let (_, text) = refusal(folder.path());
        assert!(text.contains(&format!("`backbone_config.{key}` in ")), "{text}");
    }
    let folder = changed("rt_detr_v2", |config| config["num_queries"] = json!(10_000));
    assert!(refusal(folder.path()).1.contains("the picture is too small"));
    let folder = changed("rt_detr_v2", |config| config["decoder_ffn_dim"] = json!(13));
    assert!(refusal(folder.path()).1.contains("but the network needs [13, 8]"));
    let error = load(&golden("rt_detr_v2"), json!({"image_size": 80}))
        .err()
        .unwrap();
    assert!(error.to_string().contains("multiples of 32"), "{error}");
}

#[test]
fn malformed_settings_of_d_fine_are_one_clear_line() {
    let cases: [(&str, Value, &str); 8] = [
        ("max_num_bins", json!(7), "`max_num_bins` in "),
        ("top_prob_values", json!(40), "`top_prob_values` in "),
        ("eval_idx", json!(3), "`eval_idx` in "),
        ("depth_mult", json!(-1), "`depth_mult` in "),
        ("decoder_n_points", json!([2, 4, 0]), "`decoder_n_points` in "),
        ("lqe_layers", json!(0), "`lqe_layers` in "),
        (
            "decoder_activation_function",
            json!("mish"),
            "`decoder_activation_function` in ",
        ),
        (
            "backbone_config",
            json!({"model_type": "resnet"}),
            "`backbone_config.model_type` in ",
        ),
    ];
    for (key, value, part) in cases {
        let folder = changed("d_fine", |config| config[key] = value);
        let (_, text) = refusal(folder.path());
        assert!(text.contains(part) && text.contains("config.json"), "{text}");
    }
    for (key, value) in [
        ("stem_channels", json!([4, 8, 8])),
        ("stage_mid_channels", json!([4, 4])),
        ("stage_light_block", json!([true, "no", true, true])),
        ("out_features", json!(["stage9"])),
        ("hidden_act", json!("mish")),
    ] {
        let folder = changed("d_fine", |config| config["backbone_config"][key] = value);
        let (_, text) = refusal(folder.path());
        assert!(text.contains(&format!("`backbone_config.{key}` in ")), "{text}");
    }
    let folder = changed("d_fine", |config| {
        config["backbone_config"]["use_learnable_affine_block"] = json!(false)
    });
    assert!(
        load(folder.path(), json!({})).is_ok(),
        "surplus tensors are told only"
    );
    let folder = changed("d_fine", |config| config["max_num_bins"] = json!(10));
    assert!(refusal(folder.path()).1.contains("but the network needs [44, 8]"));
}

#[test]
fn malformed_settings_of_classifiers_are_one_clear_line() {
    let cases: [(&str, &str, Value, &str); 21] = [
        (
            "beit_classifier",
            "num_attention_heads",
            json!(5),
            "a divisor of 24",
        ),
        (
            "beit_classifier",
            "image_size",
            json!(64),
            "but the network needs [228, 3]",
        ),
        ("beit_classifier", "num_channels", json!(1), "`num_channels` in "),
        ("convnextv2_classifier", "depths", json!([1]), "`depths` in "),
        ("dinov3", "rope_theta", json!(-1), "`rope_theta` in "),
        (
            "dinov3",
            "num_attention_heads",
            json!(16),
            "a multiple of 4 features",
        ),
        (
            "dinov3",
            "num_register_tokens",
            json!(1 << 20),
            "the network needs [1, 1048576, 32]",
        ),
        (
            "dinov3_convnext",
            "hidden_sizes",
            json!([8, 0]),
            "`hidden_sizes` in ",
        ),
        (
            "efficientnet_classifier",
            "strides",
            json!([1, 2]),
            "`strides` in ",
        ),
        (
            "efficientnet_classifier",
            "depth_coefficient",
            json!(1e300),
            "`depth_coefficient` in ",
        ),
        (
            "efficientnet_classifier",
            "num_block_repeats",
            json!(vec![1 << 20; 7]),
            "fewer blocks",
        ),
        (
            "efficientnet_classifier",
            "pooling_type",
            json!("max"),
            "`pooling_type` in ",
        ),
        (
            "mobilenet_v2_classifier",
            "output_stride",
            json!(0),
            "`output_stride` in ",
        ),
        (
            "mobilenet_v2_classifier",
            "hidden_act",
            json!("mish"),
            "`hidden_act` in ",
        ),
        ("regnet_classifier", "hidden_act", json!(7), "`hidden_act` in "),
        (
            "regnet_classifier",
            "num_channels",
            json!(4),
            "`num_channels` in ",
        ),
        (
            "swin_classifier",
            "window_size",
            json!(1 << 20),
            "are less than a window",
        ),
        ("swinv2_classifier", "num_heads", json!([3, 2]), "`num_heads` in "),
        (
            "swinv2_classifier",
            "pretrained_window_sizes",
            json!([-1]),
            "`pretrained_window_sizes` in ",
        ),
        (
            "swinv2_classifier",
            "use_absolute_embeddings",
            json!(true),
            "`use_absolute_embeddings` in ",
        ),
        (
            "timm_swinv2",
            "architecture",
            json!("swinv2_own"),
            "the windows' size",
        ),
    ];
    for (model, key, value, part) in cases {
        let folder = changed(model, |config| {
            config[key] = value;
            config.as_object_mut().unwrap().remove("model_args");
        });
        let (_, text) = refusal(folder.path());
        assert!(text.contains(part), "{model}: {text}");
    }
    let folder = changed("swinv2_classifier", |config| {
        config["window_size"] = json!(1 << 20);
        config["image_size"] = json!(1 << 20);
    });
    assert!(refusal(folder.path()).1.contains("only those of 1 to 32 rows"));
}

/// Layers are read off the tensors: whichever is missing, or has another form, is told in a line.
#[test]
fn malformed_tensors_of_classifiers_are_one_clear_line() {
    for model in [
        "beit_backbone",
        "convnextv2_classifier",
        "dinov3",
        "dinov3_convnext",
        "efficientnet_classifier",
        "mobilenet_v2_classifier",
        "regnet_classifier",
        "swinv2_classifier",
        "timm_beit",
        "timm_convnextv2_small",
        "timm_swin",
        "timm_swinv2",
    ] {
        // Some of them: all would take minutes.
        refuses_malformed_tensors(model, 29);
    }
}

/// Every so many tensors of a golden model are missing or have another form: the model runs all the same, or is refused in a line.
fn refuses_malformed_tensors(model: &str, step: usize) {
    let folder = changed(model, |_| ());
    let file = folder.path().join("model.safetensors");
    let bytes = fs::read(&file).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    for wrong in tensors.names().into_iter().step_by(step) {
        for other in [None, Some(vec![1usize]), Some(vec![0, 0]), Some(vec![3, 1, 1, 1])] {
            let kept = tensors.iter().filter(|(name, _)| *name != wrong);
            let mut views: Vec<_> = kept.map(|(name, view)| (name.to_owned(), view)).collect();
            let empty = [0u8; 12];
            if let Some(dims) = other.clone() {
                let length = 4 * dims.iter().product::<usize>();
                let view =
                    safetensors::tensor::TensorView::new(safetensors::Dtype::F32, dims, &empty[..length]);
                views.push((wrong.to_owned(), view.unwrap()));
            }
            safetensors::serialize_to_file(views, None, &file).unwrap();
            // What is there or not may choose between forms of a layer.
            if let Err(error) = load(folder.path(), json!({})) {
                let text = error.to_string();
                assert!(
                    !text.contains('\n') && text.len() > 20,
                    "{model} {wrong} {other:?}: {text}"
                );
            }
        }
    }
}

#[test]
fn names_of_classes_are_refused_where_they_mean_nothing() {
    for settings in [json!({"classes": "cat,dog"}), json!({"prompt": "a {}"})] {
        let error = load(&golden("vit_classifier"), settings).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidOption, "{error}");
        assert!(error.to_string().contains("means nothing"), "{error}");
        assert!(error.hint().unwrap().contains("--classes"));
    }
}

#[test]
fn weights_of_another_model_are_named() {
    let folder = changed("vit_classifier", |config| config["num_hidden_layers"] = json!(3));
    let (kind, text) = refusal(folder.path());
    assert_eq!(kind, ErrorKind::Weights);
    assert!(
        text.contains("there is no tensor `vit.encoder.layer.2.layernorm_before.weight`"),
        "{text}"
    );
    let folder = changed("vit_classifier", |config| config["intermediate_size"] = json!(48));
    let (kind, text) = refusal(folder.path());
    assert_eq!(kind, ErrorKind::Weights);
    assert!(
        text.contains("has dimensions [40, 24], but the network needs [48, 24]"),
        "{text}"
    );
    let folder = changed("vit_classifier", |config| config["patch_size"] = json!(16));
    assert_eq!(refusal(folder.path()).0, ErrorKind::Weights);
    // More layers in the file than in the network: told, and not refused.
    let folder = changed("vit_classifier", |config| config["num_hidden_layers"] = json!(1));
    assert!(load(folder.path(), json!({})).is_ok());
}

#[test]
fn an_unknown_architecture_has_its_nearest_relatives_named() {
    let folder = changed("vit_classifier", |config| config["model_type"] = json!("vitt"));
    let (kind, text) = refusal(folder.path());
    assert_eq!(kind, ErrorKind::Unsupported);
    assert!(
        text.contains("\"vitt\"") && text.contains("nearest that are: vit"),
        "{text}"
    );
    let folder = changed("vit_classifier", |config| {
        config["model_type"] = json!("own_model");
        config["auto_map"] = json!({"AutoModel": "modeling.Own"});
    });
    let error = load(folder.path(), json!({})).err().unwrap();
    assert!(error.hint().unwrap().contains("never run"), "{error:?}");
    let folder = changed("vit_classifier", |config| *config = json!({"hello": 1}));
    assert!(refusal(folder.path()).1.contains("`model_type` in "));
    let empty = tempfile::tempdir().unwrap();
    assert!(refusal(empty.path()).1.contains("there is no config.json in"));
    let folder = changed("timm_vit", |config| {
        config["architecture"] = json!("vit_relpos_small_patch16_224")
    });
    assert_eq!(refusal(folder.path()).0, ErrorKind::Unsupported);
}

#[test]
fn a_processor_that_asks_for_the_unknown_is_refused() {
    for (key, value) in [
        ("image_processor_type", json!("FlavaImageProcessor")),
        ("size", json!({"height": 32})),
        ("resample", json!(9)),
        ("image_std", json!([0.5, 0.0, 0.5])),
        ("image_mean", json!([0.5])),
        ("rescale_factor", json!(0)),
    ] {
        let folder = changed("vit_classifier", |_| ());
        let path = folder.path().join("preprocessor_config.json");
        let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        config[key] = value;
        fs::write(&path, config.to_string()).unwrap();
        let (_, text) = refusal(folder.path());
        assert!(
            text.contains(&format!("`{key}` in ")) && text.contains("preprocessor_config.json"),
            "{text}"
        );
    }
}

#[test]
fn weights_of_another_network_than_the_named_one_are_refused_and_the_fitting_one_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let weights = folder.path().join("model.safetensors");
    // As many numbers as ResNet-18 has besides its classifier, of which 7 classes are told apart.
    let tensors = [("conv1.weight", vec![174_483, 64]), ("fc.weight", vec![7, 512])].map(|(name, dims)| {
        let bytes = vec![0u8; dims.iter().product::<usize>()];
        (name, dims, bytes)
    });
    let views = tensors.iter().map(|(name, dims, bytes)| {
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::U8, dims.clone(), bytes);
        (*name, view.unwrap())
    });
    safetensors::serialize_to_file(views, None, &weights).unwrap();
    let config = json!({"architecture": "resnet50", "num_classes": 7});
    fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    let error = load(folder.path(), json!({})).err().expect("it was loaded");
    assert_eq!(error.kind(), ErrorKind::Weights);
    let text = error.to_string();
    assert!(text.contains("are not those of resnet50"), "{text}");
    assert_eq!(error.hint(), Some("they fit resnet18, resnetblur18, resnetv2_18"));
}

mod detectors;
mod malformed;
mod maps;
mod poses;
mod prompts;
mod queries;
mod text;
