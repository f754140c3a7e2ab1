//! A program of your own that runs published models: classify the pictures of a folder.
//!
//!     cargo run --release --example embed_the_host -- ./plugins/mobilenet_v2 examples/photos

use anyhow::{Context as _, bail};
use modelzoo::{ApplyOptions, LoadSettings, apply_model, load_model};

fn main() -> anyhow::Result<()> {
    // The plugin runs in a process of its own: this program, started again.
    modelzoo::run_worker_if_asked();

    let mut arguments = std::env::args().skip(1);
    let (Some(source), Some(folder)) = (arguments.next(), arguments.next()) else {
        bail!("usage: embed_the_host SOURCE FOLDER");
    };
    let model = load_model(&source, LoadSettings::default()).context("there is no model to apply")?;
    let options = ApplyOptions::default();
    let outcome = apply_model(&model, &folder, &options, |item| match item.error() {
        None => println!(
            "{}: {:?}",
            item.path.display(),
            item.fields.sample.get("predictions")
        ),
        Some(error) => eprintln!("{error}"),
    })?;
    let summary = outcome.summary;
    println!(
        "{} pictures, {} failed",
        summary.done + summary.failed,
        summary.failed
    );
    Ok(())
}
