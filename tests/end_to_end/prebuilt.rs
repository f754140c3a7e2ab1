//! Plugins that their authors compiled: packed, released, and run by users without a compiler, from a real Git server with
//! the archives of its releases.

use crate::support::{
    User, copy_folder, git_server::GitServer, http_server::Answer, hub::sha256, project, published::git,
    sample,
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use minisign::KeyPair;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    path::Path,
    sync::{Arc, Mutex, OnceLock},
};

/// The files of an archive by their names, without the folder that they are in.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What `plugin pack --prebuilt` makes of the sample `brightness`. It is compiled once.
fn packed() -> &'static Files {
    static PACKED: OnceLock<Files> = OnceLock::new();
    PACKED.get_or_init(|| {
        let user = User::new();
        let source = user.path("brightness");
        copy_folder(&sample("brightness"), &source);
        fs::write(source.join("LICENSE"), "MIT").unwrap();
        let run = user
            .run(["plugin", "pack", "brightness", "--prebuilt", "--json"])
            .expect(0);
        let told: Value = serde_json::from_str(&run.stdout).unwrap();
        let name = told["path"].as_str().unwrap();
        assert_eq!(name, format!("brightness-{}-cpu.tar.gz", target()));
        assert_eq!(told["commit"], Value::Null);
        let archive = fs::read(user.path(name)).unwrap();
        assert_eq!(told["build"]["sha256"], sha256(&archive));
        unpack(&archive)
    })
}

pub fn target() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

pub fn unpack(archive: &[u8]) -> Files {
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    let file = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let name = entry
            .path()
            .unwrap()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (name, content)
    };
    archive.entries().unwrap().map(file).collect()
}

pub fn pack(files: &Files) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, format!("packed/{name}"), content.as_slice())
            .unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// The archive with another record.
fn with_record(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut files = packed().clone();
    let mut record = serde_json::from_slice(&files["artifact.json"]).unwrap();
    change(&mut record);
    files.insert("artifact.json".to_owned(), record.to_string().into_bytes());
    pack(&files)
}

/// A forge with the source at the tag `v1`, and the files of its release.
struct Forge {
    user: User,
    server: GitServer,
    commit: String,
    release: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl Forge {
    /// Publishes the sample with this block in its manifest.
    fn with(artifacts: &Value) -> Self {
        let (author, user) = (User::new(), User::new());
        let work = author.path("work");
        copy_folder(&sample("brightness"), &work);
        let path = work.join("manifest.json");
        let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        manifest["artifacts"] = artifacts.clone();
        fs::write(&path, manifest.to_string()).unwrap();
        git(&work, &["init", "--quiet"]);
        git(&work, &["add", "--all"]);
        git(&work, &["commit", "--quiet", "-m", "The first version"]);
        git(&work, &["tag", "v1"]);
        let root = user.path("served");
        fs::create_dir(&root).unwrap();
        let bare = root.join("repo.git");
        git(
            &work,
            &["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()],
        );
        let release = Arc::new(Mutex::new(BTreeMap::<String, Vec<u8>>::new()));
        let files = Arc::clone(&release);
        let server = GitServer::with_files(&root, move |seen| {
            let name = seen.path.strip_prefix("/repo/releases/download/v1/")?;
            let files = files.lock().unwrap();
            Some(match files.get(name) {
                Some(content) => Answer::ok(content.clone()),
                None => Answer::new("404 Not Found", ""),
            })
        });
        // A clean home without a compiler.
        let store = user.path("store");
        let nowhere = user.path("nowhere");
        let user = user
            .with_store(&store)
            .with_variable("PATH", nowhere.to_str().unwrap())
            .with_variable("CARGO_HOME", nowhere.to_str().unwrap())
            .with_variable("RUSTUP_HOME", nowhere.to_str().unwrap())
            .with_variable("MODELZOO_DOWNLOAD_RETRIES", "0");
        let forge = Self {
            user,
            server,
            commit: git(&work, &["rev-parse", "HEAD"]),
            release,
        };
        forge.user.run(["trust", "allow", &forge.url()]).expect(0);
        forge
    }

    /// The same, with this archive in the release and its hash in the manifest.
    fn with_hash(archive: &[u8]) -> Self {
        let forge = Self::with(&json!({ "builds": [{ "target": target(), "sha256": sha256(archive) }] }));
        forge.release("cpu.tar.gz", archive);
        forge
    }

    fn url(&self) -> String {
        format!("{}repo.git@v1", self.server.url())
    }

    /// Puts a file into the release.
    fn release(&self, ending: &str, content: &[u8]) {
        let name = format!("brightness-{}-{ending}", target());
        self.release.lock().unwrap().insert(name, content.to_vec());
    }

    fn apply(&self, more: &[&str]) -> crate::support::Run {
        let photos = project().join("examples/photos");
        let url = self.url();
        self.user
            .run([&["apply", url.as_str(), photos.to_str().unwrap()], more].concat())
    }

    /// That it is refused in one line, with this exit code.
    #[track_caller]
    fn refuses(&self, more: &[&str], code: i32, words: &str) {
        let run = self.apply(more).expect(code);
        assert!(run.error().contains(words), "{}", run.stderr);
        assert_eq!(run.stderr.matches("error: ").count(), 1, "{}", run.stderr);
        assert!(run.stdout.is_empty(), "{}", run.stdout);
        let artifacts = self.user.path("store/artifacts");
        assert_eq!(fs::read_dir(artifacts).unwrap().count(), 0);
    }
}

#[test]
fn a_release_has_what_its_users_need_and_nothing_of_the_authors_machine() {
    let files = packed();
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "LICENSE",
            "SHA256SUMS",
            "artifact.json",
            "manifest.json",
            "plugin.so"
        ]
    );
    let sums = String::from_utf8(files["SHA256SUMS"].clone()).unwrap();
    for name in names.iter().filter(|name| **name != "SHA256SUMS") {
        assert!(
            sums.contains(&format!("{}  {name}\n", sha256(&files[*name]))),
            "{sums}"
        );
    }
    let record: Value = serde_json::from_slice(&files["artifact.json"]).unwrap();
    assert_eq!(record["source"], "brightness");
    assert_eq!(record["rustflags"], "");
    assert_eq!(record["target"], target());
}

#[test]
fn a_plugin_runs_without_a_compiler_and_it_is_told_where_it_comes_from() {
    let archive = pack(packed());
    let forge = Forge::with_hash(&archive);
    let run = forge.apply(&[]).expect(0);
    assert_eq!(
        run.json_lines().len(),
        fs::read_dir(project().join("examples/photos"))
            .unwrap()
            .filter(|entry| entry
                .as_ref()
                .unwrap()
                .path()
                .extension()
                .is_some_and(|ending| ending == "jpg"))
            .count()
    );

    let run = forge.user.run(["info", &forge.url(), "--json"]).expect(0);
    let info: Value = serde_json::from_str(&run.stdout).unwrap();
    let prebuilt = &info["built"]["prebuilt"];
    assert_eq!(prebuilt["archive_sha256"], sha256(&archive));
    assert_eq!(prebuilt["variant"], "cpu");
    assert_eq!(prebuilt["vouched_by"]["kind"], "manifest");
    assert!(prebuilt["url"].as_str().unwrap().ends_with("-cpu.tar.gz"));

    // Once it is here, neither the network nor the release is needed; and the lock keeps it.
    forge.release.lock().unwrap().clear();
    forge.apply(&["--offline"]).expect(0);
    forge.user.run(["lock"]).expect(0);
    let lock = fs::read_to_string(forge.user.path("modelzoo.lock")).unwrap();
    let line = format!("\"{} cpu\" = \"{}\"", target(), sha256(&archive));
    assert!(
        lock.contains("[source.prebuilt]") && lock.contains(&line),
        "{lock}"
    );
    forge.apply(&["--locked", "--offline"]).expect(0);
    // To build it needs a compiler, which is not there.
    let run = forge.apply(&["--build"]).expect(5);
    assert!(run.error().contains("rustc"), "{}", run.stderr);
}

#[test]
fn a_binary_needs_the_same_consent_as_code_and_loses_it() {
    let forge = Forge::with_hash(&pack(packed()));
    forge.apply(&[]).expect(0);
    let identity = forge.url().trim_end_matches("@v1").to_owned();
    forge.user.run(["trust", "revoke", &identity]).expect(0);
    let run = forge.apply(&[]).expect(4);
    assert!(run.error().contains("not"), "{}", run.stderr);
    forge.user.run(["trust", "deny", &identity]).expect(0);
    forge.apply(&[]).expect(4);

    let forge = Forge::with_hash(&pack(packed()));
    let identity = forge.url().trim_end_matches("@v1").to_owned();
    forge.user.run(["trust", "revoke", &identity]).expect(0);
    let url = forge.url();
    let photos = project().join("examples/photos");
    let arguments = ["apply", url.as_str(), photos.to_str().unwrap()];
    // The terminal is a program as well.
    let path = std::env::var("PATH").unwrap();
    let user = forge.user.with_variable("PATH", &path);
    let run = user.run_on_terminal(arguments, "n\n");
    assert_eq!(run.code, 4, "{}", run.stderr);
    for words in ["A binary that its author compiled", "-cpu.tar.gz", "the manifest"] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
}

#[test]
fn what_the_hash_does_not_vouch_for_is_refused() {
    let archive = pack(packed());
    let forge = Forge::with(&json!({ "builds": [{ "target": target(), "sha256": "0".repeat(64) }] }));
    forge.release("cpu.tar.gz", &archive);
    forge.refuses(&[], 6, "SHA-256");

    let forge = Forge::with_hash(&archive);
    forge.release("cpu.tar.gz", &archive[..archive.len() / 2]);
    forge.refuses(&[], 6, "SHA-256");

    // The right hash, of something that is none.
    Forge::with_hash(b"no archive").refuses(&[], 6, "-cpu.tar.gz");
    let mut files = packed().clone();
    files.remove("artifact.json");
    Forge::with_hash(&pack(&files)).refuses(&[], 6, "artifact.json");
    let mut files = packed().clone();
    files.insert("plugin.so".to_owned(), b"another library".to_vec());
    Forge::with_hash(&pack(&files)).refuses(&[], 6, "is damaged");
    let other = with_record(|record| record["source"] = "darkness".into());
    Forge::with_hash(&other).refuses(&[], 6, "darkness");
}

#[test]
fn what_is_for_others_is_refused() {
    let foreign = with_record(|record| record["target"] = "riscv64gc-unknown-linux-gnu".into());
    Forge::with_hash(&foreign).refuses(&["--prebuilt"], 7, "riscv64gc-unknown-linux-gnu");
    let newer = with_record(|record| record["abi"] = "2.0.0".into());
    Forge::with_hash(&newer).refuses(&["--prebuilt"], 7, "version 2.0.0 of the plugin contract");
    // Without the option it would be built, had this user a compiler.
    Forge::with_hash(&newer).refuses(&[], 5, "rustc");

    let other = json!({ "builds": [{ "target": "riscv64gc-unknown-linux-gnu", "sha256": "0".repeat(64) }] });
    let forge = Forge::with(&other);
    forge.refuses(&["--prebuilt"], 7, "it has riscv64gc-unknown-linux-gnu (cpu)");
    forge.refuses(&[], 5, "rustc");

    // Nothing that is pinned says what it must be, whatever is there.
    let forge = Forge::with(&json!({}));
    forge.release("cpu.tar.gz", &pack(packed()));
    forge.refuses(&["--prebuilt"], 7, "neither its hash nor a key");
    // It is offered, and is not there.
    let forge = Forge::with_hash(&pack(packed()));
    forge.release.lock().unwrap().clear();
    forge.refuses(&["--prebuilt"], 3, "404");
}

#[test]
fn a_key_vouches_for_what_was_made_of_the_commit() {
    let keys = KeyPair::generate_unencrypted_keypair().unwrap();
    let sign = |keys: &KeyPair, archive: &[u8]| {
        let signature = minisign::sign(None, &keys.sk, archive, None, None).unwrap();
        signature.into_string().into_bytes()
    };
    let forge = Forge::with(&json!({ "key": keys.pk.to_base64() }));
    let of_commit = |commit: &str| with_record(|record| record["commit"] = commit.into());

    // What the manifest names is no key: nothing that is signed by it could be right.
    let bad = Forge::with(&json!({ "key": "untrusted comment: minisign public key" }));
    bad.refuses(&[], 1, "is no minisign public key (`untrusted comment");

    let archive = of_commit(&"0".repeat(40));
    forge.release("cpu.tar.gz", &archive);
    forge.refuses(&["--prebuilt"], 3, "404");
    forge.release("cpu.tar.gz.minisig", &sign(&keys, &archive));
    forge.refuses(&[], 6, "commit");

    let archive = of_commit(&forge.commit);
    forge.release("cpu.tar.gz", &archive);
    forge.refuses(&[], 6, "signature");
    let other = KeyPair::generate_unencrypted_keypair().unwrap();
    forge.release("cpu.tar.gz.minisig", &sign(&other, &archive));
    forge.refuses(&[], 6, "signature");

    forge.release("cpu.tar.gz.minisig", &sign(&keys, &archive));
    forge.apply(&[]).expect(0);
    forge.release.lock().unwrap().clear();
    forge.apply(&["--prebuilt", "--offline"]).expect(0);
}

#[test]
fn a_variant_that_does_not_load_gives_way_to_the_one_for_cpus() {
    let mut files = packed().clone();
    let broken = b"no library".to_vec();
    let mut record: Value = serde_json::from_slice(&files["artifact.json"]).unwrap();
    record["sha256"] = sha256(&broken).into();
    record["features"] = json!(["cuda"]);
    files.insert("plugin.so".to_owned(), broken);
    files.insert("artifact.json".to_owned(), record.to_string().into_bytes());
    let (cuda, cpu) = (pack(&files), pack(packed()));
    let build = |variant: &str, archive: &[u8]| json!({ "target": target(), "variant": variant, "sha256": sha256(archive) });
    let forge = Forge::with(&json!({ "builds": [build("cuda", &cuda), build("cpu", &cpu)] }));
    forge.release("cuda.tar.gz", &cuda);
    forge.release("cpu.tar.gz", &cpu);
    let run = forge.apply(&["--device", "cuda"]).expect(0);
    assert!(run.stderr.contains("-cuda.tar.gz is not used"), "{}", run.stderr);
}

#[test]
fn a_bundle_brings_an_archive_and_what_vouches_for_it_stays_the_same() {
    let keys = KeyPair::generate_unencrypted_keypair().unwrap();
    let by_key = Forge::with(&json!({ "key": keys.pk.to_base64() }));
    let signed = with_record(|record| record["commit"] = by_key.commit.clone().into());
    let signature = minisign::sign(None, &keys.sk, signed.as_slice(), None, None).unwrap();
    by_key.release("cpu.tar.gz", &signed);
    by_key.release("cpu.tar.gz.minisig", &signature.into_string().into_bytes());
    for forge in [by_key, Forge::with_hash(&pack(packed()))] {
        forge.apply(&[]).expect(0);
        let (url, photos) = (forge.url(), project().join("examples/photos"));
        let bundle = forge.user.path("b").display().to_string();
        forge
            .user
            .run(["bundle", "save", &url, "-o", &bundle, "--prebuilt"])
            .expect(0);
        let run = forge.user.run([
            "bundle",
            "save",
            &url,
            "-o",
            "c",
            "--prebuilt",
            "--target",
            "riscv64gc-unknown-linux-gnu",
        ]);
        assert!(
            run.code != 0 && run.error().contains("riscv64gc"),
            "{}",
            run.stderr
        );
        drop(forge.server);

        let store = forge.user.path("other");
        let user = forge
            .user
            .with_store(&store)
            .with_variable("MODELZOO_OFFLINE", "1");
        user.run(["bundle", "load", &bundle]).expect(0);
        user.run(["apply", &url, photos.to_str().unwrap()]).expect(0);
        let info = user.run(["info", &url, "--json"]).expect(0).stdout;
        let info: Value = serde_json::from_str(&info).unwrap();
        assert!(
            info["built"]["prebuilt"]["url"]
                .as_str()
                .unwrap()
                .ends_with("-cpu.tar.gz")
        );
    }
}

#[test]
fn a_mirror_has_the_archives_as_well() {
    let archive = pack(packed());
    let name = format!("brightness-{}-cpu.tar.gz", target());
    let forge = Forge::with(&json!({
        "url": "https://example.org/{tag}/{name}-{target}-{variant}.tar.gz",
        "builds": [{ "target": target(), "sha256": sha256(&archive) }],
    }));
    let mirror = forge.user.path("mirror/v1");
    fs::create_dir_all(&mirror).unwrap();
    fs::write(mirror.join(&name), &archive).unwrap();
    let folder = |path: &Path| path.parent().unwrap().display().to_string();
    let config = format!(
        "[mirrors]\n\"https://example.org/\" = \"file://{}/\"\n",
        folder(&mirror)
    );
    let url = forge.url();
    let user = forge.user.with_config(&config);
    user.run(["download", &url]).expect(0);
}
