//! Segmenters: FCN, DeepLabV3 and Lite R-ASPP on networks whose last strides are dilations.
//!
//! Sources: Long et al., "Fully Convolutional Networks for Semantic Segmentation" (2014); Chen et al., "Rethinking Atrous
//! Convolution for Semantic Image Segmentation" (2017), section 3.3; Howard et al., "Searching for MobileNetV3" (2019),
//! figure 10.

use super::{Layers, Steps, classes, mobilenet_v3};
use crate::{
    architectures::{Architecture, Outputs, resnet::Described},
    checkpoint::Checkpoint,
    repository::Repository,
};
use modelzoo_candle::network::{Conv2d, Interpolation, NetworkBuilder, Value};
use modelzoo_plugin_api::Result;

/// The maps of MobileNetV3 that Lite R-ASPP sees besides the last one: an eighth of the picture.
const LOW: usize = 4;

/// The dilations of DeepLabV3's convolutions.
const DILATIONS: [usize; 3] = [12, 24, 36];

struct Segmenter {
    head: Head,
    has_mobile_backbone: bool,
    classes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Head {
    Fcn,
    DeepLab,
    LiteRAspp,
}

pub(in crate::architectures) fn fcn(repository: &Repository) -> Result<Box<dyn Architecture>> {
    open(repository, Head::Fcn)
}

pub(in crate::architectures) fn deeplab_v3(repository: &Repository) -> Result<Box<dyn Architecture>> {
    open(repository, Head::DeepLab)
}

pub(in crate::architectures) fn lraspp(repository: &Repository) -> Result<Box<dyn Architecture>> {
    open(repository, Head::LiteRAspp)
}

fn open(repository: &Repository, head: Head) -> Result<Box<dyn Architecture>> {
    let name = repository.config.text("architecture")?.unwrap_or_default();
    Ok(Box::new(Segmenter {
        head,
        has_mobile_backbone: name.contains("mobilenet"),
        classes: classes(repository)?,
    }))
}

impl Architecture for Segmenter {
    fn image_size(&self) -> [usize; 2] {
        [520; 2]
    }

    fn describe(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Outputs> {
        // A further classifier, which only training has a use for.
        checkpoint.leave_out("aux_classifier.");
        let layers = Layers::new(checkpoint);
        let maps = if self.has_mobile_backbone {
            let blocks = mobilenet_v3::LARGE.with_dilated_end();
            blocks.describe(network, checkpoint, "backbone.", image)?
        } else {
            vec![Described::new(checkpoint).dense_features(network, "backbone.", image)?]
        };
        let last = maps[maps.len() - 1];
        let logits = match self.head {
            Head::Fcn => self.end(network, layers, 0, last)?,
            Head::DeepLab => {
                let x = pyramid(network, layers, "classifier.0", last)?;
                self.end(network, layers, 1, x)?
            }
            Head::LiteRAspp => self.lite(network, layers, maps[LOW], last)?,
        };
        Ok(Outputs::Segmentation { logits })
    }
}

impl Segmenter {
    /// A convolution of 3 x 3, the module `first` of the classifier, and one of a pixel.
    fn end(
        &self,
        network: &mut NetworkBuilder<'_>,
        layers: Layers<'_>,
        first: usize,
        x: Value,
    ) -> Result<Value> {
        let x = layers.sequence(network, "classifier.", first, x, Steps::ONE)?;
        let x = network.relu(x)?;
        network.conv2d("classifier.4", x, Conv2d::new(self.classes, 1))
    }

    /// Lite R-ASPP: the last map's channels times factors of its means, and a finer map.
    fn lite(
        &self,
        network: &mut NetworkBuilder<'_>,
        layers: Layers<'_>,
        low: Value,
        high: Value,
    ) -> Result<Value> {
        let x = layers.sequence(network, "classifier.cbr.", 0, high, Steps::ONE)?;
        let x = network.relu(x)?;
        let mean = network.adaptive_avg_pool2d(high, [1, 1])?;
        let factors = layers.convolve(network, "classifier.scale.1", mean, Steps::ONE)?;
        let factors = network.sigmoid(factors)?;
        let x = network.mul(x, factors)?;
        let x = network.interpolate_like(x, low, BILINEAR)?;
        let classes = Conv2d::new(self.classes, 1);
        let low = network.conv2d("classifier.low_classifier", low, classes)?;
        let high = network.conv2d("classifier.high_classifier", x, classes)?;
        network.add(low, high)
    }
}

const BILINEAR: Interpolation = Interpolation::Bilinear { align_corners: false };

/// Convolutions with several dilations, and the mean of the map, side by side.
fn pyramid(network: &mut NetworkBuilder<'_>, layers: Layers<'_>, name: &str, x: Value) -> Result<Value> {
    let part = |index: usize| format!("{name}.convs.{index}.");
    let one = layers.sequence(network, &part(0), 0, x, Steps::ONE)?;
    let mut parts = vec![network.relu(one)?];
    for (index, dilation) in DILATIONS.into_iter().enumerate() {
        let wide = layers.sequence(network, &part(index + 1), 0, x, Steps::ONE.dilation(dilation))?;
        parts.push(network.relu(wide)?);
    }
    let mean = network.adaptive_avg_pool2d(x, [1, 1])?;
    let mean = layers.sequence(network, &part(4), 1, mean, Steps::ONE)?;
    let mean = network.relu(mean)?;
    parts.push(network.interpolate_like(mean, x, BILINEAR)?);
    let x = network.cat(&parts)?;
    let x = layers.sequence(network, &format!("{name}.project."), 0, x, Steps::ONE)?;
    network.relu(x)
}
