//! Figures: image grids as PNG.
//!
//! * [`ImageGrid`]: images with a title above each, in matplotlib's look (`subplots`, `imshow(cmap="gray")`, axes off).
//! * [`ContactSheet`]: many small images, a row for each class.
//!
//! Both are laid out in inches, drawn on a gray canvas, and become the bytes of a PNG; equal figures are equal bytes.

mod canvas;
mod contact_sheet;
mod error;
mod image_grid;
mod text;
mod tile;

pub use contact_sheet::{ContactSheet, SheetRow};
pub use error::FigureError;
pub use image_grid::ImageGrid;
pub use tile::Tile;
