//! Models of a number for each pixel: depth, and what stands out.

use super::*;

/// The model that a golden's manifest describes, with changed settings of it.
fn described(name: &str, change: impl FnOnce(&mut Value), settings: Value) -> Result<Box<dyn Model>> {
    let folder = golden(name);
    let manifest = fs::read(folder.join("manifest.json")).unwrap();
    let mut manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let config = &mut manifest["models"][0]["default_deployment_config_dict"]["config"];
    change(config);
    let mut settings = settings;
    settings["deployment"] = config.clone();
    load(&folder.join("weights.pth"), settings)
}

#[test]
fn what_stands_out_is_a_map_or_a_mask_as_large_as_the_picture() {
    let model = described("u2net", |_| {}, json!({})).unwrap();
    let Output::Label(Label::Heatmap(map)) = predict(model.as_ref()) else {
        panic!("no map");
    };
    let values = map.map.unwrap();
    assert_eq!((values.shape(), map.range), (&[75, 91][..], Some([0.0, 1.0])));
    let spread = values.as_f32().unwrap();
    assert!(spread.contains(&0.0) && spread.contains(&1.0));

    let mask = |change: fn(&mut Value), settings: Value| {
        let model = described("u2net", change, settings).unwrap();
        assert_eq!(model.info().classes, ["background", "salient"]);
        let Output::Label(Label::Segmentation(mask)) = predict(model.as_ref()) else {
            panic!("no mask");
        };
        let mask = mask.mask.unwrap();
        assert_eq!(mask.shape(), [40, 60]);
        mask.to_f64().iter().sum::<f64>()
    };
    let masks = |config: &mut Value| {
        config["output_processor_cls"] = json!("fiftyone.utils.torch.SemanticSegmenterOutputProcessor");
    };
    assert_eq!(
        mask(masks, json!({})),
        mask(|_| {}, json!({"mask_threshold": 0.5}))
    );
    assert!(mask(masks, json!({"mask_threshold": 0.9})) < mask(masks, json!({})));
}

#[test]
fn pictures_are_prepared_as_the_authors_do_it_where_a_manifest_says_nothing_of_that() {
    let bare = |config: &mut Value| {
        for key in ["image_size", "image_mean", "image_std"] {
            config.as_object_mut().unwrap().remove(key);
        }
    };
    for (settings, size) in [
        (json!({}), [320, 320]),
        (json!({"image_size": [64, 96]}), [64, 96]),
    ] {
        let model = described("u2net", bare, settings).unwrap();
        let Output::Label(Label::Heatmap(map)) = predict(model.as_ref()) else {
            panic!("no map");
        };
        assert_eq!(map.map.unwrap().shape(), size);
    }
}

#[test]
fn malformed_settings_of_maps_are_one_clear_line() {
    for (key, value) in [
        ("head_in_index", json!(2)),
        ("readout_type", json!("multiply")),
        ("backbone_out_indices", json!([3, 1, 2, 4])),
        ("backbone_config", json!({"model_type": "bit"})),
        ("reassemble_factors", json!([4, 2, 1])),
        ("num_channels", json!(4)),
        ("hidden_act", json!("mish")),
    ] {
        let folder = changed("dpt_depth", |config| config[key] = value);
        let (_, text) = refusal(folder.path());
        assert!(text.contains(key) && text.contains("config.json"), "{text}");
    }
    for (model, key, value) in [
        ("dpt_hybrid", "layer_type", json!("preactivation")),
        ("dpt_hybrid", "global_padding", json!("VALID")),
        ("dpt_hybrid", "embedding_dynamic_padding", json!(false)),
        ("dpt_hybrid", "output_stride", json!(8)),
        ("dpt_hybrid", "hidden_sizes", json!([16])),
        ("dpt_beit", "add_fpn", json!(true)),
        ("dpt_beit", "reshape_hidden_states", json!(true)),
        ("dpt_beit", "out_indices", json!([1, 2])),
        ("dpt_swin", "use_absolute_embeddings", json!(true)),
        ("dpt_swin", "out_indices", json!([0, 1, 2, 3])),
        ("dpt_swin", "out_indices", json!([1, 2, 3, 9])),
    ] {
        let folder = changed(model, |config| config["backbone_config"][key] = value);
        let (_, text) = refusal(folder.path());
        assert!(text.contains(key), "{model}: {text}");
    }
    for (key, value) in [
        ("neck_ignore_stages", json!([0])),
        ("readout_type", json!("add")),
        ("image_size", json!(96)),
    ] {
        let folder = changed("dpt_hybrid", |config| config[key] = value);
        let (_, text) = refusal(folder.path());
        assert!(
            text.contains(key) || text.contains("96 x 96 pixels only"),
            "{text}"
        );
    }
    let folder = changed("dpt_depth", |config| {
        config["backbone_out_indices"] = json!([0, 1, 2, 9])
    });
    assert!(
        refusal(folder.path())
            .1
            .contains("a layer that the network has not")
    );
    for (key, value) in [
        ("architectures", json!(["SegformerForSemanticSegmentation"])),
        ("in_ch", json!(4)),
    ] {
        let folder = changed("is_net", |config| config[key] = value);
        assert!(refusal(folder.path()).1.contains(&format!("`{key}` in ")));
    }
    for threshold in [-0.5, 1.5] {
        let error = load(&golden("is_net"), json!({"mask_threshold": threshold}));
        assert_eq!(error.err().unwrap().kind(), ErrorKind::InvalidOption);
    }
}

#[test]
fn malformed_tensors_of_maps_are_one_clear_line() {
    refuses_malformed_tensors("is_net", 61);
    refuses_malformed_tensors("dpt_segmenter", 31);
}
