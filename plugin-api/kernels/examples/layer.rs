//! Runs each benchmark layer once, or the one that is named, on one image and one thread: what
//! `benches/instructions.sh` counts the instructions of.

#[allow(dead_code, reason = "the benchmark uses the rest")]
#[path = "layers/mod.rs"]
mod layers;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let wanted = std::env::args().nth(1);
    for layer in layers::all()? {
        if wanted.as_deref() == Some("--list") {
            println!("{}", layer.name);
            continue;
        }
        if wanted.as_deref().is_some_and(|wanted| wanted != layer.name) {
            continue;
        }
        let (plan, inputs, mut outputs) = (layer.plan()?, layer.inputs(), layer.outputs());
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let mut outputs: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        plan.run(&inputs, &mut outputs, 1)?;
    }
    Ok(())
}
