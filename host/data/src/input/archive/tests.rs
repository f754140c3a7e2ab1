use super::*;
use proptest::prelude::*;
use std::{fs, io::Write as _, sync::Arc};

fn archive(names: &[&str]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for name in names {
        let mut header = tar::Header::new_gnu();
        header.set_size(name.len() as u64);
        header.set_mode(0o644);
        // As a stranger may write it: the library's own check of names is passed by.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, name.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn told(path: &Path) -> Vec<String> {
    told_of(path, Contents::All)
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Any number that follows from a name.
fn number_of(name: &Path) -> usize {
    name.as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|byte| usize::from(*byte))
        .sum()
}

fn part_of(part: usize, parts: usize) -> Contents {
    Contents::Of(Arc::new(move |name| number_of(name) % parts == part))
}

fn told_of(path: &Path, contents: Contents) -> Vec<String> {
    files(path, path.parent().unwrap(), &MediaKind::ALL, contents)
        .map(|file| match file {
            Ok(file) => {
                assert_eq!(file.path.file_name(), file.relative_path.file_name());
                let name = file.relative_path.display();
                match file.content {
                    Content::Bytes(bytes) => format!("{name} {}", String::from_utf8_lossy(&bytes)),
                    Content::AtPath => name.to_string(),
                }
            }
            Err(error) => modelzoo_base::error::in_one_line(&error).replace(&path.display().to_string(), "A"),
        })
        .collect()
}

#[test]
fn media_come_in_order_under_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let plain = archive(&["0/a.jpg", "0/a.json", "0/._b.jpg", "../../b.png", "/c.mp4"]);
    for (name, bytes) in [("s.tar", plain.clone()), ("s.tgz", zipped(&plain))] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let expected = ["0/a.jpg 0/a.jpg", "b.png ../../b.png", "c.mp4 /c.mp4"];
        assert_eq!(told(&path), expected.map(|file| format!("{name}/{file}")));
    }
}

#[test]
fn what_is_cut_off_is_told_after_what_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.tar");
    fs::write(&path, &archive(&["a.jpg", "b.jpg"])[..1024 + 512 + 3]).unwrap();
    let told = told(&path);
    assert_eq!(told[0], "cut.tar/a.jpg a.jpg");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with("A: cannot be read: "), "{told:?}");
}

#[test]
fn a_shard_has_the_contents_of_its_own_files_and_the_names_of_all() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..20).map(|number| format!("{number}.jpg")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let plain = archive(&names);
    for (name, bytes) in [
        ("s.tar", plain.clone()),
        ("s.tar.zst", zstd::encode_all(&plain[..], 1).unwrap()),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let mut read = 0;
        for shard in 0..3 {
            for (told, whole) in told_of(&path, part_of(shard, 3)).into_iter().zip(told(&path)) {
                let (name, _) = whole.split_once(' ').unwrap();
                let is_own = number_of(Path::new(name)) % 3 == shard;
                assert_eq!(told, if is_own { &*whole } else { name });
                read += usize::from(is_own);
            }
        }
        assert_eq!(read, 20);
    }
}

#[test]
fn an_archive_that_ends_in_a_file_that_nobody_wants_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let whole = archive(&["a.jpg", "a.json"]);
    for name in ["cut.tar", "cut.tar.zst"] {
        let path = folder.path().join(name);
        let cut = &whole[..1024 + 512 + 3];
        let bytes = if name.ends_with("zst") {
            zstd::encode_all(cut, 1).unwrap()
        } else {
            cut.to_vec()
        };
        fs::write(&path, bytes).unwrap();
        let told = told(&path);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].starts_with("A: cannot be read: "), "{told:?}");
    }
}

/// A header and so many bytes of content.
fn described(kind: EntryType, claimed: u64, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(claimed);
    header.set_mode(0o644);
    header.as_mut_bytes()[..5].copy_from_slice(b"a.jpg");
    header.set_cksum();
    let mut written = header.as_bytes().to_vec();
    written.extend_from_slice(content);
    written.resize(written.len().next_multiple_of(BLOCK as usize), 0);
    written
}

#[test]
fn long_names_are_read_and_endless_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("{}/b.jpg", "x".repeat(300));
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    let mut named = tar::Builder::new(Vec::new());
    named.append_data(&mut header, &long, &b""[..]).unwrap();
    let path = folder.path().join("s.tar");
    fs::write(&path, named.into_inner().unwrap()).unwrap();
    assert_eq!(told(&path), [format!("s.tar/{long} ")]);
    for kind in [EntryType::GNULongName, EntryType::XHeader] {
        // All of it is there, and in a compressed archive it would cost its author nothing.
        let endless = described(kind, 64 << 20, &vec![b'x'; 64 << 20]);
        for name in ["s.tar", "s.tar.zst"] {
            let path = folder.path().join(name);
            let bytes = [archive(&["a.jpg"])[..1024].to_vec(), endless.clone()].concat();
            let bytes = if name.ends_with("zst") {
                zstd::encode_all(&bytes[..], 1).unwrap()
            } else {
                bytes
            };
            fs::write(&path, bytes).unwrap();
            let told = told(&path);
            assert_eq!(told[0], format!("{name}/a.jpg a.jpg"));
            assert!(told[1].contains("takes more than 1048576 bytes"), "{told:?}");
        }
    }
}

#[test]
fn sizes_that_are_not_there_cost_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.tar");
    for claimed in [1 << 29, 1 << 40, u64::MAX >> 1, u64::MAX] {
        fs::write(&path, described(EntryType::Regular, claimed, b"few")).unwrap();
        let told = told(&path);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("A: cannot be read: "), "{told:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever is changed in an archive, it comes to an end, names stay below the output, and shards have together what
    /// one run has.
    #[test]
    fn changed_archives_are_read_or_told(
        changes in proptest::collection::vec((0..4096usize, any::<u8>()), 0..8),
        cut in any::<Option<prop::sample::Index>>(),
        packing in 0..3usize,
    ) {
        let mut bytes = archive(&["0/a.jpg", "0/a.json", "b.png"]);
        for (place, byte) in changes {
            let place = place % bytes.len();
            bytes[place] = byte;
        }
        let name = ["s.tar", "s.tar.gz", "s.tar.zst"][packing];
        let mut bytes = match packing {
            0 => bytes,
            1 => zipped(&bytes),
            _ => zstd::encode_all(&bytes[..], 1).unwrap(),
        };
        bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len())));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let all = told(&path);
        for file in files(&path, folder.path(), &MediaKind::ALL, Contents::None).flatten() {
            prop_assert!(file.relative_path.starts_with(name) && !file.relative_path.to_string_lossy().contains(".."));
        }
        let mut own = vec![Vec::new(); all.len()];
        for shard in 0..2 {
            let told = told_of(&path, part_of(shard, 2));
            prop_assert_eq!(told.len(), all.len());
            for (place, line) in told.into_iter().enumerate() {
                own[place].push(line);
            }
        }
        for (whole, told) in all.iter().zip(own) {
            prop_assert!(told.contains(whole), "{:?} instead of {}", told, whole);
        }
    }
}
