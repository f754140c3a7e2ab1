//! A program with a store and a consent of its own: it runs one commit of a source, which somebody has looked at, and
//! reads nothing of the user's configuration.
//!
//!     cargo run --release --example own_zoo -- user/repo@v1 COMMIT examples/photos

use anyhow::bail;
use modelzoo::{ApplyOptions, Zoo, apply_model, trust};

pub fn main() -> anyhow::Result<()> {
    modelzoo::run_worker_if_asked();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [source, reviewed, pictures] = &arguments[..] else {
        bail!("usage: own_zoo SOURCE COMMIT PICTURES");
    };
    let reviewed = reviewed.clone();
    let consent =
        move |code: &trust::Summary, _: &trust::Undecided| Some(code.commit.as_ref() == Some(&reviewed));
    let zoo = Zoo::builder().store("own-store").consent(consent).build()?;
    let model = zoo.load(source)?;
    apply_model(&model, pictures, &ApplyOptions::default(), |item| {
        println!("{:?}", item.fields.sample)
    })?;
    Ok(())
}
