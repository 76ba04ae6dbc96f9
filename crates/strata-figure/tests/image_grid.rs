//! Grids and contact sheets, decoded again.
#![allow(clippy::unwrap_used, clippy::naive_bytecount)]

use strata_figure::{ContactSheet, FigureError, ImageGrid, SheetRow, Tile};

fn tile(value: u8, title: &str) -> Tile {
    Tile {
        pixels: vec![value; 28 * 28],
        width: 28,
        height: 28,
        title: title.to_owned(),
    }
}

struct Decoded {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
    software: Option<String>,
    per_metre: u32,
}

fn decode(bytes: &[u8]) -> Decoded {
    let decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    let info = reader.info();
    Decoded {
        width: info.width as usize,
        height: info.height as usize,
        pixels,
        software: info
            .uncompressed_latin1_text
            .iter()
            .find(|chunk| chunk.keyword == "Software")
            .map(|chunk| chunk.text.clone()),
        per_metre: info.pixel_dims.unwrap().xppu,
    }
}

/// As matplotlib's `figsize=(8, 8)` at `dpi=200`.
#[test]
fn sixteen_images_are_eight_by_eight_inches() {
    let tiles = (0..16).map(|i| tile(100, &i.to_string())).collect();
    let png = decode(&ImageGrid::square(tiles, 200).to_png().unwrap());
    assert_eq!((png.width, png.height), (1600, 1600));
    assert_eq!(png.software.as_deref(), Some("strata"));
    assert_eq!(png.per_metre, 7874);
    let of_images = png.pixels.iter().filter(|&&pixel| pixel == 100).count();
    assert!(of_images >= 16 * (28 * 11) * (28 * 11), "{of_images}");
}

#[test]
fn every_pixel_of_an_image_is_a_square_of_one_size() {
    let mut one = tile(255, "");
    one.pixels[0] = 7;
    one.pixels[28 * 28 - 1] = 9;
    let png = decode(&ImageGrid::square(vec![one], 100).to_png().unwrap());
    assert_eq!((png.width, png.height), (200, 200));
    let side = 28 * 5;
    let factor = 5;
    let first = png.pixels.iter().position(|&pixel| pixel == 7).unwrap();
    let last = png.pixels.iter().rposition(|&pixel| pixel == 9).unwrap();
    let count = |value| png.pixels.iter().filter(|&&pixel| pixel == value).count();
    assert_eq!((count(7), count(9)), (factor * factor, factor * factor));
    assert_eq!(last % 200 - first % 200 + 1, side);
    assert_eq!(last / 200 - first / 200 + 1, side);
}

#[test]
fn titles_stay_in_their_cell_and_off_the_image() {
    let long = "a title of many words that never fits above an image of two inches";
    let tiles = vec![tile(255, ""), tile(255, long), tile(255, "")];
    let grid = ImageGrid {
        tiles,
        columns: 3,
        dpi: 100,
        title: None,
    };
    let png = decode(&grid.to_png().unwrap());
    let dark: Vec<usize> = (0..png.pixels.len())
        .filter(|&i| png.pixels[i] < 200)
        .collect();
    assert!(!dark.is_empty());
    assert!(dark.iter().all(|i| (200..400).contains(&(i % 600))));
    assert!(dark.iter().all(|i| i / 600 < 28));
}

#[test]
fn a_last_row_may_be_short() {
    let grid = |n: usize, columns| ImageGrid {
        tiles: vec![tile(0, "x"); n],
        columns,
        dpi: 50,
        title: None,
    };
    let size = |grid: ImageGrid| {
        let png = decode(&grid.to_png().unwrap());
        (png.width, png.height)
    };
    assert_eq!(size(grid(5, 4)), (400, 200));
    assert_eq!(size(grid(1, 4)), (100, 100));
    assert_eq!(ImageGrid::square(vec![tile(0, ""); 5], 50).columns, 3);
}

#[test]
fn what_cannot_be_drawn_is_an_error() {
    let empty = ImageGrid::square(Vec::new(), 100).to_png();
    assert!(matches!(empty, Err(FigureError::Empty)));
    let mut grid = ImageGrid::square(vec![tile(0, "")], 100);
    grid.tiles[0].width = 27;
    assert!(matches!(
        grid.to_png(),
        Err(FigureError::WrongPixels { index: 0, .. })
    ));
    grid.tiles[0] = Tile {
        pixels: Vec::new(),
        width: 0,
        height: 0,
        title: String::new(),
    };
    assert!(matches!(
        grid.to_png(),
        Err(FigureError::WrongPixels { .. })
    ));
    grid.tiles[0] = tile(0, "");
    for dpi in [0, u32::MAX] {
        grid.dpi = dpi;
        assert!(
            matches!(grid.to_png(), Err(FigureError::Size { .. })),
            "{dpi}"
        );
    }
    grid.columns = 0;
    assert!(matches!(grid.to_png(), Err(FigureError::NoColumns)));
}

#[test]
fn any_dpi_draws() {
    for dpi in 1..60 {
        let mut grid = ImageGrid::square(vec![tile(0, "title"); 3], dpi);
        grid.title = Some("漢字\n".to_owned());
        assert_eq!(decode(&grid.to_png().unwrap()).width, 4 * dpi as usize);
    }
}

#[test]
fn a_contact_sheet_has_a_row_for_each_class() {
    let rows = (0..47).map(|class| SheetRow {
        label: format!("class {class}"),
        tiles: vec![tile(100, "not drawn"); 10],
    });
    let mut sheet = ContactSheet {
        rows: rows.collect(),
        dpi: 200,
        title: None,
    };
    let bytes = sheet.to_png().unwrap();
    let png = decode(&bytes);
    assert_eq!(png.height, 30 + 47 * 90 + 30);
    let of_images = png.pixels.iter().filter(|&&pixel| pixel == 100).count();
    assert!(of_images >= 470 * 84 * 84);
    assert_eq!(bytes, sheet.to_png().unwrap());
    sheet.rows.iter_mut().for_each(|row| row.tiles.clear());
    assert!(matches!(sheet.to_png(), Err(FigureError::Empty)));
}
