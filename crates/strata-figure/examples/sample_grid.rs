//! Writes a sample grid and a contact sheet into the directory given: `cargo run --example sample_grid -- DIR`.

use std::error::Error;
use std::path::PathBuf;

use strata_figure::{ContactSheet, ImageGrid, SheetRow, Tile};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(std::env::args_os().nth(1).ok_or("give a directory")?);
    let mut grid = ImageGrid::square(
        (0..16).map(|i| ring(i, format!("Label: {i}"))).collect(),
        200,
    );
    grid.title = Some("Samples, epoch 0 (gÄpqy, α ≤ β)".to_owned());
    std::fs::write(directory.join("grid.png"), grid.to_png()?)?;

    let rows = (0..47).map(|class| SheetRow {
        label: format!("class {class}"),
        tiles: (0..10).map(|i| ring(class + i, String::new())).collect(),
    });
    let sheet = ContactSheet {
        rows: rows.collect(),
        dpi: 100,
        title: Some("Contact sheet".to_owned()),
    };
    std::fs::write(directory.join("sheet.png"), sheet.to_png()?)?;
    Ok(())
}

/// A white ring on black, larger with `n`.
fn ring(n: usize, title: String) -> Tile {
    let radius = 3.0 + (n % 10) as f64;
    let pixels = (0..28 * 28).map(|i| {
        let (x, y) = (f64::from(i % 28) - 13.5, f64::from(i / 28) - 13.5);
        let distance = (x * x + y * y).sqrt() - radius;
        (255.0 * (1.5 - distance.abs()).clamp(0.0, 1.0)) as u8
    });
    Tile {
        pixels: pixels.collect(),
        width: 28,
        height: 28,
        title,
    }
}
