//! Single layers on one thread. The throughput is in operations, so `Gelem/s` reads as GFLOP/s; `ceiling` is what
//! the machine reaches with nothing but fused multiplications and additions in registers. Winograd's algorithm
//! needs fewer operations than a layer's definition has, so that it may be above. Each layer is also measured on bytes, where
//! it can be.

#[path = "../examples/layers/mod.rs"]
mod layers;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// A loop of fused multiplications and additions in registers, and how many operations it has.
struct Ceiling {
    run: fn(f32) -> f32,
    operations: u64,
}

const ROUNDS: usize = 10_000;

impl Ceiling {
    /// With so many independent sums: as many as registers hold beside two constants, and more than any machine needs to
    /// be busy.
    fn new(run: fn(f32) -> f32, sums: usize, lanes: usize) -> Self {
        Self {
            run,
            operations: (2 * sums * lanes * ROUNDS) as u64,
        }
    }

    /// With the best instruction set of the machine.
    fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                // SAFETY: the feature was detected.
                return Self::new(|start| unsafe { x86::avx512(start) }, 24, 16);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                // SAFETY: the features were detected.
                return Self::new(|start| unsafe { x86::avx2(start) }, 12, 8);
            }
        }
        Self::new(portable, 24, 4)
    }
}

/// Where the compiler knows no fused instruction, a multiplication and an addition: `mul_add` is a library call there.
fn portable(start: f32) -> f32 {
    let mut sums = [start; 24 * 4];
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            *sum = if cfg!(target_arch = "aarch64") {
                sum.mul_add(0.999, 0.001)
            } else {
                *sum * 0.999 + 0.001
            };
        }
    }
    sums.iter().sum()
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::ROUNDS;
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx512f")]
    pub fn avx512(start: f32) -> f32 {
        let (factor, summand) = (_mm512_set1_ps(0.999), _mm512_set1_ps(0.001));
        let mut sums = [_mm512_set1_ps(start); 24];
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

    #[target_feature(enable = "avx2,fma")]
    pub fn avx2(start: f32) -> f32 {
        let (factor, summand) = (_mm256_set1_ps(0.999), _mm256_set1_ps(0.001));
        let mut sums = [_mm256_set1_ps(start); 12];
        let next = |sum| _mm256_fmadd_ps(sum, factor, summand);
        for _ in 0..ROUNDS {
            // A loop over the array would keep it in memory, and measure loads and stores.
            let [a, b, c, d, e, f, g, h, i, j, k, l] = sums;
            sums = [
                next(a),
                next(b),
                next(c),
                next(d),
                next(e),
                next(f),
                next(g),
                next(h),
                next(i),
                next(j),
                next(k),
                next(l),
            ];
        }
        let total = sums
            .into_iter()
            .fold(_mm256_setzero_ps(), |a, b| _mm256_add_ps(a, b));
        let mut lanes = [0.0; 8];
        // SAFETY: there is room for 8 values.
        unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), total) };
        lanes.iter().sum()
    }
}

fn benchmark(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("layers");
    let ceiling = Ceiling::best();
    group.throughput(Throughput::Elements(ceiling.operations));
    group.bench_function("ceiling", |bencher| {
        bencher.iter(|| (ceiling.run)(std::hint::black_box(0.5)))
    });
    for layer in layers::all().expect("the layers fit their shapes") {
        let plans = [
            (layer.name.to_owned(), layer.plan().map(Some)),
            (format!("{} int8", layer.name), layer.byte_plan()),
        ];
        let (inputs, mut outputs) = (layer.inputs(), layer.outputs());
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        group.throughput(Throughput::Elements(layer.operations));
        for (name, plan) in plans {
            let Some(plan) = plan.expect("the layers fit their shapes") else {
                continue;
            };
            group.bench_function(name, |bencher| {
                let mut outputs: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
                bencher.iter(|| plan.run(&inputs, &mut outputs, 1));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
