//! One image of a figure.

use crate::FigureError;

/// One gray image with a title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// `width · height` values, row by row from the top; 0 is black, 255 white, whatever the range in the image.
    pub pixels: Vec<u8>,
    /// Pixels across, at least 1.
    pub width: usize,
    /// Pixels down, at least 1.
    pub height: usize,
    /// The line above the image; may be empty.
    pub title: String,
}

impl Tile {
    pub(crate) fn check(&self, index: usize) -> Result<(), FigureError> {
        let needed = self.width.checked_mul(self.height);
        if needed == Some(self.pixels.len()) && !self.pixels.is_empty() {
            return Ok(());
        }
        Err(FigureError::WrongPixels {
            index,
            pixels: self.pixels.len(),
            width: self.width,
            height: self.height,
        })
    }
}
