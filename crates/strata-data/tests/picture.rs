//! Pictures of the user's.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use strata_data::read_picture;

fn write_png(
    folder: &Path,
    width: u32,
    height: u32,
    color: png::ColorType,
    pixels: &[u8],
) -> PathBuf {
    let path = folder.join("picture.png");
    let mut encoder = png::Encoder::new(std::fs::File::create(&path).unwrap(), width, height);
    encoder.set_color(color);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(pixels)
        .unwrap();
    path
}

#[test]
fn a_picture_of_the_right_size_is_used_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut pixels = vec![0; 784];
    pixels[14 * 28 + 10] = 200;
    let path = write_png(folder.path(), 28, 28, png::ColorType::Grayscale, &pixels);
    assert_eq!(read_picture(&path).unwrap().to_vec(), pixels);
}

#[test]
fn dark_ink_on_light_paper_is_cut_inverted_and_centred() {
    let folder = tempfile::tempdir().unwrap();
    let (width, height) = (300, 200);
    let mut pixels = vec![255_u8; width * height * 3];
    for row in 20..140 {
        for column in 200..240 {
            pixels[(row * width + column) * 3..][..3].fill(10);
        }
    }
    let path = write_png(
        folder.path(),
        width as u32,
        height as u32,
        png::ColorType::Rgb,
        &pixels,
    );
    let image = read_picture(&path).unwrap();
    let ink: Vec<(usize, usize)> = (0..784)
        .filter(|&at| image[at] > 128)
        .map(|at| (at / 28, at % 28))
        .collect();
    let rows = (
        ink.iter().map(|p| p.0).min().unwrap(),
        ink.iter().map(|p| p.0).max().unwrap(),
    );
    let columns = (
        ink.iter().map(|p| p.1).min().unwrap(),
        ink.iter().map(|p| p.1).max().unwrap(),
    );
    assert_eq!(rows, (2, 25), "the longer side fills 24 pixels");
    assert_eq!(
        columns,
        (10, 17),
        "the shorter one keeps the proportion and is centred"
    );
}

#[test]
fn blank_and_broken_pictures_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_png(folder.path(), 40, 40, png::ColorType::Grayscale, &[0; 1600]);
    assert!(
        read_picture(&path)
            .unwrap_err()
            .to_string()
            .contains("shows nothing")
    );
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(
        read_picture(&path)
            .unwrap_err()
            .to_string()
            .contains("picture.png")
    );
    assert!(
        read_picture(&folder.path().join("absent.png"))
            .unwrap_err()
            .to_string()
            .contains("absent.png")
    );
}
