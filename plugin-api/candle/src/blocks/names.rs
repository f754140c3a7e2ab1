//! What the layers of a block are called where it was published.

/// What an [`InvertedResidual`](super::InvertedResidual)'s layers are called, below the block's own name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlockNames {
    /// torchvision's `MobileNetV2`: `conv.0.0`, `conv.0.1`, `conv.1.0`, `conv.1.1`, `conv.2`, `conv.3`. It has no names for
    /// squeeze and excitation, which torchvision's MobileNetV2 has not.
    #[default]
    MobileNetV2,
    /// torchvision's `EfficientNet` and `MobileNetV3`: `block.0.0`, `block.0.1`, and so on; `block.2.fc1`, `block.2.fc2`.
    Torchvision,
    /// timm's: `conv_pw`, `bn1`, `conv_dw`, `bn2`, `se.conv_reduce`, `se.conv_expand`, `conv_pwl`, `bn3`. Where the block
    /// does not widen, there is no `conv_pw` in front, but one at the end, and one `bn` less.
    Timm,
    /// Those of the package `efficientnet_pytorch`: `_expand_conv`, `_bn0`, `_depthwise_conv`, `_bn1`, `_se_reduce`,
    /// `_se_expand`, `_project_conv`, `_bn2`.
    EfficientNetPyTorch,
    /// Others.
    Given(LayerNames<&'static str>),
}

/// The name of each layer of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerNames<Name> {
    /// The convolution that widens and its normalisation, where the block widens.
    pub widen: [Name; 2],
    /// The convolution that filters each channel by itself and its normalisation.
    pub filter: [Name; 2],
    /// The two convolutions of squeeze and excitation, where the block has it.
    pub excite: [Name; 2],
    /// The convolution that narrows and its normalisation.
    pub narrow: [Name; 2],
}

impl BlockNames {
    /// The names in a block that widens or not, and has squeeze and excitation or not.
    pub(super) fn layers(self, widens: bool, excites: bool) -> LayerNames<String> {
        let pair = |name: String| ["0", "1"].map(|part| format!("{name}.{part}"));
        let first = usize::from(widens);
        match self {
            Self::MobileNetV2 => LayerNames {
                widen: pair("conv.0".to_owned()),
                filter: pair(format!("conv.{first}")),
                excite: ["fc1", "fc2"].map(str::to_owned),
                narrow: [1, 2].map(|step| format!("conv.{}", first + step)),
            },
            Self::Torchvision => LayerNames {
                widen: pair("block.0".to_owned()),
                filter: pair(format!("block.{first}")),
                excite: ["fc1", "fc2"].map(|part| format!("block.{}.{part}", first + 1)),
                narrow: pair(format!("block.{}", first + 1 + usize::from(excites))),
            },
            Self::Timm => owned(LayerNames {
                widen: ["conv_pw", "bn1"],
                filter: ["conv_dw", if widens { "bn2" } else { "bn1" }],
                excite: ["se.conv_reduce", "se.conv_expand"],
                narrow: if widens {
                    ["conv_pwl", "bn3"]
                } else {
                    ["conv_pw", "bn2"]
                },
            }),
            Self::EfficientNetPyTorch => owned(LayerNames {
                widen: ["_expand_conv", "_bn0"],
                filter: ["_depthwise_conv", "_bn1"],
                excite: ["_se_reduce", "_se_expand"],
                narrow: ["_project_conv", "_bn2"],
            }),
            Self::Given(names) => owned(names),
        }
    }
}

fn owned(names: LayerNames<&str>) -> LayerNames<String> {
    let both = |pair: [&str; 2]| pair.map(str::to_owned);
    LayerNames {
        widen: both(names.widen),
        filter: both(names.filter),
        excite: both(names.excite),
        narrow: both(names.narrow),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read off `torchvision.models.mobilenet_v2()`, `efficientnet_b0()` and `mobilenet_v3_large()`.
    #[test]
    fn torchvision_numbers_only_layers_that_are_there() {
        let narrow = |names: BlockNames, widens, excites| names.layers(widens, excites).narrow;
        assert_eq!(
            narrow(BlockNames::MobileNetV2, false, false),
            ["conv.1", "conv.2"]
        );
        assert_eq!(narrow(BlockNames::MobileNetV2, true, false), ["conv.2", "conv.3"]);
        assert_eq!(
            narrow(BlockNames::Torchvision, false, false),
            ["block.1.0", "block.1.1"]
        );
        assert_eq!(
            narrow(BlockNames::Torchvision, true, true),
            ["block.3.0", "block.3.1"]
        );
    }
}
