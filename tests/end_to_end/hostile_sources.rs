//! Sources that mean harm, or are broken: each is refused by name, with the documented exit code, and leaves nothing.

use crate::support::{self, Run, User, published::git};
use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
};

const MANIFEST: &str = r#"{"models": [{"base_name": "m"}]}"#;

/// A user with an empty store, whose program gives silent servers one second.
fn user() -> User {
    User::new()
        .with_empty_store()
        .with_variable("MODELZOO_DOWNLOAD_STALL_TIMEOUT_SECONDS", "1")
        .with_variable("MODELZOO_DOWNLOAD_RETRIES", "0")
}

/// What `list SOURCE` does, which has to fail with this code. Nothing of the source may be left in the store.
#[track_caller]
fn refused(user: &User, source: &str, code: i32) -> Run {
    let run = user.run(["list", source]).expect(code);
    assert_eq!(run.stdout, "");
    for folder in ["sources", "weights", "artifacts", "models", "tmp"] {
        let left: Vec<_> = match fs::read_dir(user.path("store").join(folder)) {
            Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
            Err(_) => Vec::new(),
        };
        // An archive that arrived whole is kept for the next attempt, and goes with the next collection.
        let left: Vec<_> = left
            .iter()
            .filter(|path| {
                !path
                    .file_name()
                    .unwrap()
                    .to_string_lossy()
                    .starts_with("download-")
            })
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
    run
}

#[track_caller]
fn says(run: &Run, parts: &[&str]) {
    for part in parts {
        assert!(run.stderr.contains(part), "{part:?} is not in:\n{}", run.stderr);
    }
}

/// A tar with whatever entries, also those that no proper program would write.
#[derive(Default)]
struct Tar(Vec<u8>);

impl Tar {
    fn entry(mut self, name: &str, kind: tar::EntryType, target: &str, content: &[u8]) -> Self {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.as_mut_bytes()[157..157 + target.len()].copy_from_slice(target.as_bytes());
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(name, tar::EntryType::Regular, "", content)
    }

    /// Writes it, with a manifest in front, as an archive in the user's home; gives its path as a source.
    fn write(self, user: &User) -> String {
        let all = Self::default().file("manifest.json", MANIFEST.as_bytes());
        let mut bytes = [all.0, self.0].concat();
        bytes.resize(bytes.len() + 1024, 0);
        let path = user.path("source.tar");
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// A new repository with the files that `fill` puts there; gives its URL.
fn repository(user: &User, fill: impl FnOnce(&Path)) -> (String, PathBuf) {
    let work = user.path("work");
    fs::create_dir_all(&work).unwrap();
    fs::write(work.join("manifest.json"), MANIFEST).unwrap();
    git(&work, &["init", "--quiet"]);
    fill(&work);
    git(&work, &["add", "--all"]);
    git(&work, &["commit", "--quiet", "-m", "A commit"]);
    (format!("file://{}/.git", work.display()), work)
}

#[test]
fn an_archive_bomb_stops_at_the_limit() {
    let user = user();
    let path = user.path("bomb.tar.gz");
    let mut header = tar::Header::new_ustar();
    let size: u64 = 320 << 20;
    header.set_path("weights.bin").unwrap();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    let mut gzip =
        flate2::write::GzEncoder::new(fs::File::create(&path).unwrap(), flate2::Compression::best());
    gzip.write_all(header.as_bytes()).unwrap();
    let zeros = vec![0; 1 << 20];
    (0..size >> 20).for_each(|_| gzip.write_all(&zeros).unwrap());
    gzip.finish().unwrap();
    let packed = fs::metadata(&path).unwrap().len();
    assert!(packed * 500 < size, "it is no bomb: {packed} bytes");

    let run = refused(&user, path.to_str().unwrap(), 1);
    says(
        &run,
        &[
            "bomb.tar.gz is refused",
            "`weights.bin`",
            "far more than its size",
            "hint:",
        ],
    );
}

#[test]
fn an_archive_whose_entries_lead_out_is_refused() {
    let user = user();
    let above = Tar::default().file("../escaped", b"x").write(&user);
    says(
        &refused(&user, &above, 1),
        &["`../escaped`", "leads to another folder"],
    );
    let absolute = user.path("escaped");
    let absolute = Tar::default().file(absolute.to_str().unwrap(), b"x").write(&user);
    says(&refused(&user, &absolute, 1), &["has an absolute path"]);
    let home = user.path("");
    let linked = Tar::default()
        .entry("out", tar::EntryType::Symlink, home.to_str().unwrap(), b"")
        .file("out/escaped", b"x")
        .write(&user);
    says(
        &refused(&user, &linked, 1),
        &["`out`", "is a symbolic link that may lead out"],
    );
    let climbing = Tar::default()
        .entry("a/out", tar::EntryType::Symlink, "../../x", b"")
        .write(&user);
    says(&refused(&user, &climbing, 1), &["`a/out`", "may lead out"]);
    assert!(!user.path("escaped").exists());
}

#[test]
fn a_link_out_of_a_repository_is_refused() {
    let user = user();
    let (url, _) = repository(&user, |work| {
        std::os::unix::fs::symlink("/etc/passwd", work.join("weights.bin")).unwrap();
    });
    let run = refused(&user, &url, 1);
    says(
        &run,
        &[
            "`weights.bin` is refused",
            "a symbolic link out of the source, to `/etc/passwd`",
        ],
    );
}

#[test]
fn a_huge_manifest_is_not_read() {
    let user = user();
    let folder = user.path("source");
    fs::create_dir(&folder).unwrap();
    let manifest = fs::File::create(folder.join("manifest.json")).unwrap();
    manifest.set_len(100 << 20).unwrap();
    let run = refused(&user, folder.to_str().unwrap(), 1);
    says(
        &run,
        &[
            "manifest.json has 104857600 bytes; the limit is",
            "hint: a manifest describes models",
        ],
    );
}

#[test]
fn nesting_has_an_end() {
    let user = user();
    let folder = user.path("source");
    fs::create_dir(&folder).unwrap();
    let deep = format!(
        "{{\"models\": [], \"x\": {}{}}}",
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    fs::write(folder.join("manifest.json"), deep).unwrap();
    let run = refused(&user, folder.to_str().unwrap(), 1);
    says(&run, &["manifest.json:1:", "recursion limit"]);

    let (url, _) = repository(&user, |work| {
        let deep = work.join("d/".repeat(150));
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("file"), "x").unwrap();
    });
    says(
        &refused(&user, &url, 1),
        &["folders are nested more than 100 deep"],
    );
}

#[test]
fn what_is_not_utf8_is_told() {
    let user = user();
    let folder = user.path("source");
    fs::create_dir(&folder).unwrap();
    fs::write(
        folder.join("manifest.json"),
        b"{\"models\": [\n{\"base_name\": \"\xff\"}]}",
    )
    .unwrap();
    let run = refused(&user, folder.to_str().unwrap(), 1);
    says(
        &run,
        &[
            "manifest.json:2:16: the manifest is not UTF-8 text",
            "hint: save the file as UTF-8",
        ],
    );

    let (url, _) = repository(&user, |work| {
        fs::write(work.join(std::ffi::OsStr::from_bytes(b"name-\xff")), "x").unwrap();
    });
    says(&refused(&user, &url, 1), &["its name is not UTF-8"]);
}

/// No Git program and no shell is ever started with a reference; those that mean one are no references at all.
#[test]
fn references_that_are_options_or_commands_are_nonsense() {
    let user = user();
    let (url, work) = repository(&user, |_| ());
    let witness = user.path("witness");
    let touch = format!("touch${{IFS}}{}", witness.display());
    for reference in [
        "--upload-pack=x".to_owned(),
        format!("user/repo@--upload-pack={touch}"),
        format!("{url}@--upload-pack={touch}"),
        format!("{url}@-x"),
        format!("ext::sh -c {touch}"),
        format!("ssh://-oProxyCommand={touch}/user/repo"),
        format!("git@-oProxyCommand={touch}:user/repo"),
        format!("user/repo@$({touch})"),
        format!("user/repo@`{touch}`"),
        "user/repo@a..b".to_owned(),
        "user/repo@a\nb".to_owned(),
        "user/re;po".to_owned(),
        "user/repo//../../etc".to_owned(),
    ] {
        let run = user.run(["list", "--offline", "--", &reference]);
        assert!(
            matches!(run.code, 2 | 3),
            "{reference}: {} {}",
            run.code,
            run.stderr
        );
        if run.code == 3 {
            // What is left is a name that nothing has, and it was looked for as it stands.
            says(&run, &["is not in the store"]);
        }
    }
    assert!(!witness.exists());
    let run = user.run(["list", "--upload-pack=x"]).expect(2);
    says(&run, &["unexpected argument"]);
    assert!(work.join(".git").exists());
}

#[test]
fn hooks_and_filters_do_nothing_and_what_is_elsewhere_is_told() {
    let user = user();
    let witness = user.path("witness");
    let touch = format!("#!/bin/sh\ntouch {}\n", witness.display());
    let (url, work) = repository(&user, |work| {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
        fs::write(work.join("weights.bin"), pointer).unwrap();
        fs::write(work.join(".gitattributes"), "*.txt filter=evil\n").unwrap();
        fs::write(work.join("a.txt"), "a\r\nb\n").unwrap();
        let manager = r#"{"type": "modelzoo.ModelManager", "config": {"file": "weights.bin"}}"#;
        let manifest = format!(r#"{{"models": [{{"base_name": "m", "manager": {manager}}}]}}"#);
        fs::write(work.join("manifest.json"), manifest).unwrap();
        support::copy_folder(&support::sample("brightness").join("src"), &work.join("src"));
        for file in ["Cargo.toml", "Cargo.lock"] {
            fs::copy(support::sample("brightness").join(file), work.join(file)).unwrap();
        }
        let gitmodules = format!("[submodule \"sub\"]\npath = sub\nurl = ext::sh -c {touch:?}\n");
        fs::write(work.join(".gitmodules"), gitmodules).unwrap();
        fs::create_dir(work.join("sub")).unwrap();
        let link = format!("160000,{},sub", "1".repeat(40));
        git(work, &["update-index", "--add", "--cacheinfo", &link]);
    });
    git(&work, &["config", "filter.evil.smudge", &touch]);
    for hook in [
        "post-checkout",
        "post-upload-pack",
        "pre-receive",
        "reference-transaction",
    ] {
        let path = work.join(".git/hooks").join(hook);
        fs::write(&path, &touch).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    let run = user.run(["list", &url]).expect(0);
    assert!(run.stdout.contains('m'), "{}", run.stdout);
    says(
        &run,
        &[
            "`sub` is a submodule, which is not fetched",
            "`weights.bin` is kept in Git LFS, which is not fetched",
        ],
    );
    user.run(["trust", "allow", &url]).expect(0);
    let run = user.run(["download", &url]).expect(1);
    says(&run, &["has no weights: `weights.bin` is kept in Git LFS"]);
    assert!(!witness.exists(), "something of the repository was executed");
    user.run(["store", "verify"]).expect(0);
}

#[test]
fn a_silent_git_server_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // It takes connections, and says nothing.
    std::thread::spawn(move || {
        let open: Vec<_> = listener.incoming().collect();
        drop(open);
    });
    let user = user();
    let run = refused(&user, &format!("http://{address}/user/repo.git"), 1);
    says(&run, &["sent nothing for 1 s", "stall_timeout_seconds"]);
}
