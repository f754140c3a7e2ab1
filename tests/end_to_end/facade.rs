//! The library under FiftyOne's names. Each scenario is a program of its own, with a home of its own: a test starts this
//! test program again, to do nothing but the scenario.

use crate::support::{self, Run, User, published::git, sample};
use modelzoo::{
    Image, Isolation, LoadSettings, PredictOptions,
    fiftyone::{self as zoo, DownloadOptions, ErrorLevel, LoadZooModelOptions, ModelFilter},
};
use modelzoo_test_support::alone;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A test program cannot be started again as a worker: the real program is.
fn settings() -> LoadSettings {
    LoadSettings {
        worker_program: Some(PathBuf::from(env!("CARGO_BIN_EXE_modelzoo"))),
        ..LoadSettings::default()
    }
}

/// Names the published source for a scenario.
const SOURCE_VARIABLE: &str = "TEST_SOURCE";

fn source() -> String {
    std::env::var(SOURCE_VARIABLE).expect("a scenario runs as a program of its own")
}

/// Runs a scenario as a user with an empty store, for whom a source of two models is published and its code may run.
fn run_alone(scenario: &str) {
    let user = User::new().with_empty_store();
    let work = user.path("work");
    support::copy_folder(&sample("brightness"), &work);
    let manifest = serde_json::json!({ "models": [
        {
            "base_name": "test/brightness", "version": "1.9", "base_filename": "old.txt",
            "license": "MIT, Apache 2.0", "tags": ["test", "old"],
        },
        {
            "base_name": "test/brightness", "version": "1.10", "base_filename": "new.txt",
            "license": "MIT", "tags": ["test"],
        },
        {
            "base_name": "greedy", "requirements": {
                "cpu": { "support": false }, "modelzoo": { "features": ["antigravity"] },
            },
        },
    ]});
    fs::write(work.join("manifest.json"), manifest.to_string()).unwrap();
    git(&work, &["init", "--quiet"]);
    git(&work, &["add", "--all"]);
    git(&work, &["commit", "--quiet", "-m", "A source"]);
    let url = format!("file://{}/.git", work.display());
    user.run(["trust", "allow", &url]).expect(0);
    let output = user
        .as_user(alone::start_test(&format!("facade::{scenario}")))
        .env(SOURCE_VARIABLE, &url)
        .output()
        .unwrap();
    alone::expect_one_passed(&Run::of(output).expect(0).stdout);
}

#[test]
fn models_are_listed_downloaded_and_deleted_by_name() {
    run_alone("scenario_names");
}

#[test]
#[ignore = "a program of its own"]
fn scenario_names() {
    let all = ["greedy", "test/brightness@1.10", "test/brightness@1.9"];
    assert!(zoo::list_zoo_models(&ModelFilter::default()).unwrap().is_empty());
    zoo::register_zoo_model_source(&source(), false).unwrap();
    let spelling = source().replace("/.git", "");
    assert_eq!(zoo::list_zoo_model_sources().unwrap(), [spelling]);
    assert_eq!(zoo::list_zoo_models(&ModelFilter::default()).unwrap(), all);
    let filtered = |filter: ModelFilter| zoo::list_zoo_models(&filter).unwrap();
    assert_eq!(
        filtered(ModelFilter {
            tags: vec!["test".into(), "old".into()],
            ..ModelFilter::default()
        }),
        ["test/brightness@1.9"]
    );
    assert_eq!(
        filtered(ModelFilter {
            license: vec!["Apache 2.0".into(), "GPL".into()],
            ..ModelFilter::default()
        }),
        ["test/brightness@1.9"]
    );
    let other_spelling = source().replace("/.git", "/.git/");
    assert_eq!(
        filtered(ModelFilter {
            source: Some(other_spelling),
            ..ModelFilter::default()
        }),
        all
    );
    assert!(
        filtered(ModelFilter {
            source: Some("acme/unknown".into()),
            ..ModelFilter::default()
        })
        .is_empty()
    );

    let newest = zoo::get_zoo_model("test/brightness").unwrap();
    assert_eq!(newest.name, "test/brightness@1.10");
    assert_eq!(newest.entry.license.as_deref(), Some("MIT"));
    assert_eq!(zoo::is_zoo_model_downloaded(&newest.name).unwrap(), Some(false));
    assert_eq!(
        zoo::is_zoo_model_downloaded("greedy").unwrap(),
        None,
        "it has no weights"
    );
    let missing = zoo::find_zoo_model(&newest.name).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "the model test/brightness@1.10 is not downloaded"
    );

    let download = DownloadOptions {
        settings: settings(),
        ..DownloadOptions::default()
    };
    let (model, path) = zoo::download_zoo_model("test/brightness", &download).unwrap();
    assert_eq!(model, newest);
    assert!(path.ends_with("new.txt"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "test/brightness@1.10");
    assert_eq!(zoo::find_zoo_model("test/brightness").unwrap(), path);
    assert_eq!(
        zoo::list_downloaded_zoo_models().unwrap(),
        [(model, path.clone())]
    );

    // The weights of a version are its own; downloading once more replaces them.
    let again = DownloadOptions {
        model_name: Some("test/brightness@1.10".into()),
        overwrite: true,
        ..download.clone()
    };
    assert_eq!(zoo::download_zoo_model(&source(), &again).unwrap().1, path);
    zoo::download_zoo_model("test/brightness@1.9", &download).unwrap();
    zoo::delete_zoo_model("test/brightness@1.9").unwrap();
    zoo::delete_zoo_model("test/brightness@1.9").unwrap();
    assert_eq!(zoo::list_downloaded_zoo_models().unwrap().len(), 1);

    // Neither registering again nor an update costs weights; deleting the source does.
    zoo::register_zoo_model_source(&source(), false).unwrap();
    zoo::register_zoo_model_source(&source(), true).unwrap();
    assert!(path.exists());
    zoo::delete_zoo_model_source(&source()).unwrap();
    assert!(!path.exists());
    assert!(zoo::list_zoo_model_sources().unwrap().is_empty());
    let unknown = zoo::delete_zoo_model_source(&source()).unwrap_err();
    assert!(unknown.to_string().contains("is not registered"), "{unknown}");
    let unknown = zoo::get_zoo_model("brightness").unwrap_err();
    assert_eq!(unknown.to_string(), "no model `brightness` is known");
}

#[test]
fn a_loaded_model_is_shared_while_somebody_uses_it() {
    run_alone("scenario_instances");
}

#[test]
#[ignore = "a program of its own"]
fn scenario_instances() {
    let options = LoadZooModelOptions {
        model_name: Some("test/brightness".into()),
        settings: LoadSettings {
            isolation: Isolation::None,
            ..LoadSettings::default()
        },
        ..LoadZooModelOptions::default()
    };
    let not_there = LoadZooModelOptions {
        download_if_necessary: false,
        ..options.clone()
    };
    let refused = zoo::load_zoo_model(&source(), &not_there).unwrap_err();
    assert!(refused.to_string().contains("is not downloaded"), "{refused}");

    let model = zoo::load_zoo_model(&source(), &options).unwrap();
    assert_eq!(model.provenance().model, "test/brightness@1.10");
    let white = vec![255; 8 * 8 * 3];
    let image = Image::new(8, 8, &white).unwrap();
    model.predict(&image, &PredictOptions::default()).unwrap();

    let same = zoo::load_zoo_model(&source(), &not_there).unwrap();
    assert!(Arc::ptr_eq(&model, &same));
    let alone = LoadZooModelOptions {
        cache: false,
        ..options.clone()
    };
    assert!(!Arc::ptr_eq(
        &model,
        &zoo::load_zoo_model(&source(), &alone).unwrap()
    ));
    let mut other = options.clone();
    other.settings.options.insert("threshold".into(), 0.9.into());
    assert!(!Arc::ptr_eq(
        &model,
        &zoo::load_zoo_model(&source(), &other).unwrap()
    ));
    let older = LoadZooModelOptions {
        model_name: Some("test/brightness@1.9".into()),
        ..options.clone()
    };
    let older = zoo::load_zoo_model(&source(), &older).unwrap();
    assert_eq!(older.provenance().model, "test/brightness@1.9");

    // Known by its name, it is the same question.
    zoo::register_zoo_model_source(&source(), false).unwrap();
    let by_name = LoadZooModelOptions {
        model_name: None,
        ..options
    };
    let named = zoo::load_zoo_model("test/brightness", &by_name).unwrap();
    assert!(Arc::ptr_eq(&model, &named));
    let unused = Arc::downgrade(&model);
    drop((model, same, named));
    assert!(
        unused.upgrade().is_none(),
        "the cache keeps no model that nobody uses"
    );
}

#[test]
fn missing_requirements_are_errors_warnings_or_nothing() {
    run_alone("scenario_requirements");
}

#[test]
#[ignore = "a program of its own"]
fn scenario_requirements() {
    zoo::register_zoo_model_source(&source(), false).unwrap();
    for level in [None, Some(ErrorLevel::Raise)] {
        let error = zoo::ensure_zoo_model_requirements("greedy", level).unwrap_err();
        assert!(error.to_string().contains("antigravity"), "{error}");
        assert!(zoo::install_zoo_model_requirements("greedy", level).is_err());
    }
    let strict = zoo::load_zoo_model("greedy", &LoadZooModelOptions::default()).unwrap_err();
    assert!(strict.to_string().contains("does not run here"), "{strict}");
    for level in [ErrorLevel::Warn, ErrorLevel::Ignore] {
        zoo::ensure_zoo_model_requirements("greedy", Some(level)).unwrap();
        let options = LoadZooModelOptions {
            error_level: Some(level),
            settings: settings(),
            ..LoadZooModelOptions::default()
        };
        let model = zoo::load_zoo_model("greedy", &options).unwrap();
        assert_eq!(model.provenance().weights_sha256.len(), 0);
    }
    zoo::install_zoo_model_requirements("test/brightness", None).unwrap();
    let store = std::env::var("MODELZOO_STORE").unwrap();
    assert!(
        fs::read_dir(Path::new(&store).join("artifacts"))
            .unwrap()
            .next()
            .is_some()
    );
    assert!(zoo::list_downloaded_zoo_models().unwrap().is_empty());
}
