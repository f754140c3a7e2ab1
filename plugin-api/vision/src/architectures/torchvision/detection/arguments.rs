//! The arguments of torchvision's functions for detectors.

use crate::{
    architectures::Selection,
    repository::{Config, Repository},
};
use modelzoo_plugin_api::Result;

/// Those that only training has a use for, or that say where weights come from.
const OF_NO_EFFECT: [&str; 19] = [
    "weights",
    "weights_backbone",
    "pretrained",
    "pretrained_backbone",
    "progress",
    "trainable_backbone_layers",
    "fg_iou_thresh",
    "bg_iou_thresh",
    "iou_thresh",
    "positive_fraction",
    "rpn_pre_nms_top_n_train",
    "rpn_post_nms_top_n_train",
    "rpn_fg_iou_thresh",
    "rpn_bg_iou_thresh",
    "rpn_batch_size_per_image",
    "rpn_positive_fraction",
    "box_fg_iou_thresh",
    "box_bg_iou_thresh",
    "box_batch_size_per_image",
];

/// What all detectors read.
const COMMON: [&str; 5] = ["num_classes", "min_size", "max_size", "image_mean", "image_std"];

/// The arguments, and those that mean nothing here.
pub(super) struct Arguments {
    pub(super) config: Config,
    pub(super) ignored: Vec<String>,
}

impl Arguments {
    /// Reads the section of a manifest; `known` are the names that are read besides those of all detectors.
    pub(super) fn read(repository: &Repository, known: &[&str]) -> Result<Self> {
        let config = repository.config.section_or_empty("entrypoint_args")?;
        let means_something =
            |key: &&str| OF_NO_EFFECT.contains(key) || COMMON.contains(key) || known.contains(key);
        let ignored = config.keys().filter(|key| !means_something(key));
        Ok(Self {
            ignored: ignored.map(str::to_owned).collect(),
            config,
        })
    }

    /// A share, 0 to 1.
    pub(super) fn share(&self, key: &str, default: f32) -> Result<f32> {
        let share = self.config.number(key)?.map_or(default, |share| share as f32);
        if (0.0..=1.0).contains(&share) {
            Ok(share)
        } else {
            Err(self.config.wrong(key, "a number from 0 to 1"))
        }
    }

    /// Which boxes become objects, of the arguments of these names: threshold, overlap, how many are considered and
    /// how many there are at most.
    pub(super) fn selection(&self, keys: [&str; 4], default: Selection) -> Result<Selection> {
        let [threshold, overlap, considered, most] = keys;
        Ok(Selection {
            threshold: self.share(threshold, default.threshold)?,
            overlap: self.share(overlap, default.overlap)?,
            considered: self.config.count(considered, default.considered)?,
            most: self.config.count(most, default.most)?,
        })
    }

    /// What was added to the variances of a network with ResNet-50 that torchvision publishes in its first version:
    /// nothing, by an error that was corrected after they had been trained. `torch` adds its default to all others.
    pub(super) fn epsilon(&self, function: &str) -> Result<f64> {
        const DEFAULT: f64 = 1e-5;
        let is_published = match self.config.value("weights") {
            Some(_) => !self
                .config
                .text("weights")?
                .unwrap_or_default()
                .ends_with("LEGACY"),
            None => self.config.value("pretrained") == Some(&serde_json::Value::Bool(true)),
        };
        Ok(if is_published && function.ends_with("_resnet50_fpn") {
            0.0
        } else {
            DEFAULT
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::path::Path;

    fn arguments(function: &str, arguments: Value) -> Arguments {
        let deployment = json!({
            "entrypoint_fcn": format!("torchvision.models.detection.{function}"),
            "entrypoint_args": arguments,
        });
        let repository =
            Repository::described(Path::new("weights.pth"), deployment.as_object().unwrap()).unwrap();
        Arguments::read(&repository, &["score_thresh"]).unwrap()
    }

    #[test]
    fn published_weights_of_the_first_version_were_trained_without_an_epsilon() {
        let epsilon = |function: &str, given: Value| arguments(function, given).epsilon(function).unwrap();
        let first = "fasterrcnn_resnet50_fpn";
        let published = json!({"weights": "FasterRCNN_ResNet50_FPN_Weights.DEFAULT"});
        assert_eq!(epsilon(first, published.clone()), 0.0);
        assert_eq!(epsilon(first, json!({"pretrained": true})), 0.0);
        assert_eq!(epsilon(first, json!({"weights": null, "num_classes": 2})), 1e-5);
        assert_eq!(epsilon("fasterrcnn_resnet50_fpn_v2", published.clone()), 1e-5);
        assert_eq!(epsilon("fasterrcnn_mobilenet_v3_large_fpn", published), 1e-5);
        let legacy = json!({"weights": "KeypointRCNN_ResNet50_FPN_Weights.COCO_LEGACY"});
        assert_eq!(epsilon("keypointrcnn_resnet50_fpn", legacy), 1e-5);
    }

    #[test]
    fn what_means_nothing_is_remembered() {
        let read = arguments(
            "retinanet_resnet50_fpn",
            json!({"score_thresh": 0.2, "progress": false, "min_size": 600, "box_roi_pool": "mine"}),
        );
        assert_eq!(read.ignored, ["box_roi_pool"]);
        assert_eq!(read.share("score_thresh", 0.5).unwrap(), 0.2);
    }
}
