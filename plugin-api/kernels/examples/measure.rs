//! Measures well-known networks with random weights: milliseconds for an image, accuracy, memory, and where the
//! time goes.
//!
//! ```text
//! cargo run --release --example measure -- [--threads N] [--batch N] [--rounds N] [--profile] [--check]
//!     [--int8 | --bf16] [--isa NAME] [NETWORK...]
//! ```

mod networks;

use modelzoo_kernels::{
    Isa,
    graph::Graph,
    plan::{Calibration, Plan, PlanOptions, Precision},
    reference,
};
use networks::{NAMES, by_name, numbers::Numbers};
use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

struct Options {
    threads: usize,
    batch: usize,
    rounds: usize,
    profile: bool,
    check: bool,
    direct_only: bool,
    int8: bool,
    bf16: bool,
    isa: Option<Isa>,
    together: usize,
    names: Vec<String>,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        threads: 2,
        batch: 8,
        rounds: 7,
        profile: false,
        check: false,
        direct_only: false,
        int8: false,
        bf16: false,
        isa: None,
        together: PlanOptions::default().images_together,
        names: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || -> Result<usize, Box<dyn Error>> {
            let value = arguments
                .next()
                .ok_or_else(|| format!("{argument} needs a number"))?;
            Ok(value.parse()?)
        };
        match argument.as_str() {
            "--threads" => options.threads = number()?,
            "--batch" => options.batch = number()?,
            "--rounds" => options.rounds = number()?,
            "--together" => options.together = number()?,
            "--profile" => options.profile = true,
            "--check" => options.check = true,
            "--direct-only" => options.direct_only = true,
            "--bf16" => options.bf16 = true,
            "--int8" => options.int8 = true,
            "--isa" => options.isa = Some(isa(arguments.next().as_deref())?),
            _ => options.names.push(argument),
        }
    }
    if options.names.is_empty() {
        options.names = NAMES.map(String::from).to_vec();
    }
    Ok(options)
}

fn isa(name: Option<&str>) -> Result<Isa, Box<dyn Error>> {
    let found = Isa::detected().into_iter().find(|isa| Some(isa.name()) == name);
    Ok(found.ok_or("--isa needs an instruction set of this machine")?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    for name in &options.names {
        let graph = by_name(name).ok_or_else(|| format!("there is no network {name}: {NAMES:?}"))??;
        measure(name, &graph, &options)?;
    }
    Ok(())
}

fn measure(name: &str, graph: &Graph, options: &Options) -> Result<(), Box<dyn Error>> {
    let mut plan_options = PlanOptions {
        threads: options.threads,
        direct_only: options.direct_only,
        images_together: options.together,
        isa: options.isa,
        precision: if options.bf16 {
            Precision::Bf16
        } else {
            Precision::Float
        },
        ..PlanOptions::default()
    };
    let batch = options.batch;
    let inputs: Vec<Vec<f32>> = graph
        .input_shapes()
        .map(|shape| Numbers::new(9).take(shape.elements() * batch))
        .collect();
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    if options.int8 {
        let mut calibration = Calibration::new(graph, &plan_options)?;
        calibration.observe(&inputs, batch)?;
        plan_options.ranges = Some(Arc::new(calibration.ranges()));
    }
    let start = Instant::now();
    let plan = Plan::compile(graph, &plan_options)?;
    let compiled = start.elapsed();
    let mut outputs: Vec<Vec<f32>> = graph
        .output_shapes()
        .map(|shape| vec![0.0; shape.elements() * batch])
        .collect();
    let mut outputs: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();

    let mut times = Vec::new();
    for round in 0..=options.rounds {
        let start = Instant::now();
        plan.run(&inputs, &mut outputs, batch)?;
        // The first round brings memory and caches into place.
        if round > 0 {
            times.push(start.elapsed());
        }
    }
    times.sort_unstable();
    let image = |time: Duration| time.as_secs_f64() * 1e3 / batch as f64;
    let memory = plan.memory();
    println!(
        "{name}: {:.2} ms an image ({:.2} to {:.2}), compiled in {:.0} ms, weights {:.1} MB, values {:.1} MB, scratch {:.1} MB",
        image(times[times.len() / 2]),
        image(times[0]),
        image(times[times.len() - 1]),
        compiled.as_secs_f64() * 1e3,
        memory.packed_weights as f64 / 1e6,
        memory.values as f64 / 1e6,
        memory.scratch as f64 / 1e6,
    );
    if options.profile {
        // The least time of each step: other work on the machine makes steps slower and never faster.
        let mut steps = plan.profile(&inputs, &mut outputs, batch)?;
        for _ in 1..options.rounds {
            for (least, (_, time)) in steps.iter_mut().zip(plan.profile(&inputs, &mut outputs, batch)?) {
                least.1 = least.1.min(time);
            }
        }
        for (step, time) in &steps {
            println!("  {:8.3} ms  {step}", image(*time));
        }
        let total: Duration = steps.iter().map(|(_, time)| *time).sum();
        println!("  {:8.3} ms  in all, {} threads", image(total), options.threads);
    }
    if options.check {
        let expected = reference::run(graph, &inputs, batch)?;
        for (index, (found, expected)) in outputs.iter().zip(&expected).enumerate() {
            let largest = expected
                .iter()
                .fold(0.0f64, |largest, value| largest.max(value.abs()));
            let error = found
                .iter()
                .zip(expected)
                .fold(0.0f64, |error, (&found, &expected)| {
                    error.max((f64::from(found) - expected).abs())
                });
            println!(
                "  output {index}: largest error {:.1e} of the largest value {largest:.3}",
                error / largest
            );
        }
    }
    Ok(())
}
