//! What releases of the program are made with.

use crate::support::{User, project};
use flate2::read::GzDecoder;
use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A program that answers what the script asks, in place of one of a hundred megabytes.
const PROGRAM: &str =
    "#!/bin/sh\ncase $1 in man) mkdir \"$2\" && echo page >\"$2/modelzoo.1\" ;; *) echo \"$@\" ;; esac\n";

fn script(name: &str, arguments: &[&Path]) -> Output {
    Command::new(project().join("dist").join(name))
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The files of an archive and what is in them.
fn unpacked(archive: &Path) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(GzDecoder::new(fs::File::open(archive).unwrap()));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        files.insert(path, text);
    }
    files
}

#[test]
fn an_archive_has_all_that_users_need_under_the_name_that_binstall_looks_for() {
    let user = User::new();
    let program = user.path("program");
    fs::write(&program, PROGRAM).unwrap();
    let made = Command::new("chmod").arg("+x").arg(&program).status().unwrap();
    assert!(made.success());
    let target = Path::new("aarch64-unknown-linux-gnu");
    let pack = |folder: &str| {
        PathBuf::from(said(&script(
            "archive.sh",
            &[target, &program, &user.path(folder)],
        )))
    };
    let archive = pack("packed");
    let name = format!("modelzoo-{}-{}", env!("CARGO_PKG_VERSION"), target.display());
    assert_eq!(
        archive.file_name().unwrap().to_str().unwrap(),
        format!("{name}.tar.gz")
    );
    let files = unpacked(&archive);
    assert_eq!(files[&format!("{name}/modelzoo")], PROGRAM);
    assert_eq!(
        files[&format!("{name}/completions/modelzoo.fish")],
        "completions fish\n"
    );
    for file in ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "man/modelzoo.1"] {
        assert!(
            files.contains_key(&format!("{name}/{file}")),
            "{file}: {:?}",
            files.keys()
        );
    }
    assert_eq!(fs::read(pack("again")).unwrap(), fs::read(&archive).unwrap());

    let folder = archive.parent().unwrap();
    said(&script("sign.sh", &[folder]));
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    assert!(sums.ends_with(&format!("  {name}.tar.gz\n")), "{sums}");
    let mut check = Command::new("sha256sum");
    said(
        &check
            .args(["--check", "SHA256SUMS"])
            .current_dir(folder)
            .output()
            .unwrap(),
    );
    assert!(!script("sign.sh", &[&user.path("nothing")]).status.success());
}
