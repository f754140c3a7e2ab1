//! Every format, and every kind of harm.
use super::*;
use std::io::Write as _;

/// A tar with whatever entries, also those that a proper program would not write.
struct TarFile(Vec<u8>);

impl TarFile {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn entry(mut self, name: &str, kind: tar::EntryType, target: &str, content: &[u8]) -> Self {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(if name.ends_with(".sh") { 0o755 } else { 0o644 });
        header.as_mut_bytes()[157..157 + target.len()].copy_from_slice(target.as_bytes());
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, content: &str) -> Self {
        self.entry(name, tar::EntryType::Regular, "", content.as_bytes())
    }

    fn link(self, name: &str, target: &str) -> Self {
        self.entry(name, tar::EntryType::Symlink, target, b"")
    }

    fn done(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

fn sample() -> Vec<u8> {
    TarFile::new()
        .entry("./", tar::EntryType::Directory, "", b"")
        .entry("m/", tar::EntryType::Directory, "", b"")
        .file("m/manifest.json", "{}")
        .file("m/run.sh", "#!/bin/sh")
        .entry("m/again.json", tar::EntryType::Link, "m/manifest.json", b"")
        .link("m/link", "sub/../x")
        .done()
}

/// Extracts `content` as a file of this name; the destination is `out` in the folder.
fn extract_named(
    name: &str,
    content: &[u8],
    limits: &ArchiveLimits,
) -> (tempfile::TempDir, Result<Extracted, String>) {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join(name);
    std::fs::write(&archive, content).unwrap();
    let format = ArchiveFormat::of_path(&archive).unwrap();
    let result = extract(&archive, format, &folder.path().join("out"), limits);
    (
        folder,
        result.map_err(|error| modelzoo_base::error::in_one_line(&error)),
    )
}

fn refusal(content: &[u8]) -> String {
    let (folder, result) = extract_named("a.tar", content, &ArchiveLimits::default());
    let outside: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(
        outside.len(),
        2,
        "nothing but the archive and the destination: {outside:?}"
    );
    result.unwrap_err()
}

fn good_sample() -> Vec<u8> {
    TarFile::new()
        .file("m/manifest.json", "{}")
        .file("m/run.sh", "#!/bin/sh")
        .link("m/link", "run.sh")
        .done()
}

#[test]
fn every_format_gives_the_same_tree() {
    let tar = good_sample();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(&tar).unwrap();
    let gz = gz.finish().unwrap();
    let mut bz2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    bz2.write_all(&tar).unwrap();
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).unwrap();
    xz.write_all(&tar).unwrap();
    let (half, rest) = tar.split_at(tar.len() / 2);
    // Two frames, as parallel compressors write.
    let zst = [
        zstd::encode_all(half, 3).unwrap(),
        zstd::encode_all(rest, 3).unwrap(),
    ]
    .concat();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("m/manifest.json", options.unix_permissions(0o644))
        .unwrap();
    zip.write_all(b"{}").unwrap();
    zip.start_file("m/run.sh", options.unix_permissions(0o755))
        .unwrap();
    zip.write_all(b"#!/bin/sh").unwrap();
    zip.add_symlink("m/link", "run.sh", options).unwrap();

    let (folder, expected) = extract_named("a.tar", &tar, &ArchiveLimits::default());
    let expected = expected.unwrap();
    let out = folder.path().join("out");
    assert_eq!(
        crate::tree::hash_folder(&out, &|_| false).unwrap(),
        expected.tree_hash
    );
    assert_eq!((expected.files, expected.bytes), (3, 11));
    assert_eq!(
        std::fs::read_link(out.join("m/link")).unwrap().to_str(),
        Some("run.sh")
    );
    for (name, content) in [
        ("a.tar.gz", gz.clone()),
        ("a.TGZ", gz),
        ("a.tar.bz2", bz2.finish().unwrap()),
        ("a.tar.xz", xz.finish().unwrap()),
        ("a.tar.zst", zst),
        ("a.zip", zip.finish().unwrap().into_inner()),
    ] {
        let (_folder, result) = extract_named(name, &content, &ArchiveLimits::default());
        assert_eq!(result.unwrap(), expected, "{name}");
    }
}

#[test]
fn hard_links_become_copies() {
    let tar = TarFile::new()
        .file("a", "content")
        .entry("b", tar::EntryType::Link, "a", b"")
        .done();
    let (folder, result) = extract_named("a.tar", &tar, &ArchiveLimits::default());
    assert_eq!(result.unwrap().files, 2);
    assert_eq!(
        std::fs::read_to_string(folder.path().join("out/b")).unwrap(),
        "content"
    );
    assert!(refusal(&sample()).contains("`m/link` is a symbolic link that may lead out, to `sub/../x`"));
}

#[test]
fn entries_that_lead_out_are_refused() {
    for (tar, expected) in [
        (TarFile::new().file("../x", "1"), "`../x` cannot be written"),
        (TarFile::new().file("a/../../x", "1"), "cannot be written"),
        (
            TarFile::new().file("/etc/x", "1"),
            "`/etc/x` has an absolute path",
        ),
        (TarFile::new().file("a\\..\\x", "1"), "contains a separator"),
        (TarFile::new().file(".git/config", "1"), "belongs to Git"),
        (
            TarFile::new().link("a", "/etc"),
            "`a` is a symbolic link that may lead out, to `/etc`",
        ),
        (TarFile::new().link("a", ".."), "may lead out"),
        (
            TarFile::new().link("d", ".").link("a", "d/../x"),
            "`a` is a symbolic link that may lead out",
        ),
        (
            TarFile::new().entry("a", tar::EntryType::Link, "../x", b""),
            "cannot be written",
        ),
        (
            TarFile::new().entry("a", tar::EntryType::Link, "none", b""),
            "second name of the missing file `none`",
        ),
        (
            TarFile::new().entry("a", tar::EntryType::Char, "", b""),
            "is neither a file",
        ),
        (
            TarFile::new().entry("a", tar::EntryType::Fifo, "", b""),
            "is neither a file",
        ),
    ] {
        let message = refusal(&tar.done());
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_file_behind_a_link_is_not_written_through_it() {
    // The link would come first, but links are written last: the file takes its place, and the link fails.
    let tar = TarFile::new().link("a", "b").file("a/x", "1").done();
    let (folder, result) = extract_named("a.tar", &tar, &ArchiveLimits::default());
    assert!(result.unwrap_err().contains("cannot write"));
    assert!(!folder.path().join("out/b").exists());
    let twice = TarFile::new().file("a", "1").file("a", "2").done();
    assert!(refusal(&twice).contains("cannot write"));
}

#[test]
fn bombs_stop_at_the_limits() {
    let limits = ArchiveLimits {
        entries: 10,
        bytes: 1 << 20,
        swelling: 10,
        free_bytes: 1000,
        depth: 5,
    };
    let message = |tar: Vec<u8>| {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gz.write_all(&tar).unwrap();
        extract_named("a.tgz", &gz.finish().unwrap(), &limits)
            .1
            .unwrap_err()
    };
    let zeros = "0".repeat(500_000);
    assert!(message(TarFile::new().file("zeros", &zeros).done()).contains("far more than its size"));
    let many = (0..20).fold(TarFile::new(), |tar, index| tar.file(&index.to_string(), ""));
    assert!(message(many.done()).contains("one of more than 10"));
    assert!(message(TarFile::new().file("a/b/c/d/e/f", "").done()).contains("nested more than 5 deep"));
}

#[test]
fn broken_archives_are_errors() {
    for name in ["a.tar", "a.zip", "a.tar.gz", "a.tar.bz2", "a.tar.xz", "a.tar.zst"] {
        let (_folder, result) =
            extract_named(name, b"<html>not an archive</html>", &ArchiveLimits::default());
        assert!(result.unwrap_err().contains("cannot read the archive"), "{name}");
    }
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(&good_sample()).unwrap();
    let gz = gz.finish().unwrap();
    let (_folder, result) = extract_named("a.tgz", &gz[..gz.len() / 2], &ArchiveLimits::default());
    assert!(result.is_err(), "a truncated archive");
}

#[test]
fn the_check_sum_behind_the_last_entry_counts() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(&good_sample()).unwrap();
    let whole = encoder.finish().unwrap();
    let limits = ArchiveLimits::default();
    extract_named("a.tar.gz", &whole, &limits).1.unwrap();
    // A letter of a file, which stands in the archive as it is.
    let mut changed = whole.clone();
    let letter = whole.windows(9).position(|text| text == b"#!/bin/sh").unwrap();
    changed[letter + 2] = b'?';
    let error = extract_named("a.tar.gz", &changed, &limits).1.unwrap_err();
    assert!(error.contains("checksum"), "{error}");
    assert!(
        extract_named("a.tar.gz", &whole[..whole.len() - 8], &limits)
            .1
            .is_err()
    );
}
