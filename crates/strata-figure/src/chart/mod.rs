//! Charts as SVG: plain elements, no script, no style sheet, equal charts are equal texts.
//!
//! * [`Chart`]: lines and points between two axes.
//! * [`Bars`]: horizontal bars in groups. [`HeatMap`]: a table of numbers in shades, for confusion matrices.
//!
//! Each is laid out from its texts (set in matplotlib's font) to a frame with title,
//! ticks, grid and legend, and written by `svg`. Lengths are pixels; coordinates are rounded to two decimals.

mod bars;
mod frame;
mod heat_map;
mod lines;
mod palette;
mod smooth;
mod svg;
mod ticks;

pub use bars::{BarGroup, Bars};
pub use heat_map::HeatMap;
pub use lines::{Chart, Mark, Series};
pub use smooth::smoothed;
pub use svg::escaped;
