//! Text: from characters to placed glyphs.
//!
//! * [`math`] reads matplotlib's `$…$` to characters with levels: superscripts, subscripts, Greek letters, signs.
//! * [`Block`] sets them in lines: kerned, wrapped at a width or cut with an ellipsis.
//! * [`font`] has the metrics and the outlines of the one font.

mod block;
pub(crate) mod font;
mod math;

pub(crate) use block::{Align, Block, Glyph};
