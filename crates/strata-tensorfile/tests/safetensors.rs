//! The public face of the safetensors reader and writer.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use serde_json::{Value, json};
use strata_tensorfile::safetensors::{self, Tensor, TensorFileError};
use tempfile::TempDir;

fn tensor(name: &str, shape: &[usize], data: &[f32]) -> Tensor {
    Tensor {
        name: name.into(),
        shape: shape.into(),
        data: data.into(),
    }
}

fn file_with(folder: &TempDir, header: &str, data: &[u8]) -> PathBuf {
    let path = folder.path().join("x.safetensors");
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    fs_err::write(&path, bytes).unwrap();
    path
}

/// What is written is read back bit for bit, and the bytes are the same every time.
#[test]
fn round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let tensors = [
        tensor("a", &[2, 2], &[1.0, -0.0, f32::INFINITY, 1e-45]),
        tensor("b", &[], &[3.5]),
        tensor("c", &[0, 7], &[]),
    ];
    let metadata = json!({"epoch": 3, "loss": 0.1, "nested": {"words": ["ä", "\"quoted\""]}});
    let paths = ["1", "2"].map(|name| folder.path().join("deep").join(name));
    for path in &paths {
        safetensors::write(path, &tensors, &metadata).unwrap();
    }
    let (read, read_metadata) = safetensors::read(&paths[0]).unwrap();
    assert_eq!(read, tensors);
    assert!(read[0].data[1].is_sign_negative());
    assert_eq!(read_metadata, metadata);
    assert_eq!(
        fs_err::read(&paths[0]).unwrap(),
        fs_err::read(&paths[1]).unwrap()
    );
}

#[test]
fn bad_tensors_are_refused_and_the_old_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    safetensors::write(&path, &[tensor("a", &[1], &[1.0])], &Value::Null).unwrap();
    let before = fs_err::read(&path).unwrap();
    let wrong = safetensors::write(&path, &[tensor("a", &[2], &[1.0])], &Value::Null);
    assert!(matches!(wrong, Err(TensorFileError::Shape { .. })));
    let twice = [tensor("a", &[1], &[1.0]), tensor("a", &[1], &[2.0])];
    let twice = safetensors::write(&path, &twice, &Value::Null);
    assert!(matches!(twice, Err(TensorFileError::Duplicate { .. })));
    assert_eq!(fs_err::read(&path).unwrap(), before);
}

/// Every prefix of a file, and the file with a byte more, is an error that names the file.
#[test]
fn truncated_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    safetensors::write(&path, &[tensor("a", &[2], &[1.0, 2.0])], &json!(1)).unwrap();
    let mut whole = fs_err::read(&path).unwrap();
    for n in 0..whole.len() {
        fs_err::write(&path, &whole[..n]).unwrap();
        let message = safetensors::read(&path).unwrap_err().to_string();
        assert!(message.contains("m.safetensors"), "{message}");
    }
    whole.push(0);
    fs_err::write(&path, &whole).unwrap();
    assert!(safetensors::read(&path).is_err());
}

#[test]
fn overlaps_huge_shapes_and_other_types_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let overlapping = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#;
    let huge = r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,2],"data_offsets":[0,12]}}"#;
    for header in [overlapping, huge, "{", "[]", r#"{"a":1}"#] {
        let error = safetensors::read(&file_with(&folder, header, &[0; 12])).unwrap_err();
        assert!(
            matches!(error, TensorFileError::Format { .. }),
            "{header}: {error}"
        );
    }
    let double = r#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#;
    let error = safetensors::read(&file_with(&folder, double, &[0; 8])).unwrap_err();
    assert!(matches!(error, TensorFileError::Dtype { .. }), "{error}");
    assert!(error.to_string().contains("F64"), "{error}");
}

#[test]
fn a_file_of_another_program_has_no_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let header =
        r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let path = file_with(&folder, header, &1.5_f32.to_le_bytes());
    let (tensors, metadata) = safetensors::read(&path).unwrap();
    assert_eq!(tensors, [tensor("a", &[1], &[1.5])]);
    assert_eq!(metadata, Value::Null);
}

/// A header and the bytes after it.
fn file(header: &serde_json::Value, data: usize) -> Vec<u8> {
    let header = header.to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(vec![0; data]);
    bytes
}

#[test]
fn overlapping_and_huge_tensors_are_refused() {
    let tensor = |shape: &[u64], from: u64, to: u64| serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [from, to]});
    for (what, header, data) in [
        (
            "overlapping",
            serde_json::json!({"a": tensor(&[4], 0, 16), "b": tensor(&[4], 8, 24)}),
            24,
        ),
        (
            "huge",
            serde_json::json!({"a": tensor(&[1 << 40, 1 << 40], 0, 16)}),
            16,
        ),
        (
            "beyond the file",
            serde_json::json!({"a": tensor(&[1 << 40], 0, 1 << 42)}),
            16,
        ),
        (
            "another size",
            serde_json::json!({"a": tensor(&[3], 0, 16)}),
            16,
        ),
    ] {
        let path = std::path::Path::new("model.safetensors");
        let error = safetensors::read_bytes(path, &file(&header, data)).expect_err(what);
        assert!(
            error.to_string().contains("model.safetensors"),
            "{what}: {error}"
        );
    }
    // A header that claims more bytes than there could be.
    let mut bytes = file(&serde_json::json!({}), 0);
    bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(safetensors::read_bytes(std::path::Path::new("x"), &bytes).is_err());
}
