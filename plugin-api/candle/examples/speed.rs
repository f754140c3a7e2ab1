//! Measures the networks of `modelzoo_candle::networks` with random weights on this machine's CPU.
//!
//!     cargo run --release -p modelzoo-candle --example speed -- [network...]
//!
//! Prints, for each, the time from parameters to a network that is ready, its memory in MiB, and the median time of a
//! run of one picture and of eight. `MODELZOO_KERNELS=off` measures Candle's own operators.

use modelzoo_candle::{
    candle_core::{DType, Device, Tensor},
    device::Placement,
    network::{Network, RandomParameters},
    networks,
};
use modelzoo_plugin_api::Result;
use std::time::{Duration, Instant};

type Describe = fn(&RandomParameters, &Placement) -> Result<Network>;

const NETWORKS: [(&str, Describe); 6] = [
    ("resnet18", |parameters, placement| {
        networks::resnet18(parameters, 1000, placement)
    }),
    ("resnet34", |parameters, placement| {
        networks::resnet34(parameters, 1000, placement)
    }),
    ("resnet50", |parameters, placement| {
        networks::resnet50(parameters, 1000, placement)
    }),
    ("yolov8n", |parameters, placement| {
        networks::yolov8n(parameters, 80, placement)
    }),
    ("vit_b_16", |parameters, placement| {
        networks::vit_b_16(parameters, 1000, placement)
    }),
    ("clip_vit_b_32_image", |parameters, placement| {
        networks::clip_vit_b_32_image(parameters, placement)
    }),
];

const ROUNDS: usize = 7;

fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let placement = Placement::cpu();
    println!("{} threads, medians of {ROUNDS} rounds", placement.threads);
    println!(
        "{:<20} {:>9} {:>9} {:>9} {:>9}",
        "network", "ready ms", "b1 ms", "b8 ms", "img/s"
    );
    for (name, describe) in NETWORKS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        let network = describe(&RandomParameters::new(0), &placement)?;
        let start = Instant::now();
        network.prepare()?;
        let ready = start.elapsed();
        let one = median(&network, 1)?;
        let eight = median(&network, 8)?;
        let (weights, buffers) = match network.memory_use()? {
            Some(memory) => (
                mebibytes(memory.packed_weights),
                mebibytes(memory.values + memory.scratch),
            ),
            None => (f64::NAN, f64::NAN),
        };
        println!(
            "{name:<20} {:>9.1} {weights:>9.1} {buffers:>9.1} {:>9.1} {:>9.1} {:>9.1}",
            milliseconds(ready),
            milliseconds(one),
            milliseconds(eight),
            8.0 / eight.as_secs_f64()
        );
    }
    Ok(())
}

/// The median time of a run, after one that warms up.
fn median(network: &Network, count: usize) -> Result<Duration> {
    let dims = [vec![count], network.input_dims()].concat();
    let batch = Tensor::ones(dims, DType::F32, &Device::Cpu)?;
    network.forward(&batch)?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        network.forward(&batch)?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(times[ROUNDS / 2])
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
