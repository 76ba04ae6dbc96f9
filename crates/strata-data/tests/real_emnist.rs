//! Real EMNIST images, where the development data lie beside the repository.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use strata_data::{DataRequest, Events, describe, load};

struct Silent;

impl Events for Silent {
    fn notice(&mut self, _: &str) {}

    fn progress(&mut self, _: u64, _: Option<u64>) {}

    fn interrupted(&self) -> bool {
        false
    }
}

#[test]
fn real_images_are_loaded_upright() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/emnist");
    if !root.exists() {
        eprintln!(
            "skipped: there are no real EMNIST images at {}",
            root.display()
        );
        return;
    }
    let request = DataRequest {
        root,
        split: "balanced".to_owned(),
        val_split: 0.1,
        seed: 1234,
        download: false,
        url: String::new(),
        md5: None,
        mlp_data_dir: None,
    };
    let splits = load(&request, &mut Silent).unwrap();
    assert_eq!(
        (splits.train.len(), splits.validation.len()),
        (103_486, 11_498)
    );
    let description = describe(&splits);
    assert!(
        description
            .train
            .class_counts
            .iter()
            .all(|&count| count > 0),
        "{:?}",
        description.train.class_counts
    );

    // The ink of an upright L is at the left and at the bottom.
    let l = splits
        .class_names
        .iter()
        .position(|name| name == "L")
        .unwrap() as u8;
    let (mut left, mut right, mut top, mut bottom) = (0_u64, 0_u64, 0_u64, 0_u64);
    for position in
        (0..splits.test.len()).filter(|&position| splits.test.labels().nth(position) == Some(l))
    {
        for (at, &pixel) in splits.test.pixels(position).iter().enumerate() {
            let ink = u64::from(pixel);
            *(if at % 28 < 14 { &mut left } else { &mut right }) += ink;
            *(if at / 28 < 14 { &mut top } else { &mut bottom }) += ink;
        }
    }
    assert!(left + bottom > right + top, "{left} {bottom} {right} {top}");
}
