//! Models of pictures.

use modelzoo_plugin_api::{
    PreparedImage, Preprocessing, PromptEmbedding, SampleFields, SampleModel,
    label::{Classification, Detection, Detections, Heatmap, Label, Regression, Segmentation},
    prelude::*,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Finds one object in every picture: its middle half, `bright` or `dark` by the mean of all bytes, which is its
/// confidence. `--set-call` gives the class another name.
pub struct Boxes;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CallSettings {
    class: Option<String>,
}

impl Model for Boxes {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
            .with_classes(["dark", "bright"])
            .with_embeddings()
    }

    fn predict(&self, image: &Image<'_>, options: &PredictOptions) -> Result<Output> {
        let settings: CallSettings = serde_json::from_value(options.settings.clone().into())?;
        let mean = mean(image);
        let class = settings.class.unwrap_or_else(|| class_of(mean).to_owned());
        let object = Detection::new(class, [0.25, 0.25, 0.5, 0.5])
            .with_confidence(mean)
            .with_mask(Array::new([2, 2], vec![true, false, true, true])?);
        Ok(Detections::new(vec![object]).into())
    }

    /// Columns and rows.
    fn embed(&self, image: &Image<'_>) -> Result<Array> {
        Ok(Array::vector(vec![image.width() as f32, image.height() as f32]))
    }
}

/// Gives every label that has a mask or a map.
pub struct Maps;

impl Model for Maps {
    fn info(&self) -> ModelInfo {
        ModelInfo::image().with_classes(["background", "thing"])
    }

    fn predict(&self, _image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        let mask = || Array::new([1, 2], vec![0u8, 1]);
        let object = Detection::new("thing", [0.0, 0.0, 1.0, 1.0]).with_mask(mask()?);
        Ok(Output::Labels(BTreeMap::from([
            ("mask".to_owned(), Segmentation::new(mask()?).into()),
            (
                "map".to_owned(),
                Heatmap::new(Array::new([1, 3], vec![0.0f32, 0.5, 1.0])?)
                    .with_range(0.0, 1.0)
                    .into(),
            ),
            ("objects".to_owned(), Label::from(Detections::new(vec![object]))),
        ])))
    }
}

/// Prepares pictures by itself and predicts from what it prepared: how many came together. It takes batches of one
/// shape only, and no black pictures.
pub struct Prepared;

impl Model for Prepared {
    fn info(&self) -> ModelInfo {
        ModelInfo::image().with_preferred_batch_size(2)
    }

    fn predict(&self, _image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        Err(Error::new("this model predicts from what it has prepared"))
    }

    fn preprocessing(&self) -> Option<&dyn Preprocessing> {
        Some(self)
    }
}

impl Preprocessing for Prepared {
    fn preprocess(&self, image: &Image<'_>) -> Result<PreparedImage> {
        let (width, height) = (image.width(), image.height());
        if image.pixels().iter().all(|&byte| byte == 0) {
            return Err(Error::new("this picture is black"));
        }
        let bytes = image.pixels().to_vec();
        Ok(PreparedImage::new(
            Array::new([height, width, 3], bytes)?,
            width,
            height,
        ))
    }

    fn predict_prepared(
        &self,
        images: &[PreparedImage],
        _options: &PredictOptions,
    ) -> Result<Vec<Result<Output>>> {
        let shape = images[0].input.shape();
        if images.iter().any(|image| image.input.shape() != shape) {
            return Err(Error::new("the pictures of a batch differ in shape"));
        }
        Ok(images
            .iter()
            .map(|_| Ok(Regression::new(images.len() as f64).into()))
            .collect())
    }
}

/// Needs the field `caption`, and says what stands there.
pub struct Fields;

impl Model for Fields {
    fn info(&self) -> ModelInfo {
        ModelInfo::image().with_needed_fields(["caption"])
    }

    fn predict(&self, _image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        Err(Error::new("the sample has no caption").with_hint("--sample-field caption=FIELD names it"))
    }

    fn samples(&self) -> Option<&dyn SampleModel> {
        Some(self)
    }
}

impl SampleModel for Fields {
    fn predict_samples(
        &self,
        images: &[Image<'_>],
        samples: &[SampleFields],
        _options: &PredictOptions,
    ) -> Result<Vec<Result<Output>>> {
        let predict = |(_, fields): (&Image<'_>, &SampleFields)| {
            let caption = fields.get("caption").context("the sample has no caption")?;
            let text = caption.as_str().or_else(|| caption.get("label")?.as_str());
            Ok(Classification::new(text.context("the caption is no text")?).into())
        };
        Ok(images.iter().zip(samples).map(predict).collect())
    }
}

/// Embeds texts as their length, and pictures as the mean of their bytes.
pub struct Prompts;

impl Model for Prompts {
    fn info(&self) -> ModelInfo {
        ModelInfo::image().with_embeddings()
    }

    fn predict(&self, _image: &Image<'_>, _options: &PredictOptions) -> Result<Output> {
        Ok(Output::Nothing)
    }

    fn embed(&self, image: &Image<'_>) -> Result<Array> {
        Ok(Array::vector(vec![mean(image) as f32, 0.5]))
    }

    fn prompts(&self) -> Option<&dyn PromptEmbedding> {
        Some(self)
    }
}

impl PromptEmbedding for Prompts {
    fn embed_prompts(&self, prompts: &[String]) -> Result<Vec<Result<Array>>> {
        let embed = |prompt: &String| match prompt.len() {
            0 => Err(Error::new("the text is empty")),
            length => Ok(Array::vector(vec![length as f32, 0.5])),
        };
        Ok(prompts.iter().map(embed).collect())
    }
}

/// `bright` or `dark`.
pub fn class_of(mean: f64) -> &'static str {
    if mean >= 0.5 { "bright" } else { "dark" }
}

/// The mean of all bytes, 0 to 1.
pub fn mean(image: &Image<'_>) -> f64 {
    let sum: u64 = image.pixels().iter().map(|&value| u64::from(value)).sum();
    sum as f64 / image.pixels().len() as f64 / 255.0
}
