//! The course's npz files.

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::Path;

use strata_data::{DataRequest, Events, Splits, load};
use zip::write::{SimpleFileOptions, ZipWriter};

struct Silent;

impl Events for Silent {
    fn notice(&mut self, _: &str) {}

    fn progress(&mut self, _: u64, _: Option<u64>) {}

    fn interrupted(&self) -> bool {
        false
    }
}

fn npy(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(bytes);
    file
}

/// `n` images whose pixels are all `pixel`, with label `label`.
fn write_npz(path: &Path, n: usize, pixel: f32, label: i64) {
    let inputs: Vec<u8> = std::iter::repeat_n(pixel.to_le_bytes(), n * 784)
        .flatten()
        .collect();
    let targets: Vec<u8> = std::iter::repeat_n(label.to_le_bytes(), n)
        .flatten()
        .collect();
    let mut zip = ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, bytes) in [
        ("inputs.npy", npy("<f4", &format!("({n}, 28, 28)"), &inputs)),
        ("targets.npy", npy("<i8", &format!("({n},)"), &targets)),
    ] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap();
}

fn load_from(root: &Path, mlp_data_dir: Option<&Path>) -> Result<Splits, strata_data::DataError> {
    let request = DataRequest {
        root: root.to_owned(),
        split: "balanced".to_owned(),
        val_split: 0.1,
        seed: 1,
        download: false,
        url: String::new(),
        md5: None,
        mlp_data_dir: mlp_data_dir.map(Path::to_owned),
    };
    load(&request, &mut Silent)
}

#[test]
fn the_three_files_are_the_three_parts_and_pixels_of_either_range_are_understood() {
    let folder = tempfile::tempdir().unwrap();
    write_npz(&folder.path().join("emnist-train.npz"), 3, 255.0, 46);
    write_npz(&folder.path().join("emnist-valid.npz"), 2, 1.0, 0);
    write_npz(&folder.path().join("emnist-test.npz"), 1, 128.0, 7);
    let empty = tempfile::tempdir().unwrap();
    for splits in [
        load_from(folder.path(), None),
        load_from(empty.path(), Some(folder.path())),
    ] {
        let splits = splits.unwrap();
        assert_eq!(
            (
                splits.train.len(),
                splits.validation.len(),
                splits.test.len()
            ),
            (3, 2, 1)
        );
        assert_eq!(
            (
                splits.train.pixels(0)[0],
                splits.validation.pixels(0)[0],
                splits.test.pixels(0)[0]
            ),
            (255, 255, 128)
        );
        assert_eq!(splits.train.labels().collect::<Vec<_>>(), [46, 46, 46]);
    }
}

#[test]
fn a_missing_file_and_a_label_out_of_range_are_named() {
    let folder = tempfile::tempdir().unwrap();
    write_npz(&folder.path().join("emnist-train.npz"), 3, 255.0, 46);
    let error = load_from(folder.path(), None).unwrap_err().to_string();
    assert!(error.contains("emnist-valid.npz"), "{error}");
    write_npz(&folder.path().join("emnist-valid.npz"), 1, 1.0, 47);
    write_npz(&folder.path().join("emnist-test.npz"), 1, 1.0, 0);
    let error = load_from(folder.path(), None).unwrap_err().to_string();
    assert!(
        error.contains("emnist-valid.npz") && error.contains("47"),
        "{error}"
    );
}

#[test]
fn a_truncated_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["train", "valid", "test"] {
        write_npz(
            &folder.path().join(format!("emnist-{part}.npz")),
            2,
            200.0,
            1,
        );
    }
    let path = folder.path().join("emnist-test.npz");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = load_from(folder.path(), None).unwrap_err().to_string();
    assert!(error.contains("emnist-test.npz"), "{error}");
}
