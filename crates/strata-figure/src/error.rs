//! What can be wrong with a figure.

/// Why a figure could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// Nothing to draw.
    #[error("a figure needs at least one image")]
    Empty,
    /// No columns.
    #[error("a grid needs at least one column")]
    NoColumns,
    /// Pixels and size of an image do not agree.
    #[error("image {index} has {pixels} pixels, but is {width} x {height}")]
    WrongPixels {
        /// Which image, from 0 in reading order.
        index: usize,
        /// Pixels given.
        pixels: usize,
        /// Width said.
        width: usize,
        /// Height said.
        height: usize,
    },
    /// Too small or too large to draw.
    #[error(
        "a figure of {width:.0} x {height:.0} pixels cannot be drawn (1 to {limit} a side, {area} in all); change `dpi` or the number of images"
    )]
    Size {
        /// Pixels across.
        width: f64,
        /// Pixels down.
        height: f64,
        /// The most a side may have.
        limit: usize,
        /// The most that there may be in all.
        area: usize,
    },
    /// The font could not be cut to the letters of a figure.
    #[error("cannot embed the font: {0}")]
    Font(String),
    /// The PNG encoder refused.
    #[error("cannot encode the PNG: {0}")]
    Png(#[from] png::EncodingError),
}
