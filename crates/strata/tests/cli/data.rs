//! Data that is missing or damaged, and the commands that look at it.

use std::fs;

use crate::project::{Project, idx_header};

const IMAGES: &str = "data/EMNIST/raw/emnist-balanced-train-images-idx3-ubyte";
const LABELS: &str = "data/EMNIST/raw/emnist-balanced-train-labels-idx1-ubyte";

#[test]
fn without_data_and_network_the_way_out_is_named() {
    let project = Project::new();
    // Nothing listens on port 1.
    project
        .strata(&[
            "train",
            "data.root=nowhere",
            "data.url=http://127.0.0.1:1/gzip.zip",
        ])
        .ends_with(1)
        .says(&["nowhere", "strata data fetch", "data=glyphs"]);
}

#[test]
fn damaged_files_are_named_and_left_as_they_are() {
    let project = Project::with_images();
    let (images, labels) = (
        fs::read(project.path(IMAGES)).unwrap(),
        fs::read(project.path(LABELS)).unwrap(),
    );
    let mut wrong_magic = images.clone();
    wrong_magic[3] = 9;
    let mut out_of_range = labels.clone();
    out_of_range[8 + 5] = 47;
    let mut too_few = idx_header(0x0801, &[labels.len() - 9]);
    too_few.extend(&labels[8..labels.len() - 1]);
    for (file, damaged, said) in [
        (
            IMAGES,
            images[..images.len() / 2].to_vec(),
            "train-images-idx3-ubyte",
        ),
        (IMAGES, wrong_magic, "magic"),
        (LABELS, out_of_range, "47"),
        (LABELS, too_few, "labels"),
        (IMAGES, Vec::new(), "train-images-idx3-ubyte"),
    ] {
        fs::write(project.path(IMAGES), &images).unwrap();
        fs::write(project.path(LABELS), &labels).unwrap();
        fs::write(project.path(file), &damaged).unwrap();
        project.train(&[]).ends_with(1).says(&[said]);
        assert_eq!(
            fs::read(project.path(file)).unwrap(),
            damaged,
            "{said}: the file was written over"
        );
    }
}

#[test]
fn info_counts_classes() {
    let project = Project::with_images();
    let info = project.strata(&["data", "info", "--json"]).ends_with(0);
    let info: serde_json::Value = serde_json::from_str(&info.stdout).expect("JSON");
    assert_eq!(info["train"]["images"], 846);
    assert_eq!(info["validation"]["images"], 94);
    assert_eq!(info["test"]["images"], 188);
    project
        .strata(&["data", "info"])
        .ends_with(0)
        .says(&["846", "188"]);
}

#[test]
fn show_draws_a_contact_sheet() {
    let project = Project::with_images();
    project
        .strata(&["data", "show", "--output", "sheet.png", "--per-class", "5"])
        .ends_with(0);
    let bytes = fs::read(project.path("sheet.png")).unwrap();
    let decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    let reader = decoder.read_info().expect("a PNG");
    assert!(reader.info().height > 47 * 28);
}
