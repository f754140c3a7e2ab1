//! Single layers on one thread. The throughput is in operations, so `Gelem/s` reads as GFLOP/s; `ceiling` is what
//! the machine reaches with nothing but fused multiplications and additions in registers. Winograd's algorithm
//! needs fewer operations than a layer's definition has, so that it may be above.

#[path = "../examples/layers/mod.rs"]
mod layers;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Independent sums, more than any machine needs to be busy; they fit into registers.
const SUMS: usize = 24;
/// Values in a register of the best instruction set.
const LANES: usize = if cfg!(target_arch = "x86_64") { 16 } else { 4 };
const ROUNDS: usize = 10_000;

/// Fused multiplications and additions in registers, with the best instruction set of the machine.
fn ceiling(start: f32) -> f32 {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::*;

        #[target_feature(enable = "avx512f")]
        fn avx512(start: f32) -> f32 {
            let (factor, summand) = (_mm512_set1_ps(0.999), _mm512_set1_ps(0.001));
            let mut sums = [_mm512_set1_ps(start); SUMS];
            for _ in 0..ROUNDS {
                for sum in &mut sums {
                    *sum = _mm512_fmadd_ps(*sum, factor, summand);
                }
            }
            let total = sums
                .into_iter()
                .fold(_mm512_setzero_ps(), |a, b| _mm512_add_ps(a, b));
            _mm512_reduce_add_ps(total)
        }
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the feature was detected.
            return unsafe { avx512(start) };
        }
    }
    let mut sums = [start; SUMS * LANES];
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            *sum = sum.mul_add(0.999, 0.001);
        }
    }
    sums.iter().sum()
}

fn benchmark(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("layers");
    group.throughput(Throughput::Elements((2 * SUMS * LANES * ROUNDS) as u64));
    group.bench_function("ceiling", |bencher| {
        bencher.iter(|| ceiling(std::hint::black_box(0.5)))
    });
    for layer in layers::all().expect("the layers fit their shapes") {
        let plan = layer.plan().expect("the layers fit their shapes");
        let (inputs, mut outputs) = (layer.inputs(), layer.outputs());
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        group.throughput(Throughput::Elements(layer.operations));
        group.bench_function(layer.name, |bencher| {
            let mut outputs: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
            bencher.iter(|| plan.run(&inputs, &mut outputs, 1));
        });
    }
    group.finish();
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
