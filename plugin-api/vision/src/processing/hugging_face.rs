//! The image processors of transformers, as `preprocessor_config.json` describes them.

use super::{
    CHANNELS, Processing, Special, framed, normalization, padded, part, patches, pillow_filter,
    rescaled_where, scaled, squares, text,
};
use crate::repository::Config;
use modelzoo_candle::image::{ChannelOrder, Filter, Normalization, Preprocessing};
use modelzoo_plugin_api::Result;

const HALF: [f64; CHANNELS] = [0.5; CHANNELS];
const IMAGENET: [[f64; CHANNELS]; 2] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];
/// ImageNet's for blue, green and red.
const BACKWARDS: [[f64; CHANNELS]; 2] = [[0.406, 0.456, 0.485], [0.225, 0.224, 0.229]];
const CLIP: [[f64; CHANNELS]; 2] = [
    [0.481_454_66, 0.457_827_5, 0.408_210_73],
    [0.268_629_54, 0.261_302_58, 0.275_777_11],
];

/// ConvNeXt's processor cuts pictures for networks smaller than this, and resizes to larger ones as they are.
const CONVNEXT_UNCUT: usize = 384;

/// What a size is for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Size {
    Exact([usize; 2]),
    Shorter(usize),
    Sides { shorter: usize, longer: usize },
    Within([usize; 2]),
}

/// What a processor does where its file says nothing.
#[derive(Clone, Copy, Debug)]
struct Defaults {
    size: Size,
    crop: Option<[usize; 2]>,
    filter: Filter,
    statistics: [[f64; CHANNELS]; 2],
    normalizes: bool,
}

impl Defaults {
    const fn new(size: Size, filter: Filter, statistics: [[f64; CHANNELS]; 2]) -> Self {
        Self {
            size,
            crop: None,
            filter,
            statistics,
            normalizes: true,
        }
    }

    const fn cropped(self, side: usize) -> Self {
        Self {
            crop: Some([side; 2]),
            ..self
        }
    }
}

const SQUARE: Size = Size::Exact([224; 2]);
const DETECTOR: Size = Size::Sides {
    shorter: 800,
    longer: 1333,
};

/// The processor that divides by the deviation twice, as networks with a classifier were trained.
const EFFICIENTNET: &str = "EfficientNet";

/// The processor that makes pictures square, and resizes them in floating point.
const OWL_V2: &str = "Owlv2";

/// The processor that resizes without a filter, in floating point.
const RF_DETR: &str = "RfDetr";

/// What a repository of IS-Net calls its own processor, which resizes in the same way.
const IS_NET: &str = "Image";

/// The processor that makes squares of pictures.
const EOMT: &str = "Eomt";

/// The processor that resizes to a number of patches.
const SIGLIP_2: &str = "Siglip2";

/// The processor that takes the parts of a picture around boxes.
const VITPOSE: &str = "VitPose";

/// The processor that fills pictures up with zeros.
const SAM: &str = "Sam";

/// The processors that choose a size for each picture of text.
const PP_OCR_PAGE: &str = "PPOCRV5ServerDet";
const PP_OCR_LINE: &str = "PPOCRV5ServerRec";
const PP_OCR_6_LINE: &str = "PPOCRV6SmallRec";

/// The processor of each name, without `ImageProcessor` or `FeatureExtractor`.
const PROCESSORS: [(&str, Defaults); 28] = [
    ("ViT", Defaults::new(SQUARE, Filter::Bilinear, [HALF; 2])),
    (
        "DeiT",
        Defaults::new(Size::Exact([256; 2]), Filter::Bicubic, [HALF; 2]).cropped(224),
    ),
    ("Beit", Defaults::new(SQUARE, Filter::Bicubic, [HALF; 2])),
    (
        "Bit",
        Defaults::new(Size::Shorter(224), Filter::Bicubic, CLIP).cropped(224),
    ),
    ("DINOv3ViT", Defaults::new(SQUARE, Filter::Bilinear, IMAGENET)),
    (
        "CLIP",
        Defaults::new(Size::Shorter(224), Filter::Bicubic, CLIP).cropped(224),
    ),
    ("Siglip", Defaults::new(SQUARE, Filter::Bicubic, [HALF; 2])),
    (SIGLIP_2, Defaults::new(SQUARE, Filter::Bilinear, [HALF; 2])),
    (
        "ConvNext",
        Defaults::new(Size::Shorter(384), Filter::Bicubic, [HALF; 2]),
    ),
    (
        EFFICIENTNET,
        Defaults::new(Size::Exact([346; 2]), Filter::Bicubic, [HALF; 2]),
    ),
    (
        "MobileNetV1",
        Defaults::new(Size::Shorter(256), Filter::Bilinear, [HALF; 2]).cropped(224),
    ),
    (
        "MobileNetV2",
        Defaults::new(Size::Shorter(256), Filter::Bilinear, [HALF; 2]).cropped(224),
    ),
    (
        "Segformer",
        Defaults::new(Size::Exact([512; 2]), Filter::Bilinear, IMAGENET),
    ),
    (
        "DPT",
        Defaults::new(Size::Exact([384; 2]), Filter::Bicubic, [HALF; 2]),
    ),
    ("Detr", Defaults::new(DETECTOR, Filter::Bilinear, IMAGENET)),
    ("Yolos", Defaults::new(DETECTOR, Filter::Bilinear, IMAGENET)),
    (
        "RTDetr",
        Defaults {
            normalizes: false,
            ..Defaults::new(Size::Exact([640; 2]), Filter::Bilinear, IMAGENET)
        },
    ),
    (
        RF_DETR,
        Defaults::new(Size::Exact([560; 2]), Filter::Bilinear, IMAGENET),
    ),
    (
        IS_NET,
        Defaults::new(Size::Exact([1024; 2]), Filter::Bilinear, [HALF, [1.0; CHANNELS]]),
    ),
    (
        "OwlViT",
        Defaults::new(Size::Exact([768; 2]), Filter::Bicubic, CLIP),
    ),
    (
        OWL_V2,
        Defaults::new(Size::Exact([960; 2]), Filter::Bilinear, CLIP),
    ),
    (
        VITPOSE,
        Defaults::new(Size::Exact([256, 192]), Filter::Bilinear, IMAGENET),
    ),
    (
        EOMT,
        Defaults::new(Size::Exact([640; 2]), Filter::Bilinear, IMAGENET),
    ),
    (
        SAM,
        Defaults::new(Size::Exact([1024; 2]), Filter::Bilinear, IMAGENET),
    ),
    (
        "Sam2",
        Defaults::new(Size::Exact([1024; 2]), Filter::Bilinear, IMAGENET),
    ),
    (
        PP_OCR_PAGE,
        Defaults::new(Size::Exact([960; 2]), Filter::Bilinear, BACKWARDS),
    ),
    (
        PP_OCR_LINE,
        Defaults::new(Size::Exact([48, 320]), Filter::Bilinear, [HALF; 2]),
    ),
    (
        PP_OCR_6_LINE,
        Defaults::new(Size::Exact([48, 320]), Filter::Bilinear, [HALF; 2]),
    ),
];

/// The processors of kinds of models whose repositories do not name one.
const OF_KINDS: [(&str, &str); 47] = [
    ("vit", "ViT"),
    ("deit", "DeiT"),
    ("beit", "Beit"),
    ("dinov2", "Bit"),
    ("dinov2_with_registers", "Bit"),
    ("dinov3_convnext", "DINOv3ViT"),
    ("dinov3_vit", "DINOv3ViT"),
    ("efficientnet", EFFICIENTNET),
    ("mobilenet_v2", "MobileNetV2"),
    ("clip", "CLIP"),
    ("clip_vision_model", "CLIP"),
    ("siglip", "Siglip"),
    ("siglip_vision_model", "Siglip"),
    ("siglip2", SIGLIP_2),
    ("siglip2_vision_model", SIGLIP_2),
    ("convnext", "ConvNext"),
    ("convnextv2", "ConvNext"),
    ("resnet", "ConvNext"),
    ("regnet", "ConvNext"),
    ("swin", "ViT"),
    ("swinv2", "ViT"),
    ("segformer", "Segformer"),
    ("owlvit", "OwlViT"),
    ("owlv2", OWL_V2),
    ("depth_anything", "DPT"),
    ("dpt", "DPT"),
    ("detr", "Detr"),
    ("table-transformer", "Detr"),
    ("yolos", "Yolos"),
    ("rf_detr", RF_DETR),
    ("SegformerForSemanticSegmentation", IS_NET),
    ("rt_detr", "RTDetr"),
    ("rt_detr_v2", "RTDetr"),
    ("d_fine", "RTDetr"),
    ("eomt", EOMT),
    ("sam", SAM),
    ("sam2", "Sam2"),
    ("sam2_video", "Sam2"),
    ("vitpose", VITPOSE),
    ("pp_ocrv5_mobile_det", PP_OCR_PAGE),
    ("pp_ocrv5_server_det", PP_OCR_PAGE),
    ("pp_ocrv6_medium_det", PP_OCR_PAGE),
    ("pp_ocrv6_small_det", PP_OCR_PAGE),
    ("pp_ocrv6_small_rec", PP_OCR_6_LINE),
    ("pp_ocrv6_tiny_rec", PP_OCR_6_LINE),
    ("pp_ocrv5_mobile_rec", PP_OCR_LINE),
    ("pp_ocrv5_server_rec", PP_OCR_LINE),
];

/// Reads the preprocessing of a model of this kind; pictures get `size` where it is given.
pub(super) fn read(config: &Config, kind: &str, size: Option<[usize; 2]>) -> Result<Processing> {
    let (name, defaults) = processor(config, kind)?;
    match name {
        PP_OCR_PAGE => return text::page(config, size, defaults.statistics),
        VITPOSE => return part::read(config, size, [256, 192], defaults.statistics),
        EOMT => return squares::read(config, size, 640, defaults.statistics),
        SAM => return padded::read(config, size, 1024, defaults.statistics),
        SIGLIP_2 => return patches::read(config, size, defaults.statistics),
        PP_OCR_LINE => return text::line(config, size, defaults.statistics, false),
        PP_OCR_6_LINE => return text::line(config, size, defaults.statistics, true),
        _ => {}
    }
    let mut geometry = Geometry {
        resize: config
            .flag("do_resize", true)?
            .then(|| read_size(config, defaults.size))
            .transpose()?,
        crop: crop(config, defaults)?,
    };
    if name == "ConvNext" {
        geometry = convnext(config, geometry)?;
    }
    if let Some(size) = size {
        geometry = geometry.changed_to(size);
    }
    let is_square = name == OWL_V2 && config.flag("do_pad", true)?;
    if name == OWL_V2 && (!is_square || !matches!(geometry.resize, Some(Size::Exact(_)))) {
        return Err(config.unsupported(
            "do_pad",
            "a processor that makes pictures square and resizes them",
        ));
    }
    if [RF_DETR, IS_NET].contains(&name) && !matches!(geometry.resize, Some(Size::Exact(_))) {
        return Err(config.unsupported("size", "height and width"));
    }
    let within = match geometry.resize {
        Some(Size::Within(within)) => Some(within),
        _ => None,
    };
    if within.is_some() && geometry.crop.is_some() {
        return Err(config.unsupported("size", "another size where pictures are cut afterwards,"));
    }
    let framed = framed::read(config, (name, kind), within, size.is_some())?;
    let order = if config.flag("do_flip_channel_order", false)? {
        ChannelOrder::Bgr
    } else {
        ChannelOrder::Rgb
    };
    let preprocessing = steps(config, name, geometry)?
        .filter(pillow_filter(config, "resample", defaults.filter)?)
        .channels(order)
        .normalize(values(config, name, defaults)?);
    let frame = framed.and_then(|framed| framed.frame);
    let size = match (geometry.crop, geometry.resize) {
        _ if frame.is_some() => frame.map(|frame| frame.size),
        (Some(crop), _) => Some(crop),
        (None, Some(Size::Exact(size))) => {
            // The rule may choose another size for each picture.
            Some(size).filter(|size| preprocessing.output_size([999, 333]) == *size)
        }
        _ => None,
    };
    Ok(Processing {
        preprocessing,
        size,
        is_square,
        special: framed.map(Special::Framed),
    })
}

/// What becomes of a picture's height and width.
#[derive(Clone, Copy, Debug)]
struct Geometry {
    resize: Option<Size>,
    crop: Option<[usize; 2]>,
}

impl Geometry {
    /// The same for networks that take pictures of `size`.
    fn changed_to(self, size: [usize; 2]) -> Self {
        match self {
            Self {
                resize,
                crop: Some(crop),
            } => Self {
                resize: resize.map(|resize| match resize {
                    Size::Exact(sides) => Size::Exact(scaled(sides, crop, size)),
                    Size::Shorter(side) => {
                        Size::Shorter(scaled([side; 2], crop, size).into_iter().fold(1, usize::max))
                    }
                    sides @ (Size::Sides { .. } | Size::Within(_)) => sides,
                }),
                crop: Some(size),
            },
            Self { crop: None, .. } => Self {
                resize: Some(Size::Exact(size)),
                crop: None,
            },
        }
    }
}

/// The name of the processor, and what it does by default.
fn processor(config: &Config, kind: &str) -> Result<(&'static str, Defaults)> {
    let named = match config.text("image_processor_type")? {
        Some(name) => Some(name),
        None => config.text("feature_extractor_type")?,
    };
    let bare = |name: &str| {
        let name = name
            .strip_suffix("Fast")
            .or_else(|| name.strip_suffix("Pil"))
            .unwrap_or(name);
        let bare = name
            .strip_suffix("ImageProcessor")
            .or_else(|| name.strip_suffix("FeatureExtractor"));
        bare.unwrap_or(name).to_owned()
    };
    let name = named.map(bare).or_else(|| {
        let found = OF_KINDS.iter().find(|(name, _)| *name == kind);
        found.map(|(_, name)| (*name).to_owned())
    });
    let name = name.as_deref().unwrap_or("ViT");
    PROCESSORS
        .iter()
        .find(|(known, _)| *known == name)
        .copied()
        .ok_or_else(|| config.unsupported("image_processor_type", "a processor that is known here"))
}

/// The size to which pictures are resized: a number, two of them, or an object that says which sides it means.
fn read_size(config: &Config, default: Size) -> Result<Size> {
    let Some(value) = config.value("size") else {
        return Ok(default);
    };
    if !value.is_object() {
        let sides = config.size("size", [1; 2])?;
        return Ok(match default {
            Size::Shorter(_) if value.is_number() => Size::Shorter(sides[0]),
            Size::Sides { longer, .. } if value.is_number() => Size::Sides {
                shorter: sides[0],
                longer: config.count("max_size", longer)?,
            },
            _ => Size::Exact(sides),
        });
    }
    let section = config.section_or_empty("size")?;
    if let [Some(height), Some(width)] = [section.count_of("max_height")?, section.count_of("max_width")?] {
        return Ok(Size::Within([height, width]));
    }
    let parts = ["height", "width", "shortest_edge", "longest_edge"].map(|key| section.count_of(key));
    let [height, width, shortest, longest] = parts;
    match (height?, width?, shortest?, longest?) {
        (Some(height), Some(width), None, _) => Ok(Size::Exact([height, width])),
        (_, _, Some(shorter), Some(longer)) => Ok(Size::Sides { shorter, longer }),
        (_, _, Some(shorter), None) => Ok(Size::Shorter(shorter)),
        _ => Err(config.unsupported(
            "size",
            "height and width, or max_height and max_width, or shortest_edge, perhaps with longest_edge,",
        )),
    }
}

fn crop(config: &Config, defaults: Defaults) -> Result<Option<[usize; 2]>> {
    if !config.flag("do_center_crop", defaults.crop.is_some())? {
        return Ok(None);
    }
    let default = defaults.crop.unwrap_or([224; 2]);
    if !config
        .value("crop_size")
        .is_some_and(serde_json::Value::is_object)
    {
        return config.size("crop_size", default).map(Some);
    }
    let section = config.section_or_empty("crop_size")?;
    Ok(Some([
        section.count("height", default[0])?,
        section.count("width", default[1])?,
    ]))
}

/// ConvNeXt's: a shorter side below 384 is what is cut from a picture that was made so much larger before.
fn convnext(config: &Config, geometry: Geometry) -> Result<Geometry> {
    let Some(Size::Shorter(side)) = geometry.resize else {
        return Ok(geometry);
    };
    if side >= CONVNEXT_UNCUT {
        return Ok(Geometry {
            resize: Some(Size::Exact([side; 2])),
            ..geometry
        });
    }
    let share = config.number("crop_pct")?.unwrap_or(224.0 / 256.0);
    if !(0.01..=4.0).contains(&share) {
        return Err(config.wrong("crop_pct", "a number from 0.01 to 4"));
    }
    Ok(Geometry {
        resize: Some(Size::Shorter((side as f64 / share) as usize)),
        crop: Some([side; 2]),
    })
}

/// The steps of a geometry, as the processor of this name takes them.
fn steps(config: &Config, name: &str, geometry: Geometry) -> Result<Preprocessing> {
    let new = Preprocessing::new();
    let resized = match geometry.resize {
        // The frame resizes what is within it.
        None | Some(Size::Within(_)) => new,
        Some(Size::Exact(size)) if name == "DPT" => new.resize_near_multiple(
            size,
            config.count("ensure_multiple_of", 1)?,
            config.flag("keep_aspect_ratio", false)?,
        ),
        Some(Size::Exact(size)) if [RF_DETR, IS_NET].contains(&name) => new.interpolate(size),
        Some(Size::Exact(size)) if name == OWL_V2 => new.interpolate_square(size),
        Some(Size::Exact(size)) => new.resize(size),
        Some(Size::Shorter(side)) => new.resize_shorter_side(side),
        Some(Size::Sides { shorter, longer }) => {
            let multiple = if name == "Yolos" { 16 } else { 1 };
            new.resize_sides(shorter, longer, multiple)
        }
    };
    Ok(match geometry.crop {
        Some(crop) => resized.center_crop_down(crop),
        None => resized,
    })
}

/// What becomes of the pixels' values.
fn values(config: &Config, name: &str, defaults: Defaults) -> Result<Normalization> {
    let mut values = rescaled_where(config, defaults.statistics, defaults.normalizes)?;
    if name == EFFICIENTNET {
        if config.flag("rescale_offset", false)? {
            values.mean = values.mean.map(|mean| mean + 1.0);
        }
        if config.flag("include_top", true)? {
            let keys = ["image_mean", "image_std"];
            let deviations = normalization(config, keys, 1.0, defaults.statistics)?.std;
            values.std = std::array::from_fn(|channel| values.std[channel] * deviations[channel]);
        }
    }
    Ok(values)
}
