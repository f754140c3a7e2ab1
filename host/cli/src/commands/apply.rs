//! `modelzoo apply`: labels for pictures.

use super::run::{self, Results};
use crate::{
    arguments::{ApplyArguments, Global},
    exit::Exit,
    terminal::Terminal,
};
use modelzoo_data::draw::{AnnotationFolder, Annotator};
use modelzoo_engine::LabeledItem;
use modelzoo_plugin_api::PredictOptions;

/// The field that labels go to unless the user names one.
const DEFAULT_FIELD: &str = "predictions";

pub fn run(arguments: &ApplyArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    // What the user typed is checked before anything is fetched or built.
    let inputs = run::inputs(&arguments.input)?;
    let model = super::model::load(&arguments.model, global, terminal)?;
    let info = model.info();

    let mut predict = PredictOptions::default();
    predict.confidence_threshold = arguments.confidence_thresh;
    predict.classes = arguments.classes.clone();
    predict.store_logits = arguments.store_logits;

    let mut results = Results::new(&arguments.input, inputs.count() as u64, "applying", terminal)?;
    let annotations = arguments.annotate.as_ref().map(|folder| {
        let annotator = Annotator::new()
            .with_skeleton(info.skeleton.clone())
            .with_classes(info.classes.clone());
        (annotator, AnnotationFolder::new(folder))
    });
    let sink = |item: LabeledItem| {
        if let (Some((annotator, folder)), Some(image), Ok(fields)) =
            (&annotations, &item.image, &item.result)
        {
            folder.save(
                &item.relative_path,
                &annotator.draw(image, &fields.sample),
                &item.filepath,
            )?;
        }
        results.take(&item)
    };
    let field = arguments.input.field().unwrap_or(DEFAULT_FIELD);
    let pipeline = run::pipeline(&arguments.input, info);
    let summary = modelzoo_engine::apply(model.as_ref(), inputs.iter(), field, &pipeline, &predict, sink)?;
    results.finish(summary, terminal)
}
