//! `modelzoo verify --rebuild`: whether a compiled plugin is what its source gives, by compiling it anew.

use crate::{
    prebuilt::{Files, pack, target, unpack},
    support::{
        User, copy_folder,
        http_server::{Answer, Server},
        hub::sha256,
        project,
        published::git,
    },
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The author of a source in C, which compiles in seconds.
struct Author {
    user: User,
    work: PathBuf,
    /// What `plugin pack --prebuilt` made of it.
    files: Files,
}

impl Author {
    fn new() -> Self {
        let user = User::new().with_empty_store();
        let work = user.path("work");
        copy_folder(&project().join("examples/plugin_in_c"), &work);
        git(&work, &["init", "--quiet"]);
        let run = user.run(["plugin", "pack", "work", "--prebuilt", "-o", "packed.tar.gz"]);
        run.expect(0);
        let files = unpack(&fs::read(user.path("packed.tar.gz")).unwrap());
        Self { user, work, files }
    }

    /// Commits the source with an archive of these files for its release, and gives its URL. The server lives on for the
    /// rest of the test.
    fn release(&self, tag: &str, files: &Files) -> String {
        let archive = pack(files);
        let hash = sha256(&archive);
        let server = Box::leak(Box::new(Server::start(move |_, _| Answer::ok(archive.clone()))));
        let path = self.work.join("manifest.json");
        let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        manifest["artifacts"] = json!({
            "url": server.url(&format!("/{tag}.tar.gz")),
            "builds": [{ "target": target(), "sha256": hash }],
        });
        fs::write(&path, manifest.to_string()).unwrap();
        git(&self.work, &["add", "--all"]);
        git(&self.work, &["commit", "--quiet", "-m", tag]);
        git(&self.work, &["tag", tag]);
        format!("file://{}@{tag}", self.work.display())
    }
}

/// The files with another library, which the record vouches for.
fn with_library(files: &Files, change: impl FnOnce(&mut Vec<u8>)) -> Files {
    let mut files = files.clone();
    let library = files.get_mut("plugin.so").unwrap();
    change(library);
    let (hash, size) = (sha256(library), library.len());
    with_record(&files, |record| {
        record["sha256"] = hash.into();
        record["size_bytes"] = size.into();
    })
}

fn with_record(files: &Files, change: impl FnOnce(&mut Value)) -> Files {
    let mut files = files.clone();
    let mut record = serde_json::from_slice(&files["artifact.json"]).unwrap();
    change(&mut record);
    files.insert("artifact.json".to_owned(), record.to_string().into_bytes());
    files
}

/// A user who allows all that the author publishes.
fn user_of(url: &str) -> User {
    let user = User::new().with_empty_store();
    user.run(["trust", "allow", url]).expect(0);
    user
}

#[test]
fn what_a_source_gives_is_told_from_what_it_does_not() {
    let author = Author::new();
    // Fetched to be compared, and from then on what is here.
    let url = author.release("v1", &author.files);
    let user = user_of(&url);
    let run = user.run(["verify", "--rebuild", &url]).expect(0);
    assert!(
        run.stdout.contains("as its author compiled it") && run.stdout.contains("byte for byte"),
        "{}",
        run.stdout
    );
    user.run(["lock", &url]).expect(0);
    let run = user.run(["verify", "--rebuild", "--json"]).expect(0);
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told[0]["result"], "same", "the lock knows it: {told}");
    assert_eq!(told[0]["sha256"], sha256(&author.files["plugin.so"]));
    let left = fs::read_dir(user.path("store/tmp")).unwrap().count();
    assert_eq!(left, 0, "what was compiled to compare is gone");

    let tampered = with_library(&author.files, |library| {
        let text = b"there is no memory left";
        let place = library.windows(text.len()).position(|part| part == text).unwrap();
        library[place] = b'T';
    });
    let url = author.release("v2", &tampered);
    let user = user_of(&url);
    let run = user.run(["verify", "--rebuild", &url]).expect(6);
    for words in [
        "NOT what its source gives".to_owned(),
        sha256(&author.files["plugin.so"]),
        sha256(&tampered["plugin.so"]),
        "section .rodata: 1 of ".to_owned(),
    ] {
        assert!(run.stdout.contains(&words), "{words}: {}", run.stdout);
    }
    let run = user.run(["verify", "--rebuild", &url, "--json"]).expect(6);
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told[0]["result"], "different");
    assert_eq!(told[0]["difference"]["sections"][0]["changed_bytes"], 1);
}

#[test]
fn what_was_compiled_otherwise_is_not_judged() {
    let author = Author::new();
    let older = with_record(&author.files, |record| {
        record["toolchain"] = "rustc 1.85.0 (made up)\nrelease: 1.85.0".into();
        record["sdk_sha256"] = "0".repeat(64).into();
    });
    let url = author.release("v1", &older);
    let user = user_of(&url);
    let run = user.run(["verify", "--rebuild", &url]).expect(7);
    for words in [
        "cannot tell",
        "compiler: rustc 1.85.0 (made up) then",
        "SDK of modelzoo: 0000000000000000 then",
    ] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    assert!(
        run.stderr.contains("rustup toolchain install 1.85.0"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_was_compiled_here_is_compared_too() {
    let author = Author::new();
    let run = author.user.run(["verify", "--rebuild", "./work"]).expect(3);
    assert!(run.error().contains("no compiled plugin"), "{}", run.stderr);
    let picture = project().join("examples/photos/astronaut.jpg");
    let apply = |source: &Path| {
        let words = ["apply", source.to_str().unwrap(), picture.to_str().unwrap()];
        author.user.run(words).expect(0);
    };
    apply(&author.work);
    let run = author.user.run(["verify", "--rebuild", "./work"]).expect(0);
    assert!(run.stdout.contains("as it was compiled here"), "{}", run.stdout);

    let run = author.user.run(["verify", "--rebuild"]).expect(3);
    assert!(run.error().contains("no lock file"), "{}", run.stderr);
    let run = author.user.run(["verify", "./work"]).expect(2);
    assert!(run.stderr.contains("--rebuild"), "{}", run.stderr);
}
