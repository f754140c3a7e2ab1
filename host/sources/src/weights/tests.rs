use super::*;
use crate::{config::Config, download::Credentials};
use modelzoo_base::progress::NoObserver;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// A store, and a folder with a file to be downloaded.
struct World {
    folder: tempfile::TempDir,
    store: Store,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("origin"), "weights").unwrap();
        let store = Store::open(folder.path().join("store")).unwrap();
        Self { folder, store }
    }

    fn request(&self, sha256: Option<Sha256Digest>, name: &str) -> Request {
        let url = url::Url::from_file_path(self.folder.path().join("origin")).unwrap();
        Request {
            urls: vec![url.into()],
            sha256,
            size: None,
            destination: self.folder.path().join(name),
        }
    }

    fn fetch(&self, request: &Request) -> Result<Downloaded, DownloadError> {
        let downloader = Downloader::with_credentials(&Config::default(), true, Credentials::default());
        self.store
            .fetch_weights(&downloader, request, &NoObserver, &Cancellation::default())
    }

    fn publish(&self, model: &str, files: &[(&str, &str)]) -> BTreeMap<String, Sha256Digest> {
        let staging = self.store.stage().unwrap();
        for (path, content) in files {
            file::write(&staging.path().join(path), content).unwrap();
        }
        self.store
            .publish_model(&staging, "github.com/acme/zoo", model)
            .unwrap()
    }
}

#[test]
fn a_file_is_stored_once_and_found_again_without_its_origin() {
    let world = World::new();
    let digest = Sha256Digest::of("weights");
    let first = world.fetch(&world.request(None, "a/net.bin")).unwrap();
    assert_eq!((first.sha256, first.size), (digest, 7));
    std::fs::remove_file(world.folder.path().join("origin")).unwrap();
    let second = world.fetch(&world.request(Some(digest), "b/other.bin")).unwrap();
    assert_eq!(second.url, None);
    for path in [first.path, second.path, world.store.weights_path(&digest)] {
        assert_eq!(std::fs::read_to_string(path).unwrap(), "weights");
    }
}

#[test]
#[cfg(unix)]
fn all_names_of_a_content_are_one_read_only_file() {
    use std::os::unix::fs::MetadataExt as _;
    let world = World::new();
    let downloaded = world.fetch(&world.request(None, "net.bin")).unwrap();
    let stored = std::fs::metadata(world.store.weights_path(&downloaded.sha256)).unwrap();
    assert_eq!(stored.ino(), std::fs::metadata(&downloaded.path).unwrap().ino());
    assert_eq!(stored.mode() & 0o222, 0);
    // Again, over itself.
    world
        .fetch(&world.request(Some(downloaded.sha256), "net.bin"))
        .unwrap();
    let names: Vec<_> = std::fs::read_dir(world.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn a_damaged_file_in_the_store_is_fetched_again() {
    let world = World::new();
    let digest = Sha256Digest::of("weights");
    std::fs::write(world.store.weights_path(&digest), "damaged").unwrap();
    let downloaded = world.fetch(&world.request(Some(digest), "net.bin")).unwrap();
    assert!(downloaded.url.is_some());
    assert_eq!(
        std::fs::read_to_string(world.store.weights_path(&digest)).unwrap(),
        "weights"
    );
}

#[test]
fn the_path_of_a_model_is_its_file_or_what_its_archive_held() {
    let world = World::new();
    let entry = |file: &str, manager: &str| -> ModelEntry {
        let json = format!(r#"{{"base_name": "net", "base_filename": "{file}" {manager}}}"#);
        serde_json::from_str(&json).unwrap()
    };
    let archive = r#", "manager": {"type": "modelzoo.ModelManager",
        "config": {"url": "https://example.org/a.zip", "extract_archive": true}}"#;
    let identity = "github.com/acme/zoo";
    assert_eq!(world.store.model_path(identity, &entry("net.bin", "")), None);
    let folder = world.store.model_dir(identity, "net");
    for (files, file, manager, path) in [
        (&["net.bin"][..], "net.bin", "", "net.bin"),
        // What a plugin made of it is its own affair.
        (&["other"], "net.bin", "", "net.bin"),
        (&["net.bin", "notes"], "net.bin", archive, "net.bin"),
        (&["net.tar.gz", "net/a"], "net.tar.gz", archive, "net.tar.gz"),
        (&["net/a", "net/b"], "net.tar.gz", archive, "net"),
        (&["a", "b"], "net.tar.gz", archive, ""),
    ] {
        let files: Vec<_> = files.iter().map(|file| (*file, *file)).collect();
        world.publish("net", &files);
        let found = world.store.model_path(identity, &entry(file, manager));
        assert_eq!(found, Some(folder.join(path)), "{files:?}");
    }
}

#[test]
fn a_model_is_published_whole_with_the_digests_of_its_files() {
    let world = World::new();
    let files = world.publish("net@1.0", &[("net.bin", "weights"), ("deep/labels.txt", "cat")]);
    assert_eq!(files["net.bin"], Sha256Digest::of("weights"));
    assert_eq!(files["deep/labels.txt"], Sha256Digest::of("cat"));
    let folder = world.store.model_dir("github.com/acme/zoo", "net@1.0");
    assert_eq!(
        std::fs::read_to_string(folder.join("deep/labels.txt")).unwrap(),
        "cat"
    );
    assert!(
        files
            .values()
            .all(|digest| world.store.weights_path(digest).is_file())
    );

    world.publish("net@1.0", &[("net.bin", "newer")]);
    assert_eq!(std::fs::read_to_string(folder.join("net.bin")).unwrap(), "newer");
    assert!(!folder.join("deep").exists());
    assert!(
        world.store.weights_path(&Sha256Digest::of("weights")).is_file(),
        "the old ones can be had again"
    );

    assert!(
        world
            .store
            .remove_model("github.com/acme/zoo", "net@1.0")
            .unwrap()
    );
    assert!(
        !world
            .store
            .remove_model("github.com/acme/zoo", "net@1.0")
            .unwrap()
    );
    assert!(!folder.exists());
}

#[test]
fn changes_of_a_models_files_are_noticed() {
    let world = World::new();
    let published = world.publish("net", &[("net.bin", "weights")]);
    let folder = world.store.model_dir("github.com/acme/zoo", "net");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    std::fs::File::open(folder.join("net.bin"))
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    for _ in 0..2 {
        assert_eq!(
            world.store.model_files("github.com/acme/zoo", "net").unwrap(),
            published
        );
    }
    assert!(folder.with_file_name("net%files.json").is_file());
    std::fs::remove_file(folder.join("net.bin")).unwrap();
    std::fs::write(folder.join("net.bin"), "changed").unwrap();
    let found = world.store.model_files("github.com/acme/zoo", "net").unwrap();
    assert_eq!(found["net.bin"], Sha256Digest::of("changed"));
    assert!(world.store.model_files("github.com/acme/zoo", "none").is_err());
}

#[test]
fn publishing_at_the_same_time_ends_with_one_whole_model() {
    let world = Arc::new(World::new());
    let failures = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let staging = world.store.stage().unwrap();
                std::fs::write(staging.path().join("net.bin"), "weights").unwrap();
                if world
                    .store
                    .publish_model(&staging, "github.com/acme/zoo", "net")
                    .is_err()
                {
                    failures.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(failures.into_inner(), 0);
    let files = world.store.model_files("github.com/acme/zoo", "net").unwrap();
    assert_eq!(
        files,
        BTreeMap::from([("net.bin".to_owned(), Sha256Digest::of("weights"))])
    );
}

#[test]
fn names_of_models_cannot_lead_elsewhere() {
    let world = World::new();
    let root = world
        .store
        .root()
        .join("models")
        .join(Sha256Digest::of("s").short());
    for (model, name) in [
        ("net-1.0@2", "net-1.0@2"),
        ("acme/net", "acme%2Fnet"),
        ("../x", "%2E.%2Fx"),
        ("..", "%2E."),
        ("a b\\c:é", "a%20b%5Cc%3A%C3%A9"),
    ] {
        assert_eq!(world.store.model_dir("s", model), root.join(name), "{model}");
    }
}
