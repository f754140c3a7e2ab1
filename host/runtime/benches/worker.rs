//! What a worker costs: the start of one, and the round trip of a batch, against the same in process, with a model that
//! does next to nothing. The plugin is the sample `misbehaving`, which behaves unless it is told not to.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use modelzoo_base::progress::NoObserver;
use modelzoo_plugin_api::{Image, LoadOptions, PredictOptions};
use modelzoo_runtime::{BuildRequest, Builder, DefaultServices, Isolation, PluginRunner};
use std::{error::Error, path::Path, sync::Arc};

/// Width, height and number of the pictures: one of ImageNet's size, one of a megapixel, a batch.
const BATCHES: [(usize, usize, usize); 3] = [(224, 224, 1), (1152, 864, 1), (224, 224, 32)];

fn round_trip(criterion: &mut Criterion) {
    // A benchmark that cannot be set up has nothing to measure.
    let runner = runner().expect("the sample plugin builds");
    for isolation in [Isolation::Process, Isolation::None] {
        let model = runner
            .clone()
            .with_isolation(isolation)
            .load_model("test/misbehaving", Path::new("/nowhere"), LoadOptions::default())
            .expect("the sample plugin loads");
        let mut group = criterion.benchmark_group(format!("predict, isolation {isolation:?}"));
        for (width, height, count) in BATCHES {
            // Where decoders write to: nothing is copied on its way to a worker.
            let pixels = vec![1; width * height * 3];
            let shared = model.memory().and_then(|memory| memory.take(pixels.len()).ok());
            let shared = shared.map(|mut block| {
                block.copy_from_slice(&pixels);
                block
            });
            let pixels: &[u8] = shared.as_deref().unwrap_or(&pixels);
            let images: Vec<Image<'_>> = (0..count)
                .flat_map(|_| Image::new(width, height, pixels).ok())
                .collect();
            group.throughput(Throughput::Elements(count as u64));
            let name = BenchmarkId::from_parameter(format!("{count} of {width} x {height}"));
            group.bench_function(name, |bencher| {
                bencher.iter(|| model.predict(&images, &PredictOptions::default()));
            });
        }
    }
}

/// What comes before the first prediction when everything is built already.
fn warm_start(criterion: &mut Criterion) {
    let (builder, request) = build().expect("the source of the sample plugin is there");
    criterion.bench_function("find the artifact", |bencher| {
        bencher.iter(|| builder.find(&request))
    });
    let runner = runner().expect("the sample plugin builds");
    for isolation in [Isolation::Process, Isolation::None] {
        let runner = runner.clone().with_isolation(isolation);
        criterion.bench_function(&format!("load, isolation {isolation:?}"), |bencher| {
            bencher.iter(|| {
                runner.load_model("test/misbehaving", Path::new("/nowhere"), LoadOptions::default())
            });
        });
    }
}

fn build() -> Result<(Builder, BuildRequest), Box<dyn Error>> {
    let work = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/plugins/misbehaving");
    let code = std::fs::read_to_string(source.join("src/lib.rs"))?;
    let request = BuildRequest::new(&source, code, "benches/misbehaving");
    Ok((Builder::new(work.join("build"), work.join("artifacts")), request))
}

fn runner() -> Result<PluginRunner, Box<dyn Error>> {
    let (builder, request) = build()?;
    let built = builder.build(&request, &NoObserver)?;
    let worker = std::env::var_os("CARGO_BIN_EXE_modelzoo-worker").ok_or("cargo does not name the worker")?;
    Ok(PluginRunner::new(built.artifact, Arc::new(DefaultServices)).with_worker_program(worker))
}

criterion_group!(benches, warm_start, round_trip);
criterion_main!(benches);
