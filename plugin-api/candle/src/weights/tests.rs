use super::*;
use proptest::prelude::*;
use safetensors::tensor::{TensorView, serialize_to_file};
use std::collections::BTreeMap;

fn file_of(tensors: &[(&str, Dtype, &[usize], Vec<u8>)]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let views: BTreeMap<_, _> = tensors
        .iter()
        .map(|(name, dtype, dims, bytes)| {
            (
                name.to_string(),
                TensorView::new(*dtype, dims.to_vec(), bytes).unwrap(),
            )
        })
        .collect();
    serialize_to_file(views, None, file.path()).unwrap();
    file
}

fn bytes_of<const SIZE: usize>(numbers: impl IntoIterator<Item = [u8; SIZE]>) -> Vec<u8> {
    numbers.into_iter().flatten().collect()
}

#[test]
fn three_types_of_number_are_read_as_f32() {
    let values = [1.5f32, -0.25, 0.0, 96.0];
    let file = file_of(&[
        ("f32", Dtype::F32, &[2, 2], bytes_of(values.map(f32::to_le_bytes))),
        (
            "f16",
            Dtype::F16,
            &[4],
            bytes_of(values.map(|value| f16::from_f32(value).to_le_bytes())),
        ),
        (
            "bf16",
            Dtype::BF16,
            &[4],
            bytes_of(values.map(|value| bf16::from_f32(value).to_le_bytes())),
        ),
    ]);
    let weights = Weights::open(file.path()).unwrap();
    for name in ["f32", "f16", "bf16"] {
        assert_eq!(weights.tensor(name).unwrap().data(), values, "{name}");
    }
    assert_eq!(weights.tensor("f32").unwrap().dims(), [2, 2]);
    assert_eq!(weights.names().len(), 3);

    let tensor = weights
        .var_builder(&candle_core::Device::Cpu)
        .get((2, 2), "f32")
        .unwrap();
    assert_eq!(tensor.to_vec2::<f32>().unwrap(), [[1.5, -0.25], [0.0, 96.0]]);
}

#[test]
fn errors_name_the_file_and_the_tensor() {
    let file = file_of(&[
        (
            "weight",
            Dtype::F32,
            &[2],
            bytes_of([1f32, 2.0].map(f32::to_le_bytes)),
        ),
        ("count", Dtype::I64, &[1], bytes_of([7i64.to_le_bytes()])),
    ]);
    let weights = Weights::open(file.path()).unwrap();
    let path = file.path().display().to_string();
    let errors = [
        (weights.tensor("bias").unwrap_err(), "`bias`"),
        (weights.tensor_of("weight", &[3]).unwrap_err(), "[3]"),
        (weights.tensor("count").unwrap_err(), "I64"),
    ];
    for (error, part) in errors {
        assert_eq!(error.kind(), ErrorKind::Weights);
        assert!(
            error.message().contains(&path) && error.message().contains(part),
            "{error}"
        );
    }
    let builder = weights.var_builder(&candle_core::Device::Cpu);
    let error = builder.pp("layer").get(2, "weight").unwrap_err().to_string();
    assert!(
        error.contains("`layer.weight`") && error.contains(&path),
        "{error}"
    );
}

#[test]
fn a_file_that_is_missing_empty_or_cut_is_a_weights_error() {
    let missing = Weights::open("/nonexistent/weights.safetensors").unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Weights);
    assert!(
        missing.message().contains("/nonexistent/weights.safetensors"),
        "{missing}"
    );

    let file = file_of(&[("weight", Dtype::F32, &[64], vec![0; 256])]);
    let whole = std::fs::read(file.path()).unwrap();
    for length in [0, 4, 8, 20, whole.len() - 1] {
        std::fs::write(file.path(), &whole[..length]).unwrap();
        let error = Weights::open(file.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Weights, "{length} bytes: {error}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        if let Ok(weights) = Weights::open(file.path()) {
            for name in weights.names() {
                let _ = weights.tensor(&name);
            }
        }
    }
}
