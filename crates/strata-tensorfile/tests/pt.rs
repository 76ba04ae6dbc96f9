//! torch's state dicts: our own files, torch's files, and files of ill will.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use proptest::prelude::*;
use strata_tensorfile::{PtError, Tensor, TypedTensor, Values, pt, safetensors};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/torch")
        .join(name)
}

fn tensor(name: &str, shape: &[usize], data: &[f32]) -> Tensor {
    Tensor {
        name: name.to_owned(),
        shape: shape.to_vec(),
        data: data.to_vec(),
    }
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pt");
    let tensors = vec![
        tensor(
            "0.weight",
            &[2, 3],
            &[1.0, -2.5, 3.0, 0.0, f32::MIN_POSITIVE, 6.0],
        ),
        tensor("0.bias", &[2], &[0.5, -0.5]),
        tensor("1.num_batches_tracked", &[], &[17.0]),
        tensor("empty", &[0, 4], &[]),
    ];
    pt::write(&path, &tensors).unwrap();
    assert_eq!(pt::read(&path).unwrap(), tensors);
    let again = folder.path().join("again.pt");
    pt::write(&again, &tensors).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), std::fs::read(again).unwrap());
}

/// Files that torch 2.15 wrote: `tests/torch/make.py`.
#[test]
fn what_torch_wrote_is_read() {
    let plain = pt::read(&fixture("state_dict.pt")).unwrap();
    let names: Vec<&str> = plain.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "0.weight",
            "0.bias",
            "1.weight",
            "1.bias",
            "1.running_mean",
            "1.running_var",
            "1.num_batches_tracked",
            "3.weight",
            "3.bias"
        ]
    );
    assert_eq!(plain[0].shape, [3, 2]);
    assert_eq!(plain[0].data, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(plain[6].data, [0.0]);
    for nested in ["checkpoint.pt", "parameters.pt", "shared.pt"] {
        let tensors = pt::read(&fixture(nested)).unwrap();
        let weight = tensors
            .iter()
            .find(|tensor| tensor.name == "0.weight")
            .unwrap();
        assert_eq!(weight.data, plain[0].data, "{nested}");
    }
    let transposed = pt::read(&fixture("transposed.pt")).unwrap();
    assert_eq!(transposed[0].data, [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
    assert_eq!(transposed[1].data, [1.5, -2.0]);
}

#[test]
fn a_pickle_that_would_run_something_is_refused_by_name() {
    for (name, global) in [
        ("malicious.pt", "posix.system"),
        ("whole_model.pt", "torch.nn.modules.container.Sequential"),
    ] {
        match pt::read(&fixture(name)).unwrap_err() {
            PtError::Global { global: found, .. } => assert_eq!(found, global, "{name}"),
            other => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn truncated_files_are_errors() {
    let bytes = std::fs::read(fixture("state_dict.pt")).unwrap();
    for length in 0..bytes.len() {
        assert!(pt::read_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
    let old = pt::read_bytes(b"\x80\x02\x8a\x0a\x6c\xfc").unwrap_err();
    assert!(old.contains("before torch 1.6"), "{old}");
}

proptest! {
    /// A flipped byte is an error or other numbers, never a panic.
    #[test]
    fn damaged_files_do_not_panic(at in 0usize..3000, bit in 0u8..8) {
        let mut bytes = std::fs::read(fixture("state_dict.pt")).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let _ = pt::read_bytes(&bytes);
    }
}

/// A data set keeps its types; `torch.load(…, weights_only=True)` gives a dict of uint8, int64 and float32.
#[test]
fn dictionaries_keep_their_types() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("images.pt");
    let typed = |name: &str, shape: &[usize], values| TypedTensor {
        name: name.to_owned(),
        shape: shape.to_vec(),
        values,
    };
    let tensors = vec![
        typed("images", &[2, 1, 2], Values::U8(vec![0, 1, 254, 255])),
        typed("labels", &[2], Values::I64(vec![-1, 1 << 40])),
        typed("weights", &[1], Values::F32(vec![0.5])),
    ];
    pt::write_dictionary(&path, &tensors).unwrap();
    assert_eq!(pt::read_dictionary(&path).unwrap(), tensors);
    let safe = folder.path().join("images.safetensors");
    safetensors::write_typed(&safe, &tensors, &serde_json::Value::Null).unwrap();
    let mut read = safetensors::read_typed(&safe).unwrap();
    read.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(read, tensors);
    let wrong = [typed("images", &[3], Values::U8(vec![0]))];
    assert!(matches!(
        pt::write_dictionary(&path, &wrong),
        Err(PtError::Shape { .. })
    ));
}

/// `artifact.pt` is torch's: a transposed view of bytes, int32 labels, and things that are no tensors
/// (`tests/torch/make.py`).
#[test]
fn dictionaries_of_torch_are_read_in_c_order() {
    let read = pt::read_dictionary(&fixture("artifact.pt")).unwrap();
    let [images, labels, floats] = read.as_slice() else {
        panic!("{read:?}");
    };
    assert_eq!(images.shape, [2, 3]);
    assert_eq!(images.values, Values::U8(vec![0, 2, 4, 1, 3, 5]));
    assert_eq!(labels.values, Values::I64(vec![7, -8]));
    assert_eq!(floats.values, Values::F32(vec![0.25, 0.75]));
}
