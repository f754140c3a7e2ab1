//! Which file knows which architecture.

use super::{
    Architecture, arguments, beit, clip, convnext, d_fine, depth_anything, detr, dinov2, dinov3, dpt,
    efficientnet, eomt, mobilenet_v2, nanodet, pp_ocr, regnet, resnet, rf_detr, rt_detr, sam, segformer,
    swin, torchvision, u2net, vit, vitpose, yolos, yolox,
};
use crate::repository::{Form, Repository};
use modelzoo_plugin_api::{Error, ErrorKind, Result};

/// Reads a repository's configuration.
type Open = fn(&Repository) -> Result<Box<dyn Architecture>>;

/// transformers' `model_type`.
const HUGGING_FACE: &[(&str, Open)] = &[
    ("SegformerForSemanticSegmentation", u2net::hugging_face),
    ("beit", beit::hugging_face),
    ("clip", clip::clip),
    ("clip_vision_model", clip::clip),
    ("convnext", convnext::hugging_face),
    ("convnextv2", convnext::hugging_face),
    ("d_fine", d_fine::hugging_face),
    ("deit", vit::hugging_face),
    ("depth_anything", depth_anything::hugging_face),
    ("detr", detr::hugging_face),
    ("dinov2", dinov2::hugging_face),
    ("dinov2_with_registers", dinov2::hugging_face),
    ("dinov3_convnext", convnext::hugging_face),
    ("dinov3_vit", dinov3::hugging_face),
    ("dpt", dpt::hugging_face),
    ("efficientnet", efficientnet::hugging_face),
    ("eomt", eomt::hugging_face),
    ("mobilenet_v2", mobilenet_v2::hugging_face),
    ("owlv2", clip::owl_v2),
    ("owlvit", clip::owl_vit),
    ("pp_ocrv5_mobile_det", pp_ocr::detection),
    ("pp_ocrv5_mobile_rec", pp_ocr::recognition),
    ("pp_ocrv5_server_det", pp_ocr::detection),
    ("pp_ocrv5_server_rec", pp_ocr::recognition),
    ("pp_ocrv6_medium_det", pp_ocr::detection),
    ("pp_ocrv6_small_det", pp_ocr::detection),
    ("pp_ocrv6_small_rec", pp_ocr::recognition),
    ("pp_ocrv6_tiny_rec", pp_ocr::tiny_recognition),
    ("regnet", regnet::hugging_face),
    ("resnet", resnet::hugging_face),
    ("rf_detr", rf_detr::hugging_face),
    ("rt_detr", rt_detr::hugging_face),
    ("rt_detr_v2", rt_detr::hugging_face),
    ("sam", sam::sam),
    ("sam2", sam::sam2),
    ("sam2_video", sam::sam2),
    ("segformer", segformer::hugging_face),
    ("siglip", clip::siglip),
    ("siglip2", clip::naflex),
    ("siglip2_vision_model", clip::naflex),
    ("siglip_vision_model", clip::siglip),
    ("swin", swin::hugging_face),
    ("swinv2", swin::hugging_face),
    ("table-transformer", detr::hugging_face),
    ("vit", vit::hugging_face),
    ("vitpose", vitpose::hugging_face),
    ("yolos", yolos::hugging_face),
];

/// The beginnings of timm's names of architectures; the longest that fits counts.
const TIMM: &[(&str, Open)] = &[
    ("beit_", beit::timm),
    ("beitv2_", beit::timm),
    ("convnext_", convnext::timm),
    ("convnextv2_", convnext::timm),
    ("deit3_", vit::timm),
    ("deit_", vit::timm),
    ("densenet121", torchvision::densenet),
    ("densenet161", torchvision::densenet),
    ("densenet169", torchvision::densenet),
    ("densenet201", torchvision::densenet),
    ("efficientnet_", efficientnet::timm),
    ("efficientnetv2_rw_", efficientnet::timm),
    ("mobilenetv2_", efficientnet::timm),
    ("mobilenetv3_large_", efficientnet::timm),
    ("mobilenetv3_small_", efficientnet::timm),
    ("mobilenetv4_conv_", efficientnet::timm),
    ("mobilenetv4_hybrid_", efficientnet::timm),
    ("regnetx_", regnet::timm),
    ("regnety_", regnet::timm),
    ("resnet", resnet::timm),
    ("resnext", resnet::timm),
    ("seresnet", resnet::timm),
    ("seresnext", resnet::timm),
    ("swin_", swin::timm),
    ("swinv2_", swin::timm),
    ("tf_efficientnet_", efficientnet::timm),
    ("tf_efficientnetv2_", efficientnet::timm),
    ("tf_mobilenetv3_large_", efficientnet::timm),
    ("tf_mobilenetv3_small_", efficientnet::timm),
    ("vgg", torchvision::vgg),
    ("vit_", vit::timm),
    ("vit_7b_patch16_dinov3", dinov3::timm),
    ("vit_base_patch16_dinov3", dinov3::timm),
    ("vit_huge_plus_patch16_dinov3", dinov3::timm),
    ("vit_large_patch16_dinov3", dinov3::timm),
    ("vit_small_patch16_dinov3", dinov3::timm),
    ("vit_small_plus_patch16_dinov3", dinov3::timm),
    ("vit_tiny_patch16_dinov3", dinov3::timm),
    ("wide_resnet", resnet::timm),
];

/// The beginnings of the names of torchvision's functions; the longest that fits counts.
const TORCHVISION: &[(&str, Open)] = &[
    ("alexnet", torchvision::alexnet),
    ("convnext_", torchvision::convnext),
    ("deeplabv3_", torchvision::deeplab_v3),
    ("densenet", torchvision::densenet),
    ("efficientnet_", torchvision::efficientnet),
    ("fasterrcnn_", torchvision::rcnn),
    ("fcn_", torchvision::fcn),
    ("googlenet", torchvision::googlenet),
    ("inception_v3", torchvision::inception_v3),
    ("keypointrcnn_", torchvision::rcnn),
    ("lraspp_", torchvision::lraspp),
    ("maskrcnn_", torchvision::rcnn),
    ("mnasnet", torchvision::mnasnet),
    ("mobilenet_v2", torchvision::mobilenet_v2),
    ("mobilenet_v3_large", torchvision::mobilenet_v3_large),
    ("mobilenet_v3_small", torchvision::mobilenet_v3_small),
    ("regnet_", regnet::torchvision),
    ("resnet", resnet::timm),
    ("resnext", resnet::timm),
    ("retinanet_", torchvision::retinanet),
    ("shufflenet_v2_", torchvision::shufflenet),
    ("squeezenet1_", torchvision::squeezenet),
    ("ssd300_", torchvision::ssd300),
    ("ssdlite320_", torchvision::ssdlite320),
    ("swin_b", torchvision::swin),
    ("swin_s", torchvision::swin),
    ("swin_t", torchvision::swin),
    ("swin_v2_", torchvision::swin),
    ("vgg", torchvision::vgg),
    ("vit_", torchvision::vit),
    ("wide_resnet", resnet::timm),
];

/// The classes and functions of authors' own code that a manifest may name, without the modules that they are in.
const CLASSES: &[(&str, Open)] = &[
    ("BriaRMBG", u2net::is_net),
    ("ISNetDIS", u2net::is_net),
    ("U2NET", u2net::u2net),
    ("U2NETP", u2net::u2net),
    ("nanodet_g", nanodet::open),
    ("yolox_l", yolox::open),
    ("yolox_m", yolox::open),
    ("yolox_nano", yolox::open),
    ("yolox_s", yolox::open),
    ("yolox_tiny", yolox::open),
    ("yolox_x", yolox::open),
];

/// So many of the nearest names are told where one is not known.
const NEAREST: usize = 3;

/// Where to ask for an architecture.
const ISSUES: &str = "https://github.com/modelzoo-rs/modelzoo/issues/new";

/// An architecture, and the name of its kind.
pub(crate) struct Found {
    pub(crate) kind: &'static str,
    pub(crate) network: Box<dyn Architecture>,
}

/// The architecture that a repository's configuration names.
///
/// # Errors
/// Of kind [`ErrorKind::Unsupported`] when it is not known: the nearest ones are named.
pub(crate) fn find(repository: &Repository) -> Result<Found> {
    let config = &repository.config;
    let (key, table) = match repository.form {
        Form::HuggingFace => ("model_type", HUGGING_FACE),
        Form::Timm => ("architecture", TIMM),
        Form::Torchvision => ("architecture", TORCHVISION),
        Form::Class => ("architecture", CLASSES),
    };
    let name = config.text(key)?.ok_or_else(|| config.wrong(key, "a text"))?;
    let entry = match repository.form {
        Form::HuggingFace | Form::Class => table.iter().find(|(known, _)| *known == name),
        Form::Timm | Form::Torchvision => table
            .iter()
            .filter(|(beginning, _)| name.starts_with(beginning))
            .max_by_key(|(beginning, _)| beginning.len()),
    };
    let &(kind, open) = entry.ok_or_else(|| unknown(repository, name, table))?;
    arguments::check(repository)?;
    Ok(Found {
        kind,
        network: open(repository)?,
    })
}

/// The beginnings of the names of timm's and torchvision's networks that are known.
#[cfg(test)]
pub(super) fn beginnings() -> [(&'static str, Vec<&'static str>); 2] {
    [("timm", TIMM), ("torchvision", TORCHVISION)]
        .map(|(family, table)| (family, table.iter().map(|(beginning, _)| *beginning).collect()))
}

fn unknown(repository: &Repository, name: &str, table: &[(&'static str, Open)]) -> Error {
    let mut nearest: Vec<(&str, f64)> = table
        .iter()
        .map(|(known, _)| (*known, strsim::jaro_winkler(known.trim_end_matches('_'), name)))
        .collect();
    nearest.sort_by(|left, right| right.1.total_cmp(&left.1));
    let names: Vec<&str> = nearest
        .iter()
        .take(NEAREST)
        .map(|(known, _)| known.trim_end_matches('_'))
        .collect();
    let mut error = Error::new(format!(
        "the architecture {name:?} of {} is not known; the nearest that are: {}",
        repository.folder.display(),
        names.join(", ")
    ))
    .with_kind(ErrorKind::Unsupported);
    if repository.config.has("auto_map") {
        error = error.with_hint(
            "it comes with code of its own, which is never run; a plugin can have such an architecture",
        );
    } else {
        error = error.with_hint(format!("ask for it: {ISSUES}"));
    }
    error
}
