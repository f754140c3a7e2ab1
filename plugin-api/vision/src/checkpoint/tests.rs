//! What strangers' files may do.

use super::*;
use proptest::prelude::*;
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use std::fs;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Writes a safetensors file of vectors of two zeros.
fn write(path: &Path, names: &[&str]) {
    let bytes = [0; 8];
    let views: BTreeMap<_, _> = names
        .iter()
        .map(|name| {
            (
                name.to_string(),
                TensorView::new(Dtype::F32, vec![2], &bytes).unwrap(),
            )
        })
        .collect();
    serialize_to_file(views, None, path).unwrap();
}

/// The one line with which a folder's weights are refused.
fn refusal(folder: &Path) -> String {
    let error = Checkpoint::find(folder).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Weights, "{text}");
    assert!(!text.contains('\n'), "{text}");
    text
}

#[test]
fn shards_are_one_checkpoint() {
    let folder = folder();
    write(&folder.path().join("a.safetensors"), &["x", "y"]);
    write(&folder.path().join("b.safetensors"), &["z"]);
    let index = folder.path().join("model.safetensors.index.json");
    let map = |text: &str| fs::write(&index, format!("{{\"weight_map\": {text}}}")).unwrap();
    map(r#"{"x": "a.safetensors", "y": "a.safetensors", "z": "b.safetensors"}"#);
    let checkpoint = Checkpoint::find(folder.path()).unwrap();
    assert_eq!(checkpoint.dims("z"), Some(vec![2]));
    assert_eq!(checkpoint.parameter("y", &[2]).unwrap().data(), [0.0, 0.0]);
    assert_eq!(checkpoint.unused(), ["x", "z"]);

    map(r#"{"w": "b.safetensors"}"#);
    assert!(refusal(folder.path()).contains("tensor `w` should be in"));
    for file in ["../b.safetensors", "/etc/passwd", ".hidden", ""] {
        map(&format!("{{\"x\": \"{file}\"}}"));
        assert!(refusal(folder.path()).contains("no name of a file beside it"));
    }
    map(r#"{"x": "none.safetensors"}"#);
    assert!(refusal(folder.path()).contains("none.safetensors"));
    write(&folder.path().join("b.safetensors"), &["x", "z"]);
    map(r#"{"x": "a.safetensors", "z": "b.safetensors"}"#);
    assert!(refusal(folder.path()).contains("tensor `x` is in both"));
}

#[test]
fn names_of_timm_s_models_are_the_same_where_transformers_has_saved_them() {
    let folder = folder();
    let path = folder.path().join("model.safetensors");
    write(&path, &["timm_model.x", "timm_model.y"]);
    let checkpoint = Checkpoint::find(folder.path()).unwrap();
    assert_eq!(checkpoint.dims("x"), Some(vec![2]));
    assert!(checkpoint.parameter("x", &[2]).is_ok() && !checkpoint.has("timm_model.x"));
    assert_eq!(checkpoint.unused(), ["y"]);
    // Where others are beside them, they are no such file.
    write(&path, &["timm_model.x", "y"]);
    assert!(!Checkpoint::find(folder.path()).unwrap().has("x"));
}

#[test]
fn what_is_missing_or_of_another_shape_is_named() {
    let folder = folder();
    assert!(refusal(folder.path()).contains("there are no weights in"));
    write(
        &folder.path().join("model.safetensors"),
        &["norm.gamma", "norm.beta", "head.weight"],
    );
    let checkpoint = Checkpoint::find(folder.path()).unwrap();
    // As TensorFlow calls them.
    assert!(checkpoint.parameter("norm.weight", &[2]).is_ok() && checkpoint.has("norm.bias"));
    let missing = checkpoint.parameter("head.bias", &[2]).unwrap_err().to_string();
    assert!(missing.contains("there is no tensor `head.bias`"), "{missing}");
    let other = checkpoint
        .parameter("head.weight", &[3, 2])
        .unwrap_err()
        .to_string();
    assert!(
        other.contains("has dimensions [2], but the network needs [3, 2]"),
        "{other}"
    );
}

#[test]
fn a_header_of_100_gigabytes_is_refused() {
    let folder = folder();
    let mut bytes = (100u64 << 30).to_le_bytes().to_vec();
    bytes.extend(b"{\"a\": 1}");
    fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
    assert!(refusal(folder.path()).contains("no intact safetensors file"));
}

/// A pickle that calls `module.name` with a text.
fn call(module: &str, name: &str) -> Vec<u8> {
    let mut program = b"\x80\x02c".to_vec();
    program.extend(format!("{module}\n{name}\n").bytes());
    program.extend(b"X\x02\x00\x00\x00ls\x85R.");
    program
}

#[test]
fn a_pickle_that_names_anything_but_tensors_is_refused_by_name() {
    let folder = folder();
    let path = folder.path().join("pytorch_model.bin");
    for (module, name) in [
        ("posix", "system"),
        ("builtins", "eval"),
        ("torch.nn.modules.linear", "Linear"),
    ] {
        fs::write(&path, call(module, name)).unwrap();
        let text = refusal(folder.path());
        assert!(
            text.contains(&format!("\"{module}.{name}\"")) && text.contains("no code of it is run"),
            "{text}"
        );
    }
    for bytes in [
        &b""[..],
        b"\x80",
        b"\x80\x02",
        b"\x80\x02.",
        b"PK\x03\x04",
        b"hello",
        b"\x80\x02(((((",
        b"\x80\x02]q\x00h\x01.",
    ] {
        fs::write(&path, bytes).unwrap();
        refusal(folder.path());
    }
}

/// Files that torch wrote; see `parity/make_pickles.py`.
fn of_torch(name: &str) -> Result<Checkpoint> {
    Checkpoint::open(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/pickles")
            .join(name),
    )
}

#[test]
fn files_of_every_version_of_torch_are_read() {
    for name in ["archive.pth", "legacy.pth"] {
        let checkpoint = of_torch(name).unwrap();
        let values = |name| checkpoint.tensor(name).unwrap().data().to_vec();
        assert_eq!(checkpoint.dims("matrix"), Some(vec![3, 2]), "{name}");
        // A transposed view of a part of a storage.
        assert_eq!(values("matrix"), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0], "{name}");
        assert_eq!(values("parameter"), [0.5, -0.25], "{name}");
        for half in ["half", "bfloat", "double"] {
            assert_eq!(values(half), [1.5, -2.0], "{name}: {half}");
        }
        let count = checkpoint
            .tensor("bn.num_batches_tracked")
            .unwrap_err()
            .to_string();
        assert!(count.contains("floating-point numbers are needed"), "{count}");
    }
    // Beside an optimizer's state.
    assert_eq!(of_torch("nested.pth").unwrap().dims("weight"), Some(vec![2]));
}

#[test]
fn arrays_of_numpy_are_read() {
    let checkpoint = of_torch("arrays.npz").unwrap();
    let values = |name| checkpoint.tensor(name).unwrap().data().to_vec();
    let names = ["matrix", "transposed"];
    for name in names {
        assert_eq!(checkpoint.dims(name), Some(vec![3, 2]), "{name}");
        assert_eq!(values(name), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0], "{name}");
    }
    for half in ["block/half", "bfloat", "double"] {
        assert_eq!(values(half), [1.5, -2.0], "{half}");
    }
    assert_eq!(
        (checkpoint.dims("scalar"), values("scalar")),
        (Some(vec![]), vec![0.5])
    );
    let count = checkpoint.tensor("step").unwrap_err().to_string();
    assert!(count.contains("floating-point numbers are needed"), "{count}");
    for (name, text) in [
        ("objects.npz", "no code of them is run"),
        ("compressed.npz", "is compressed"),
    ] {
        let error = of_torch(name).unwrap_err().to_string();
        assert!(error.contains(text) && !error.contains('\n'), "{error}");
    }
}

#[test]
fn a_cut_file_of_torch_or_numpy_is_refused() {
    let folder = folder();
    for (name, as_name) in [
        ("archive.pth", "pytorch_model.bin"),
        ("legacy.pth", "pytorch_model.bin"),
        ("arrays.npz", "arrays.npz"),
    ] {
        let path = folder.path().join(as_name);
        let whole = fs::read(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/pickles")
                .join(name),
        )
        .unwrap();
        for length in (0..whole.len()).step_by(7) {
            fs::write(&path, &whole[..length]).unwrap();
            let error = Checkpoint::open(&path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Weights, "{error}");
            assert!(!error.to_string().contains('\n'), "{error}");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), name in 0..3usize) {
        let folder = folder();
        let file = ["pytorch_model.bin", "model.safetensors", "model.safetensors.index.json"][name];
        fs::write(folder.path().join(file), &bytes).unwrap();
        prop_assert!(Checkpoint::find(folder.path()).is_err());
    }

    #[test]
    fn no_change_of_a_file_panics(place in 0usize..4000, byte: u8, file in 0..3usize) {
        let folder = folder();
        let name = ["legacy.pth", "archive.pth", "arrays.npz"][file];
        let mut bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pickles").join(name)).unwrap();
        let place = place % bytes.len();
        bytes[place] = byte;
        let path = folder.path().join(name);
        fs::write(&path, &bytes).unwrap();
        if let Ok(checkpoint) = Checkpoint::open(&path) {
            for name in checkpoint.unused().iter().map(|name| name.to_string()).collect::<Vec<_>>() {
                let _ = checkpoint.tensor(&name);
            }
        }
    }
}
