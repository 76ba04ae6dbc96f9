//! Lines of text on a canvas, as `scene` sets them: in the font that matplotlib uses by default.

use tiny_skia::{FillRule, Mask, Transform};

use crate::canvas::Canvas;
use crate::scene::png::path_of;
use crate::typeset::{Block, font};

/// Sets lines of text in one size.
pub(crate) struct Typesetter {
    /// Pixels of an em.
    em: f64,
}

impl Typesetter {
    /// `points` of 1/72 inch.
    pub(crate) fn new(points: f64, dpi: u32) -> Self {
        Self {
            em: points * f64::from(dpi) / 72.0,
        }
    }

    /// Pixels from the top of the line to its base.
    pub(crate) fn ascent(&self) -> f32 {
        (font::line().0 * self.em) as f32
    }

    /// Pixels from the top to the bottom of the line.
    pub(crate) fn height(&self) -> f32 {
        let (ascent, descent) = font::line();
        ((ascent + descent) * self.em) as f32
    }

    /// Pixels across.
    pub(crate) fn width(&self, text: &str) -> f32 {
        self.set(text).width as f32
    }

    /// The text, or as much of it with an ellipsis as is at most `width` pixels wide.
    pub(crate) fn fitted(&self, text: &str, width: f32) -> String {
        Block::plain(text, self.em, f64::from(width)).text
    }

    fn set(&self, text: &str) -> Block {
        Block::plain(text, self.em, f64::INFINITY)
    }

    /// Draws the text from `left` on with its base line at `base`.
    pub(crate) fn draw(&self, canvas: &mut Canvas, text: &str, left: f32, base: f32) {
        let block = self.set(text);
        // A little more than the text, since letters may go over their places.
        let (width, height) = (
            block.width + self.em,
            f64::from(self.height()) + self.em * 0.5,
        );
        let Some(mut mask) = Mask::new(width.ceil() as u32, height.ceil() as u32) else {
            return;
        };
        let (x0, y0) = (
            (f64::from(left) - self.em * 0.25).floor(),
            (f64::from(base - self.ascent()) - self.em * 0.25).floor(),
        );
        let (left, base) = (f64::from(left) - x0, f64::from(base) - y0);
        for glyph in &block.glyphs {
            let scale = glyph.size / font::units_per_em();
            let path = path_of(&font::outline(glyph.id), |(x, y)| {
                (left + glyph.x + x * scale, base + glyph.y - y * scale)
            });
            if let Some(path) = path {
                mask.fill_path(&path, FillRule::Winding, true, Transform::identity());
            }
        }
        let across = mask.width() as usize;
        for (index, coverage) in mask.data().iter().enumerate() {
            let (x, y) = ((index % across) as i64, (index / across) as i64);
            if *coverage > 0 {
                canvas.ink(x0 as i64 + x, y0 as i64 + y, f32::from(*coverage) / 255.0);
            }
        }
    }

    /// Draws the text around `middle`.
    pub(crate) fn draw_centred(&self, canvas: &mut Canvas, text: &str, middle: f32, base: f32) {
        self.draw(canvas, text, middle - self.width(text) / 2.0, base);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_with_an_ellipsis() {
        let text = Typesetter::new(12.0, 100);
        let cut = text.fitted("a title that is far too long", 80.0);
        assert!(cut.starts_with("a tit") && cut.ends_with('…'), "{cut}");
        assert!(text.width(&cut) <= 80.0);
        assert_eq!(text.fitted("abc", 1.0), "");
    }
}
