//! torch's state dicts: our own files, torch's files, and files of ill will.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use proptest::prelude::*;
use strata_tensorfile::{PtError, Tensor, pt};

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
