//! Lines of text in the font that matplotlib uses by default.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};

use crate::canvas::Canvas;

static DEJAVU_SANS: &[u8] = include_bytes!("../assets/DejaVuSans-subset.ttf");

/// What stands for a character that the font does not have.
const REPLACEMENT: char = '\u{FFFD}';
const ELLIPSIS: char = '…';

/// Sets lines of text in one size.
pub(crate) struct Typesetter {
    font: FontRef<'static>,
    scale: PxScale,
}

impl Typesetter {
    /// `points` of 1/72 inch.
    pub(crate) fn new(points: f64, dpi: u32) -> Self {
        let font = FontRef::try_from_slice(DEJAVU_SANS)
            .expect("the font in the program is whole, which a test shows");
        let em_px = (points * f64::from(dpi) / 72.0) as f32;
        // `PxScale` is the height from descent to ascent, not the em.
        let em = font.units_per_em().unwrap_or(2048.0);
        let scale = PxScale::from(em_px * font.height_unscaled() / em);
        Self { font, scale }
    }

    /// Pixels from the top of the line to its base.
    pub(crate) fn ascent(&self) -> f32 {
        self.font.as_scaled(self.scale).ascent()
    }

    /// Pixels from the top to the bottom of the line.
    pub(crate) fn height(&self) -> f32 {
        self.font.as_scaled(self.scale).height()
    }

    /// Pixels across.
    pub(crate) fn width(&self, text: &str) -> f32 {
        let font = self.font.as_scaled(self.scale);
        text.chars()
            .map(|character| font.h_advance(font.glyph_id(self.drawable(character))))
            .sum()
    }

    /// The text, or as much of it with an ellipsis as is at most `width` pixels wide.
    pub(crate) fn fitted(&self, text: &str, width: f32) -> String {
        if self.width(text) <= width {
            return text.to_owned();
        }
        let font = self.font.as_scaled(self.scale);
        let advance = |letter| font.h_advance(font.glyph_id(self.drawable(letter)));
        let room = width - advance(ELLIPSIS);
        if room < 0.0 {
            return String::new();
        }
        let mut used = 0.0;
        let kept = text.chars().take_while(|&letter| {
            used += advance(letter);
            used <= room
        });
        kept.chain([ELLIPSIS]).collect()
    }

    /// Draws the text from `left` on with its base line at `base`.
    pub(crate) fn draw(&self, canvas: &mut Canvas, text: &str, left: f32, base: f32) {
        let font = self.font.as_scaled(self.scale);
        let mut x = left;
        for character in text.chars() {
            let id = font.glyph_id(self.drawable(character));
            let glyph = id.with_scale_and_position(self.scale, point(x, base));
            x += font.h_advance(id);
            let Some(outline) = self.font.outline_glyph(glyph) else {
                continue;
            };
            let bounds = outline.px_bounds();
            let (x0, y0) = (bounds.min.x as i64, bounds.min.y as i64);
            outline.draw(|dx, dy, coverage| {
                canvas.ink(x0 + i64::from(dx), y0 + i64::from(dy), coverage);
            });
        }
    }

    /// Draws the text around `middle`.
    pub(crate) fn draw_centred(&self, canvas: &mut Canvas, text: &str, middle: f32, base: f32) {
        self.draw(canvas, text, middle - self.width(text) / 2.0, base);
    }

    fn drawable(&self, character: char) -> char {
        if character.is_control() {
            ' '
        } else if self.font.glyph_id(character).0 == 0 {
            REPLACEMENT
        } else {
            character
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_what_it_should() {
        let text = Typesetter::new(12.0, 100);
        for character in (' '..='~').chain("äéøß×αβγΩ…≤≥∞→".chars()) {
            assert_eq!(text.drawable(character), character);
        }
        assert_eq!(text.drawable('漢'), REPLACEMENT);
        assert_eq!(text.drawable('\n'), ' ');
    }

    #[test]
    fn what_is_too_long_is_cut_with_an_ellipsis() {
        let text = Typesetter::new(12.0, 100);
        let cut = text.fitted("a title that is far too long", 80.0);
        assert!(cut.starts_with("a tit") && cut.ends_with('…'), "{cut}");
        assert!(text.width(&cut) <= 80.0);
        assert_eq!(text.fitted("abc", 1.0), "");
    }
}
