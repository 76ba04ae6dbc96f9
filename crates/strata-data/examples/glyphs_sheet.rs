//! A contact sheet of the glyphs: one line for each class.
//!
//! `cargo run --release -p strata-data --example glyphs_sheet -- sheet.png [COLUMNS] [SEED]`

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;

use strata_data::glyphs::{CLASSES, GlyphsConfig, Images, generate};

const SIDE: usize = 28;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments
        .next()
        .ok_or("usage: glyphs_sheet sheet.png [COLUMNS] [SEED]")?;
    let columns: usize = arguments.next().map_or(Ok(40), |text| text.parse())?;
    let seed: u64 = arguments.next().map_or(Ok(0), |text| text.parse())?;
    let glyphs = generate(&GlyphsConfig {
        seed,
        train_per_class: columns,
        test_per_class: 0,
        ..GlyphsConfig::default()
    })?;
    write_png(&path, columns * SIDE, &sheet(&glyphs.train, columns))
}

/// The pictures side by side, `columns` for each class.
fn sheet(images: &Images, columns: usize) -> Vec<u8> {
    let width = columns * SIDE;
    let mut sheet = vec![0; CLASSES.len() * SIDE * width];
    let mut filled = [0; CLASSES.len()];
    for (picture, &label) in images.pixels.chunks_exact(SIDE * SIDE).zip(&images.labels) {
        let class = usize::from(label);
        let corner = class * SIDE * width + filled[class] * SIDE;
        for (y, row) in picture.chunks_exact(SIDE).enumerate() {
            sheet[corner + y * width..][..SIDE].copy_from_slice(row);
        }
        filled[class] += 1;
    }
    sheet
}

fn write_png(path: &str, width: usize, pixels: &[u8]) -> Result<(), Box<dyn Error>> {
    let height = pixels.len() / width.max(1);
    let file = BufWriter::new(File::create(path)?);
    let mut encoder = png::Encoder::new(file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(pixels)?;
    Ok(())
}
