//! The font that matplotlib uses by default, `DejaVu Sans`: its metrics and outlines.

use std::sync::LazyLock;

use ttf_parser::{Face, GlyphId, OutlineBuilder};

use crate::scene::{Path, Segment};

/// The font's file, which the PDF embeds a part of.
pub(crate) static DATA: &[u8] = include_bytes!("../../assets/DejaVuSans-subset.ttf");

/// What stands for a character that the font does not have.
const REPLACEMENT: char = '\u{FFFD}';

static FACE: LazyLock<Face<'static>> = LazyLock::new(|| {
    Face::parse(DATA, 0).expect("the font in the program is whole, which a test shows")
});

/// Parts of an em that a line takes above and below its base: the ascender of `l` and the descender of `p`.
pub(crate) const ASCENT: f64 = 0.76;
pub(crate) const DESCENT: f64 = 0.21;
/// Parts of an em from the base to the top of a digit.
pub(crate) const DIGIT_HEIGHT: f64 = 0.729;

/// How far a variable leans: the sine of `DejaVu Sans Oblique`'s angle of 11 degrees.
pub(crate) const LEAN: f64 = 0.19;

/// The glyph of a character.
pub(crate) fn glyph(character: char) -> u16 {
    let shown = if character.is_control() {
        ' '
    } else {
        character
    };
    FACE.glyph_index(shown)
        .or_else(|| FACE.glyph_index(REPLACEMENT))
        .map_or(0, |id| id.0)
}

/// Font units of an em.
pub(crate) fn units_per_em() -> f64 {
    f64::from(FACE.units_per_em())
}

/// How far the pen moves, in font units.
pub(crate) fn advance_units(glyph: u16) -> f64 {
    f64::from(FACE.glyph_hor_advance(GlyphId(glyph)).unwrap_or(0))
}

/// How far the pen moves, in ems.
pub(crate) fn advance(glyph: u16) -> f64 {
    advance_units(glyph) / units_per_em()
}

/// What a pair of glyphs is moved together or apart by, in ems.
pub(crate) fn kerning(left: u16, right: u16) -> f64 {
    let pair = FACE
        .tables()
        .kern
        .into_iter()
        .flat_map(|table| table.subtables.into_iter())
        .filter(|table| table.horizontal && !table.has_state_machine)
        .find_map(|table| table.glyphs_kerning(GlyphId(left), GlyphId(right)));
    f64::from(pair.unwrap_or(0)) / units_per_em()
}

/// The outline in font units, y upwards; empty for a space.
pub(crate) fn outline(glyph: u16) -> Path {
    let mut pen = Pen(Path::default());
    let _ = FACE.outline_glyph(GlyphId(glyph), &mut pen);
    pen.0
}

/// How far lines go above and below their base if no letter of another line is to touch them, in ems.
pub(crate) fn line() -> (f64, f64) {
    (
        f64::from(FACE.ascender()) / units_per_em(),
        -f64::from(FACE.descender()) / units_per_em(),
    )
}

/// Measures of the whole font for its description in a PDF, in font units: box, ascender, descender, height of capitals.
pub(crate) fn description() -> ([f64; 4], f64, f64, f64) {
    let area = FACE.global_bounding_box();
    (
        [area.x_min, area.y_min, area.x_max, area.y_max].map(f64::from),
        f64::from(FACE.ascender()),
        f64::from(FACE.descender()),
        f64::from(FACE.capital_height().unwrap_or(1493)),
    )
}

struct Pen(Path);

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.0.push(Segment::Move((x.into(), y.into())));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.0.push(Segment::Line((x.into(), y.into())));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let control = (x1.into(), y1.into());
        self.0.0.push(Segment::Quad(control, (x.into(), y.into())));
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.0.push(Segment::Cubic(
            (x1.into(), y1.into()),
            (x2.into(), y2.into()),
            (x.into(), y.into()),
        ));
    }

    fn close(&mut self) {
        self.0.0.push(Segment::Close);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_what_figures_write() {
        let needed = "äöüßéñçÅøŁž×−±·≤≥≈≠→∞…–—αβγδεηθλμσφΔΣΩ∂∇√²³¹⁻⁰₀✓✗Жд";
        for character in (' '..='~').chain(needed.chars()) {
            assert!(FACE.glyph_index(character).is_some(), "{character}");
        }
        assert_eq!(glyph('漢'), glyph(REPLACEMENT));
        assert_eq!(glyph('\t'), glyph(' '));
    }

    #[test]
    fn pairs_are_kerned() {
        assert!(kerning(glyph('A'), glyph('V')) < -0.02);
        assert_eq!(kerning(glyph('0'), glyph('1')), 0.0);
    }
}
