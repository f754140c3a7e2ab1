//! PP-OCR: networks that find lines of text, and networks that read one.

mod detection;
mod neck;
mod recognition;
mod tiny;

pub(super) use detection::detection;
pub(super) use recognition::recognition;
pub(super) use tiny::tiny_recognition;

use super::{hgnet_v2::HgNetV2, lcnet::PpLcNetV3, lcnet_v4::PpLcNetV4};
use crate::{checkpoint::Checkpoint, repository::Config};
use modelzoo_candle::network::{Conv2d, NetworkBuilder, Padding, Value};
use modelzoo_plugin_api::Result;

/// Before the names of the tensors of the backbone.
const BACKBONE: &str = "model.backbone.";

/// The network that finds features.
#[derive(Debug)]
enum Backbone {
    /// Of the small models of the fifth version.
    LcNet(PpLcNetV3),
    /// Of the sixth version.
    LcNetV4(PpLcNetV4),
    /// Of the large models of the fifth version.
    HgNet(HgNetV2),
}

impl Backbone {
    /// What `backbone_config` says.
    fn read(config: &Config) -> Result<Self> {
        let section = config.section_or_empty("backbone_config")?;
        match section.text("model_type")? {
            Some("pp_lcnet_v3") => Ok(Self::LcNet(PpLcNetV3::read(&section)?)),
            Some("pp_lcnet_v4") => Ok(Self::LcNetV4(PpLcNetV4::read(&section)?)),
            Some("hgnet_v2") => Ok(Self::HgNet(HgNetV2::read(&section)?)),
            _ => Err(section.unsupported("model_type", "pp_lcnet_v3, pp_lcnet_v4 or hgnet_v2")),
        }
    }

    /// The map of the stem and of each stage.
    fn stages(
        &self,
        network: &mut NetworkBuilder<'_>,
        checkpoint: &Checkpoint,
        image: Value,
    ) -> Result<Vec<Value>> {
        match self {
            Self::LcNet(backbone) => backbone.stages(network, checkpoint, BACKBONE, image),
            Self::LcNetV4(backbone) => backbone.stages(network, checkpoint, BACKBONE, image),
            Self::HgNet(backbone) => backbone.stages(network, checkpoint, BACKBONE, image),
        }
    }
}

/// A convolution whose result is as large as its operand.
fn same(channels: usize, kernel: [usize; 2]) -> Conv2d {
    let [rows, columns] = kernel.map(|side| side / 2);
    Conv2d::new(channels, kernel[0])
        .kernel(kernel)
        .uneven_padding(Padding {
            top: rows,
            bottom: rows,
            left: columns,
            right: columns,
        })
}
