//! This project's side of the comparison: runs a network as a plugin does, a Candle tensor in, Candle tensors out.
//!
//!     compare NETWORK WEIGHTS INPUTS THREADS PRECISION
//!
//! NETWORK is one of those below, with a safetensors file as WEIGHTS, or `published:OUTPUT,...` for these outputs of the
//! published model in the folder WEIGHTS. INPUTS is a safetensors file that holds a batch under each name that commands
//! use; PRECISION is one of the `modelzoo` program's; `int8` is calibrated on the batch
//! `calibrate`. A line of standard input is a command, and each is answered by a line of standard output:
//!
//! | command | answer |
//! |---|---|
//! | (the start) | milliseconds from opening the weights to a network that is ready, bytes of packed weights, bytes of buffers |
//! | `time INPUT MILLISECONDS` | median milliseconds of the runs that together take about so long, after one that does not count |
//! | `save INPUT FILE` | nothing; FILE has the outputs as safetensors, named `0`, `1`, ... |

// The plugins' own descriptions; plugins cannot be linked together, because each exports the same entry point.
#[path = "../../../plugins/mobilenet_v2/src/network.rs"]
mod mobilenet_v2;
#[allow(dead_code, reason = "decoders use the rest")]
#[path = "../../../plugins/nanodet/src/network.rs"]
mod nanodet;
#[allow(dead_code, reason = "decoders use the rest")]
#[path = "../../../plugins/u2netp/src/network.rs"]
mod u2netp;

use modelzoo_candle::{
    candle_core::{Device, Tensor, safetensors},
    device::Placement,
    network::{MOST_ERROR, Network},
    networks,
    weights::Weights,
};
use modelzoo_plugin_api::{Context as _, Error, Precision, Result};
use std::{
    collections::HashMap,
    io::{BufRead, Write},
    path::Path,
    sync::Arc,
    time::Instant,
};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, weights, inputs, threads, precision] = &arguments[..] else {
        return Err(Error::new(
            "usage: compare NETWORK WEIGHTS INPUTS THREADS PRECISION",
        ));
    };
    let inputs = safetensors::load(inputs, &Device::Cpu)?;
    let precision = precision.parse().context("PRECISION")?;
    let placement = Placement {
        device: Device::Cpu,
        threads: threads.parse()?,
        precision,
        ..Placement::cpu()
    };
    let start = Instant::now();
    let network = match name.strip_prefix("published:") {
        Some(outputs) => {
            let published = modelzoo_vision::network(Path::new(weights), None, &placement)?;
            published.with_outputs(&outputs.split(',').collect::<Vec<_>>())?
        }
        None => describe(name, Path::new(weights), &placement)?,
    };
    let network = match precision {
        Precision::Int8 => on_bytes(&network, &inputs)?,
        _ => network,
    };
    network.prepare()?;
    let ready = milliseconds(start);
    let memory = network
        .memory_use()?
        .ok_or_else(|| Error::new("the network runs on Candle's operators: is MODELZOO_KERNELS off?"))?;
    // Values and scratch memory are there once for each thread.
    let buffers = (memory.values + memory.scratch) * placement.threads;
    answer(format_args!("{ready} {} {buffers}", memory.packed_weights))?;
    for line in std::io::stdin().lock().lines() {
        obey(&network, &inputs, &line?)?;
    }
    Ok(())
}

/// The network on bytes, as the program calibrates it, on the batch `calibrate` of the inputs.
fn on_bytes(network: &Network, inputs: &HashMap<String, Tensor>) -> Result<Network> {
    let samples = inputs
        .get("calibrate")
        .ok_or_else(|| Error::new("int8 needs a batch `calibrate` among the inputs"))?;
    let ranges = network.calibrate(samples, MOST_ERROR)?;
    let layers = (ranges.iter().len(), ranges.in_numbers().len());
    eprintln!(
        "{} results have ranges, {} layers stay in f32",
        layers.0, layers.1
    );
    network.with_ranges(Arc::new(ranges))
}

fn describe(name: &str, weights: &Path, placement: &Placement) -> Result<Network> {
    let weights = Weights::open(weights)?;
    Ok(match name {
        "resnet18" => networks::resnet18(&weights, 1000, placement)?,
        "resnet50" => networks::resnet50(&weights, 1000, placement)?,
        "mobilenet_v2" => mobilenet_v2::mobilenet_v2(&weights, placement)?,
        "nanodet_g" => nanodet::nanodet_g(&weights, placement)?,
        "yolov8n" => networks::yolov8n(&weights, 80, placement)?,
        "u2netp" => u2netp::u2netp(&weights, placement)?,
        "vit_b_16" => networks::vit_b_16(&weights, 1000, placement)?,
        "clip_vit_b_32_image" => networks::clip_vit_b_32_image(&weights, placement)?,
        _ => return Err(Error::new(format!("there is no network {name}"))),
    })
}

fn obey(network: &Network, inputs: &HashMap<String, Tensor>, command: &str) -> Result<()> {
    let input = |name: &str| {
        inputs
            .get(name)
            .ok_or_else(|| Error::new(format!("there is no input {name}")))
    };
    match command.split(' ').collect::<Vec<_>>()[..] {
        ["time", name, budget] => {
            let (batch, budget) = (input(name)?, budget.parse::<f64>()?);
            network.forward(batch)?;
            let mut times = Vec::new();
            while times.is_empty() || times.iter().sum::<f64>() < budget {
                let start = Instant::now();
                network.forward(batch)?;
                times.push(milliseconds(start));
            }
            answer(format_args!("{}", median(times)))
        }
        ["save", name, file] => {
            let outputs = network.forward(input(name)?)?;
            let named: HashMap<String, Tensor> = (0..outputs.len())
                .map(|index| index.to_string())
                .zip(outputs)
                .collect();
            safetensors::save(&named, file)?;
            answer(format_args!(""))
        }
        _ => Err(Error::new(format!("there is no command {command:?}"))),
    }
}

fn answer(line: std::fmt::Arguments) -> Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()?;
    Ok(())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let (low, high) = ((times.len() - 1) / 2, times.len() / 2);
    (times[low] + times[high]) / 2.0
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}
