//! Packs the SDK, the API crates that plugins are built against, into an archive that becomes a part of the host.

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest as _, Sha256};
use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

/// Where the SDK lies, seen from this crate.
const SDK_FOLDER: &str = "../../plugin-api";

/// What a build of a plugin does not need of it. Benchmarks and examples stay: a manifest may name them, and cargo then
/// wants to see them.
const LEFT_OUT: [&str; 3] = ["fuzz", "target", "tests"];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join(SDK_FOLDER);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={SDK_FOLDER}");
    let archive = archive(&folder)?;
    let digest = Sha256::digest(&archive);
    let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    println!("cargo::rustc-env=MODELZOO_SDK_SHA256={hash}");
    println!("cargo::rustc-env=MODELZOO_SDK_LINK=.modelzoo/sdk-{}", &hash[..16]);
    println!("cargo::rustc-env=MODELZOO_TARGET={}", env::var("TARGET")?);
    let output = PathBuf::from(env::var("OUT_DIR")?).join("sdk.tar.gz");
    let mut packed = GzEncoder::new(fs::File::create(output)?, Compression::best());
    std::io::Write::write_all(&mut packed, &archive)?;
    packed.finish()?;
    Ok(())
}

/// All files below `folder` as a tar archive that depends on nothing but their paths and contents.
fn archive(folder: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut files = Vec::new();
    collect(folder, Path::new(""), &mut files)
        .map_err(|error| format!("cannot pack the plugin SDK in {}: {error}", folder.display()))?;
    files.sort();
    let mut archive = tar::Builder::new(Vec::new());
    for file in files {
        let content = fs::read(folder.join(&file))?;
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, &file, content.as_slice())?;
    }
    Ok(archive.into_inner()?)
}

fn collect(root: &Path, relative: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(root.join(relative))? {
        let entry = entry?;
        let name = entry.file_name();
        let path = relative.join(&name);
        let is_left_out = LEFT_OUT.iter().any(|left_out| name == *left_out) && is_crate(&root.join(relative));
        if name.to_string_lossy().starts_with('.') || is_left_out {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Only in a crate's own folder are these names special.
fn is_crate(folder: &Path) -> bool {
    folder.join("Cargo.toml").exists()
}
