//! Lines of glyphs.

use crate::scene::Rect;

use super::font;
use super::math::{Sign, signs};

/// A superscript's and a subscript's part of the size.
const SCRIPT: f64 = 0.7;
/// How far a superscript stands above the base, and a subscript below it, in ems.
const RAISED: f64 = 0.36;
const LOWERED: f64 = 0.16;
/// Around signs such as `=`, in ems.
const SPACE: f64 = 0.2;
/// From base to base, in ems: matplotlib's 1.2.
const LINE: f64 = 1.2;
const ELLIPSIS: char = '…';

/// How the lines of a block stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Middle,
}

/// A glyph, its place from the left end of the first base line, y downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Glyph {
    pub(crate) id: u16,
    pub(crate) character: char,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) size: f64,
    /// Whether it leans by [`font::LEAN`].
    pub(crate) is_italic: bool,
}

/// Text set in lines.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    pub(crate) glyphs: Vec<Glyph>,
    /// The characters as they are shown.
    pub(crate) text: String,
    pub(crate) width: f64,
    pub(crate) size: f64,
    ascent: f64,
    descent: f64,
}

impl Block {
    /// As many lines as the text has.
    pub(crate) fn new(text: &str, size: f64, align: Align) -> Self {
        Self::of_lines(lines(text), size, align)
    }

    /// Broken between words where a line would be wider than `width`, each line in the middle; a word that is wider is cut,
    /// and so is the last of `most` lines if there would be more.
    pub(crate) fn wrapped(text: &str, size: f64, width: f64, most: usize) -> Self {
        let wrapped = lines(text)
            .into_iter()
            .flat_map(|line| wrap(line, width / size));
        let mut wrapped: Vec<Vec<Sign>> = wrapped.collect();
        if wrapped.len() > most.max(1) {
            let rest: Vec<Sign> = wrapped.drain(most.max(1)..).flatten().collect();
            if let Some(last) = wrapped.last_mut() {
                last.push(Sign::plain(' '));
                last.extend(rest);
                *last = ended(std::mem::take(last), width / size);
            }
        }
        Self::of_lines(wrapped, size, Align::Middle)
    }

    /// Every line with an ellipsis in its middle where it would be wider than `width`: names of settings differ at their ends.
    pub(crate) fn fitted(text: &str, size: f64, width: f64) -> Self {
        let cut = lines(text)
            .into_iter()
            .map(|line| shortened(line, width / size));
        Self::of_lines(cut.collect(), size, Align::Left)
    }

    /// One line without mathematics, cut at its end with an ellipsis where it would be wider than `width`.
    pub(crate) fn plain(text: &str, size: f64, width: f64) -> Self {
        let line: Vec<Sign> = text.chars().map(Sign::plain).collect();
        Self::of_lines(vec![cut(line, width / size)], size, Align::Left)
    }

    fn of_lines(lines: Vec<Vec<Sign>>, size: f64, align: Align) -> Self {
        let set: Vec<(Vec<Glyph>, f64)> = lines.iter().map(|line| set(line)).collect();
        let width = set.iter().map(|(_, width)| *width).fold(0.0, f64::max);
        let mut glyphs = Vec::new();
        let has = |line: Option<&Vec<Sign>>, level: i8| {
            line.is_some_and(|line| line.iter().any(|sign| sign.level == level))
        };
        let raised = RAISED + SCRIPT * font::DIGIT_HEIGHT;
        let lowered = LOWERED + SCRIPT * font::DESCENT;
        let ascent = if has(lines.first(), 1) {
            raised.max(font::ASCENT)
        } else {
            font::ASCENT
        };
        let below = if has(lines.last(), -1) {
            lowered.max(font::DESCENT)
        } else {
            font::DESCENT
        };
        for (index, (line, line_width)) in set.iter().enumerate() {
            let indent = match align {
                Align::Left => 0.0,
                Align::Middle => (width - line_width) / 2.0,
            };
            glyphs.extend(line.iter().map(|glyph| Glyph {
                x: (glyph.x + indent) * size,
                y: (glyph.y + LINE * index as f64) * size,
                size: glyph.size * size,
                ..*glyph
            }));
        }
        let text: Vec<String> = lines
            .iter()
            .map(|line| line.iter().map(|sign| sign.character).collect())
            .collect();
        Self {
            glyphs,
            text: text.join("\n"),
            width: width * size,
            size,
            ascent: ascent * size,
            descent: (below + LINE * set.len().saturating_sub(1) as f64) * size,
        }
    }

    /// Whether there is nothing to see.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    pub(crate) fn height(&self) -> f64 {
        self.ascent + self.descent
    }

    /// The box around the lines, seen from the left end of the first base line.
    pub(crate) fn bounds(&self) -> Rect {
        Rect::new(0.0, -self.ascent, self.width, self.descent)
    }
}

/// Lines of signs; mathematics does not go over their ends.
fn lines(text: &str) -> Vec<Vec<Sign>> {
    text.lines().map(signs).collect()
}

/// Glyphs of a line in ems, and its width.
fn set(line: &[Sign]) -> (Vec<Glyph>, f64) {
    let mut glyphs: Vec<Glyph> = Vec::with_capacity(line.len());
    let mut pen = 0.0;
    let mut previous: Option<(u16, i8)> = None;
    for sign in line {
        let id = font::glyph(sign.character);
        let (size, y) = match sign.level {
            1 => (SCRIPT, -RAISED),
            -1 => (SCRIPT, LOWERED),
            _ => (1.0, 0.0),
        };
        if sign.is_spaced {
            pen += SPACE;
        } else if let Some((left, level)) = previous
            && level == sign.level
        {
            pen += font::kerning(left, id) * size;
        }
        glyphs.push(Glyph {
            id,
            character: sign.character,
            x: pen,
            y,
            size,
            is_italic: sign.is_italic,
        });
        pen += font::advance(id) * size;
        previous = Some((id, sign.level));
        if sign.is_spaced {
            pen += SPACE;
            previous = None;
        }
    }
    (glyphs, pen)
}

/// Lines of at most so many ems, cut between words; a single word may be cut with an ellipsis.
fn wrap(line: Vec<Sign>, width: f64) -> Vec<Vec<Sign>> {
    if set(&line).1 <= width {
        return vec![line];
    }
    let mut lines: Vec<Vec<Sign>> = Vec::new();
    for word in line.split(|sign| sign.character == ' ') {
        if let Some(last) = lines.last_mut() {
            let mut longer = last.clone();
            longer.push(Sign::plain(' '));
            longer.extend_from_slice(word);
            if set(&longer).1 <= width {
                *last = longer;
                continue;
            }
        }
        lines.push(word.to_vec());
    }
    lines.into_iter().map(|line| cut(line, width)).collect()
}

/// The line, or as much of it with an ellipsis as is at most so many ems wide.
fn cut(line: Vec<Sign>, width: f64) -> Vec<Sign> {
    if set(&line).1 <= width {
        line
    } else {
        ended(line, width)
    }
}

/// The line, or as much of its beginning and, rather, its end, as is with an ellipsis at most so many ems wide.
fn shortened(line: Vec<Sign>, width: f64) -> Vec<Sign> {
    if set(&line).1 <= width {
        return line;
    }
    // No glyph is narrower than a tenth of an em, so no more than these can fit.
    let most = ((width.max(0.0) / 0.1) as usize).min(line.len());
    for kept in (1..=most).rev() {
        let (head, tail) = (kept / 3, kept - kept / 3);
        // A dot beside the ellipsis would be a part of it.
        let is_dot = |sign: &&Sign| sign.character == '.';
        let end = &line[line.len() - tail..];
        let dots = end.iter().take_while(is_dot).count();
        let mut shown = line[..head].to_vec();
        shown.push(Sign::plain(ELLIPSIS));
        shown.extend_from_slice(&end[dots..]);
        if set(&shown).1 <= width {
            return shown;
        }
    }
    Vec::new()
}

/// As much of the line as is with an ellipsis at most so many ems wide.
fn ended(mut line: Vec<Sign>, width: f64) -> Vec<Sign> {
    // No glyph is narrower than a tenth of an em, so no more than these can fit.
    line.truncate((width.max(0.0) / 0.1) as usize + 1);
    while !line.is_empty() {
        line.pop();
        let mut shown = line.clone();
        shown.push(Sign::plain(ELLIPSIS));
        if set(&shown).1 <= width {
            return shown;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_to_the_next_line_and_long_ones_are_cut() {
        let block = Block::wrapped(
            "validation accuracy of the unbelievablylongname",
            10.0,
            70.0,
            9,
        );
        assert_eq!(block.text, "validation\naccuracy of\nthe\nunbelievabl…");
        assert!(block.width <= 70.0 && block.height() > 36.0);
        let short = Block::wrapped("validation accuracy of them all", 10.0, 70.0, 2);
        assert_eq!(short.text, "validation\naccuracy of…");
        assert_eq!(Block::fitted("abc", 10.0, 1.0).text, "");
        let name = Block::fitted("training.optimizer.params.lr", 10.0, 80.0);
        assert_eq!(name.text, "trai…params.lr");
    }

    #[test]
    fn superscripts_are_small_and_above() {
        let block = Block::new("$10^{-3}$", 10.0, Align::Left);
        let [.., one, minus, three] = block.glyphs[..] else {
            panic!("{block:?}");
        };
        assert_eq!((one.size, three.size), (10.0, 7.0));
        assert!(minus.y < -3.0 && minus.character == '−');
        assert!(block.height() > Block::new("10", 10.0, Align::Left).height());
    }
}
