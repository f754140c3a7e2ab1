//! Single layers on one thread. The throughput is in operations, so `Gelem/s` reads as GFLOP/s; `ceiling` is what
//! the machine reaches with nothing but fused multiplications and additions in registers. Winograd's algorithm
//! needs fewer operations than a layer's definition has, so that it may be above.

#[path = "../examples/layers/mod.rs"]
mod layers;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Independent sums, more than any machine needs to be busy.
const SUMS: usize = 12 * 16;
const ROUNDS: usize = 10_000;

#[inline(always)]
fn multiply_and_add(start: f32) -> f32 {
    let mut sums = [start; SUMS];
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            *sum = sum.mul_add(0.999, 0.001);
        }
    }
    sums.iter().sum()
}

/// The same loop, compiled for the best instruction set of the machine.
fn ceiling(start: f32) -> f32 {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512vl,fma")]
        fn avx512(start: f32) -> f32 {
            multiply_and_add(start)
        }
        #[target_feature(enable = "avx2,fma")]
        fn avx2(start: f32) -> f32 {
            multiply_and_add(start)
        }
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
            // SAFETY: the features were detected.
            return unsafe { avx512(start) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the features were detected.
            return unsafe { avx2(start) };
        }
    }
    multiply_and_add(start)
}

fn benchmark(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("layers");
    group.throughput(Throughput::Elements((2 * SUMS * ROUNDS) as u64));
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
