//! `modelzoo embed`: embeddings of pictures.

use super::run::{self, Results};
use crate::{
    arguments::{EmbedArguments, Global},
    exit::Exit,
    terminal::Terminal,
};
use modelzoo_engine::LabeledItem;

/// The field that embeddings go to unless the user names one.
const DEFAULT_FIELD: &str = "embeddings";

pub fn run(arguments: &EmbedArguments, global: &Global, terminal: &Terminal) -> anyhow::Result<Exit> {
    let inputs = run::inputs(&arguments.input)?;
    let model = super::model::load(&arguments.model, global, terminal)?;
    let mut results = Results::new(&arguments.input, inputs.count() as u64, "embedding", terminal)?;
    let sink = |item: LabeledItem| results.take(&item);
    let field = arguments.input.field().unwrap_or(DEFAULT_FIELD);
    let pipeline = run::pipeline(&arguments.input, model.info());
    let summary = modelzoo_engine::embed(model.as_ref(), inputs.iter(), field, &pipeline, sink)?;
    results.finish(summary, terminal)
}
