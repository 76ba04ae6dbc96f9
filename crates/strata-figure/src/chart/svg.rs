//! Elements of SVG.

use std::fmt::Write as _;

use crate::text::Typesetter;

/// The size of ordinary text.
pub(super) const TEXT_SIZE: f64 = 11.0;
/// The size of titles.
pub(super) const TITLE_SIZE: f64 = 13.0;
/// The colour of text and axes.
pub(super) const INK: &str = "#222222";
/// Of the lines behind the data.
pub(super) const GRID: &str = "#e0e0e0";

/// Where a text stands beside its point.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture in the making.
#[derive(Debug)]
pub(super) struct Svg {
    text: String,
}

impl Svg {
    /// A white picture of so many pixels, with a title for those who have it read to them.
    pub(super) fn new(width: f64, height: f64, title: &str) -> Self {
        let (width, height) = (number(width), number(height));
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"DejaVu Sans, Verdana, sans-serif\">\n"
        );
        if !title.is_empty() {
            let _ = writeln!(text, "<title>{}</title>", escaped(title));
        }
        let _ = writeln!(
            text,
            "<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"
        );
        Self { text }
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: &str) {
        let _ = writeln!(
            self.text,
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{colour}\"/>",
            number(from.0),
            number(from.1),
            number(to.0),
            number(to.1)
        );
    }

    /// A line through points.
    pub(super) fn path(&mut self, points: &[(f64, f64)], colour: &str, dash: &str) {
        let points: Vec<String> = points
            .iter()
            .map(|&(x, y)| format!("{},{}", number(x), number(y)))
            .collect();
        let dash = if dash.is_empty() {
            String::new()
        } else {
            format!(" stroke-dasharray=\"{dash}\"")
        };
        let _ = writeln!(
            self.text,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" stroke-linejoin=\"round\"{dash}/>",
            points.join(" ")
        );
    }

    pub(super) fn dot(&mut self, (x, y): (f64, f64), colour: &str) {
        let _ = writeln!(
            self.text,
            "<circle cx=\"{}\" cy=\"{}\" r=\"2.5\" fill=\"{colour}\" fill-opacity=\"0.7\"/>",
            number(x),
            number(y)
        );
    }

    /// A filled rectangle, with a text that shows when it is pointed at.
    pub(super) fn rectangle(
        &mut self,
        corner: (f64, f64),
        size: (f64, f64),
        fill: &str,
        note: &str,
    ) {
        let note = if note.is_empty() {
            String::new()
        } else {
            format!("<title>{}</title>", escaped(note))
        };
        let _ = writeln!(
            self.text,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{fill}\">{note}</rect>",
            number(corner.0),
            number(corner.1),
            number(size.0),
            number(size.1)
        );
    }

    /// A line of text, its base at the point.
    pub(super) fn write(
        &mut self,
        at: (f64, f64),
        anchor: Anchor,
        size: f64,
        colour: &str,
        text: &str,
    ) {
        let (x, y) = (number(at.0), number(at.1));
        self.element(&format!("x=\"{x}\" y=\"{y}\""), anchor, size, colour, text);
    }

    /// The same from below to above.
    pub(super) fn write_upwards(&mut self, at: (f64, f64), text: &str) {
        let (x, y) = (number(at.0), number(at.1));
        let place = format!("transform=\"translate({x} {y}) rotate(-90)\"");
        self.element(&place, Anchor::Middle, TEXT_SIZE, INK, text);
    }

    fn element(&mut self, place: &str, anchor: Anchor, size: f64, colour: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = writeln!(
            self.text,
            "<text {place} text-anchor=\"{anchor}\" font-size=\"{}\" fill=\"{colour}\">{}</text>",
            number(size),
            escaped(text)
        );
    }

    pub(super) fn finish(self) -> String {
        self.text + "</svg>\n"
    }
}

/// How wide a text is.
pub(super) fn width(text: &str, size: f64) -> f64 {
    f64::from(Typesetter::new(size, 72).width(text))
}

/// A text, or as much of it with an ellipsis as is at most so wide.
pub(super) fn fitted(text: &str, size: f64, width: f64) -> String {
    Typesetter::new(size, 72).fitted(text, width as f32)
}

/// A text for XML and HTML; characters that XML cannot hold are replaced.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(letter),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                out.push('\u{fffd}');
            }
            letter => out.push(letter),
        }
    }
    out
}

/// Two decimals at most.
pub(super) fn number(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    // Without the sign of a negative zero.
    format!("{}", rounded + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_leave_their_place_and_numbers_are_short() {
        assert_eq!(
            escaped("<b a=\"1\" c='2'>&\u{1}</b>"),
            "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;\u{fffd}&lt;/b&gt;"
        );
        assert_eq!(
            [1.0, 1.005, -0.001, 2.0 / 3.0].map(number),
            ["1", "1", "0", "0.67"]
        );
    }
}
