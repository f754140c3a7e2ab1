//! How long it takes to list a large zoo, and to find, resolve and verify a model that is there.
use criterion::{Criterion, criterion_group, criterion_main};
use modelzoo_base::progress::{Cancellation, NoObserver};
use modelzoo_sources::{
    Access, SourceRef, Store,
    config::Config,
    download::{Credentials, Downloader},
    registry::{Catalog, ModelFilter, Registry},
    source::{ResolveOptions, resolve},
};
use std::{hint::black_box, path::Path};

const SOURCES: usize = 100;
const MODELS_OF_EACH: usize = 10;
const WEIGHTS_BYTES: usize = 100 << 20;

/// Calls `use_options` with options for a store in `folder`.
fn with_options<T>(folder: &Path, is_offline: bool, use_options: impl FnOnce(&ResolveOptions<'_>) -> T) -> T {
    let store = Store::open(folder.join("store")).expect("the folder is new");
    let config = Config::default();
    use_options(&ResolveOptions {
        store: &store,
        access: Access {
            downloader: &Downloader::with_credentials(&config, is_offline, Credentials::default()),
            observer: &NoObserver,
            cancellation: &Cancellation::default(),
        },
        refresh: false,
    })
}

/// A folder with a manifest as the ones that people publish, and a few files.
fn write_source(folder: &Path, source: usize) {
    std::fs::create_dir_all(folder.join("src")).expect("the folder is new");
    let models: Vec<_> = (0..MODELS_OF_EACH)
        .map(|model| {
            serde_json::json!({
                "base_name": format!("owner{source}/model-{model}"),
                "base_filename": format!("model-{model}.safetensors"),
                "author": "A research group",
                "license": "Apache-2.0",
                "description": "A vision model with a description that is as long as such descriptions tend to be, \
                                with a reference (https://arxiv.org/abs/0000.00000)",
                "tags": ["classification", "embeddings", "logits"],
                "size_bytes": 100_000_000,
                "date_added": "2025-03-25 12:00:00",
                "requirements": {"packages": ["torch", "torchvision"], "cpu": {"support": true}, "gpu": {"support": true}},
            })
        })
        .collect();
    let manifest = serde_json::json!({"name": format!("source {source}"), "models": models});
    std::fs::write(folder.join("manifest.json"), manifest.to_string()).expect("the folder is there");
    std::fs::write(folder.join("Cargo.toml"), "[package]").expect("the folder is there");
    std::fs::write(folder.join("src/lib.rs"), "//! A plugin.\n".repeat(500)).expect("the folder is there");
}

fn list(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let registry = Registry::new(folder.path().join("data"));
    with_options(folder.path(), true, |options| {
        for source in 0..SOURCES {
            let place = folder.path().join(format!("source{source}"));
            write_source(&place, source);
            let reference = SourceRef::from_path(place);
            registry
                .register(&resolve(&reference, options).expect("it is a source"))
                .expect("it can be written");
        }
    });
    criterion.bench_function("list 1000 models of 100 sources", |bencher| {
        bencher.iter(|| {
            let catalog = Catalog::load(&registry, &[]).expect("the register can be read");
            assert_eq!(
                black_box(catalog.list(&ModelFilter::default())).len(),
                SOURCES * MODELS_OF_EACH
            );
        });
    });
}

fn warm_resolve(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let place = folder.path().join("source");
    write_source(&place, 0);
    let archive = folder.path().join("source.tar");
    let mut tar = tar::Builder::new(std::fs::File::create(&archive).expect("the folder is new"));
    tar.append_dir_all("source", &place).expect("the source is there");
    tar.finish().expect("the archive can be written");
    let reference = SourceRef::parse(&format!("file://{}", archive.display())).expect("it is an URL");
    let registry = Registry::new(folder.path().join("data"));
    let source = with_options(folder.path(), false, |options| {
        resolve(&reference, options).expect("the archive is a source")
    });
    with_options(folder.path(), true, |options| {
        registry.register(&source).expect("it can be written");
        let name = format!("owner0/model-{}", MODELS_OF_EACH - 1);
        let staging = options.store.stage().expect("the store is new");
        std::fs::write(staging.path().join("weights"), vec![7; WEIGHTS_BYTES]).expect("there is room");
        options
            .store
            .publish_model(&staging, &source.identity, &name)
            .expect("the store is new");
        // Files count as settled when they have not changed for a while; until then they are hashed each time.
        std::thread::sleep(std::time::Duration::from_secs(3));
        criterion.bench_function("find, resolve and verify a model in the store", |bencher| {
            bencher.iter(|| {
                let catalog = Catalog::load(&registry, &[]).expect("the register can be read");
                let model = catalog.find(&name).expect("it is registered");
                let source = resolve(&model.source().reference, options).expect("the store has it");
                let files = options.store.model_files(&source.identity, &name);
                assert_eq!(black_box(files.expect("the weights are there")).len(), 1);
            });
        });
    });
}

criterion_group!(benches, list, warm_resolve);
criterion_main!(benches);
