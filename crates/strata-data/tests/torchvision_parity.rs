//! Changes of images at fixed parameters, against torchvision on PIL images.
//!
//! The cases lie in `conformance/nn/torchvision_cases.jsonl`, or in the folder that `STRATA_NN_CASES` names.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use strata_data::transforms::{Crop, InverseAffine, Pixels, flip_horizontally};

#[derive(Deserialize)]
struct Case {
    op: String,
    params: Value,
    input: String,
    output: String,
}

impl Case {
    fn number(&self, key: &str) -> f64 {
        let value = self.params[key].as_f64();
        value.unwrap_or_else(|| panic!("{}: `{key}` is no number", self.op))
    }

    fn whole(&self, key: &str) -> usize {
        self.number(key) as usize
    }

    fn or(&self, key: &str, default: f64) -> f64 {
        self.params.get(key).map_or(default, |_| self.number(key))
    }

    /// The changed image, and by how much a pixel may be off.
    fn run(&self) -> (Pixels, u8) {
        let from = pixels(&self.input);
        let mut to = [0; 784];
        match self.op.as_str() {
            "rotate" => InverseAffine::rotation(self.number("angle")).nearest(&from, &mut to),
            "rotate_bilinear" => {
                InverseAffine::rotation(self.number("angle")).bilinear(&from, &mut to);
                return (to, 1);
            }
            "translate" | "shear" | "scale" | "affine" => InverseAffine::new(
                self.or("angle", 0.0),
                [self.or("dx", 0.0), self.or("dy", 0.0)],
                self.or("scale", 1.0),
                [self.or("shear_x", 0.0), self.or("shear_y", 0.0)],
            )
            .nearest(&from, &mut to),
            "hflip" => {
                to = from;
                flip_horizontally(&mut to);
            }
            "resized_crop" => {
                let [top, left, height, width] =
                    ["top", "left", "height", "width"].map(|key| self.whole(key));
                let crop = Crop::new(top, left, height, width).expect("within the image");
                crop.resized(&from, &mut to);
                return (to, 1);
            }
            other => panic!("no such operation: `{other}`"),
        }
        (to, 0)
    }
}

fn pixels(hex: &str) -> Pixels {
    let digits = hex.as_bytes().as_chunks::<2>().0;
    let bytes = digits.iter().map(|pair| {
        let text = std::str::from_utf8(pair).unwrap();
        u8::from_str_radix(text, 16).unwrap()
    });
    bytes.collect::<Vec<u8>>().try_into().expect("784 pixels")
}

#[test]
fn images_change_as_in_torchvision() {
    let folder = std::env::var_os("STRATA_NN_CASES").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance/nn"),
        PathBuf::from,
    );
    let path = folder.join("torchvision_cases.jsonl");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (mut cases, mut exact) = (0, 0);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let case: Case = serde_json::from_str(line).unwrap();
        let (found, tolerance) = case.run();
        let expected = pixels(&case.output);
        let worst = found
            .iter()
            .zip(&expected)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        let worst = worst.unwrap();
        assert!(
            worst <= tolerance,
            "line {}: {} {}: a pixel is off by {worst}",
            cases + 1,
            case.op,
            case.params
        );
        cases += 1;
        exact += usize::from(worst == 0);
    }
    assert!(cases > 0, "{} holds no cases", path.display());
    println!("{cases} cases, {exact} of them byte for byte");
}
