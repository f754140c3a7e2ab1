//! A program of your own that runs published models: classify the pictures of a folder.
//!
//!     cargo run --release --example embed_the_host -- ./plugins/mobilenet_v2 examples/photos

use modelzoo::{LoadSettings, apply_model, load_model};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The plugin runs in a process of its own: this program, started again.
    modelzoo::run_worker_if_asked();

    let mut arguments = std::env::args().skip(1);
    let (Some(source), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: embed_the_host SOURCE FOLDER".into());
    };
    let model = load_model(&source, LoadSettings::default())?;
    let summary = apply_model(&model, &folder, |item| match &item.result {
        Ok(fields) => println!(
            "{}: {:?}",
            item.filepath.display(),
            fields.sample.get("predictions")
        ),
        Err(error) => eprintln!("{}: {error}", item.filepath.display()),
    })?;
    println!(
        "{} pictures, {} failed",
        summary.done + summary.failed,
        summary.failed
    );
    Ok(())
}
