//! Lines at a value, stripes, and texts in a plot.

use crate::Color;
use crate::scene::{Item, Path, PlacedText, Stroke};
use crate::typeset::Block;

use super::artist::Handle;
use super::axis::Extent;
use super::place::Place;
use super::style::LineStyle;

/// A line at one value, from side to side.
#[derive(Debug, Clone)]
pub struct Reference {
    pub(crate) at: f64,
    pub(crate) is_horizontal: bool,
    pub(crate) color: Color,
    pub(crate) style: LineStyle,
    pub(crate) label: String,
}

impl Reference {
    /// Gray unless said otherwise.
    pub fn color(&mut self, color: Color) -> &mut Self {
        self.color = color;
        self
    }

    /// Dashed unless said otherwise.
    pub fn linestyle(&mut self, style: LineStyle) -> &mut Self {
        self.style = style;
        self
    }

    /// Its name in the legend.
    pub fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = label.into();
        self
    }

    fn stroke(&self, size: f64) -> Stroke {
        let width = size * 0.12;
        Stroke {
            color: self.color,
            width,
            dashes: self.style.dashes(width),
        }
    }

    pub(super) fn extend(&self, x: &mut Extent, y: &mut Extent) {
        if self.is_horizontal { y } else { x }.add([self.at]);
    }

    pub(super) fn draw(&self, place: &Place, out: &mut Vec<Item>) {
        let area = place.area;
        let ends = if self.is_horizontal {
            let y = place.y.at(self.at);
            [(area.left, y), (area.right, y)]
        } else {
            let x = place.x.at(self.at);
            [(x, area.bottom), (x, area.top)]
        };
        if ends.iter().all(|end| place.shows(*end)) {
            place.line(&ends, &self.stroke(place.size), out);
        }
    }

    pub(super) fn handle(&self, size: f64) -> Handle {
        Handle {
            line: Some(self.stroke(size)),
            ..Handle::default()
        }
    }
}

/// A stripe between two values, from side to side.
#[derive(Debug, Clone)]
pub struct Span {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) is_horizontal: bool,
    pub(crate) color: Color,
    pub(crate) label: String,
}

impl Span {
    /// Its colour, with the opacity that it is to have.
    pub fn color(&mut self, color: Color) -> &mut Self {
        self.color = color;
        self
    }

    /// Its name in the legend.
    pub fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = label.into();
        self
    }

    pub(super) fn extend(&self, x: &mut Extent, y: &mut Extent) {
        if self.is_horizontal { y } else { x }.add([self.from, self.to]);
    }

    pub(super) fn draw(&self, place: &Place, out: &mut Vec<Item>) {
        let area = place.area;
        let (from, to) = if self.is_horizontal {
            (
                (area.left, place.y.at(self.from)),
                (area.right, place.y.at(self.to)),
            )
        } else {
            (
                (place.x.at(self.from), area.top),
                (place.x.at(self.to), area.bottom),
            )
        };
        if let Some(rect) = place.rect(from, to) {
            out.push(Item::filled(Path::rect(rect), self.color).clipped(area));
        }
    }

    pub(super) fn handle(&self) -> Handle {
        Handle {
            patch: Some(self.color),
            ..Handle::default()
        }
    }
}

/// A text at a point of the data. It is moved into the plot where it would stick out.
#[derive(Debug, Clone)]
pub struct Note {
    pub(crate) text: String,
    pub(crate) at: (f64, f64),
    pub(crate) offset: (f64, f64),
    pub(crate) has_arrow: bool,
    pub(crate) color: Color,
    pub(crate) size: f64,
}

impl Note {
    /// Black unless said otherwise.
    pub fn color(&mut self, color: Color) -> &mut Self {
        self.color = color;
        self
    }

    /// How far the middle of the text is from its point, in points, to the right and up.
    pub fn offset(&mut self, right: f64, up: f64) -> &mut Self {
        if right.is_finite() && up.is_finite() {
            self.offset = (right.clamp(-1e4, 1e4), up.clamp(-1e4, 1e4));
        }
        self
    }

    /// A thin line from the text to its point.
    pub fn arrow(&mut self) -> &mut Self {
        self.has_arrow = true;
        self
    }

    pub(super) fn draw(&self, place: &Place, out: &mut Vec<Item>) {
        let (x, y) = place.point(self.at.0, self.at.1);
        if !place.shows((x, y)) {
            return;
        }
        let size = place.size * self.size;
        let area = place.area.grown(-size * 0.3);
        let block = Block::wrapped(&self.text, size, area.width(), usize::MAX);
        if block.is_empty() {
            return;
        }
        let bounds = block.bounds();
        let inside = |value: f64, low: f64, high: f64| value.min(high).max(low);
        let left = inside(
            x + self.offset.0 - block.width / 2.0,
            area.left,
            area.right - block.width,
        );
        let top = inside(
            y - self.offset.1 - block.height() / 2.0,
            area.top,
            area.bottom - block.height(),
        );
        if self.has_arrow {
            let middle = (left + block.width / 2.0, top + block.height() / 2.0);
            let stroke = Stroke::solid(self.color, place.size * 0.08);
            out.push(Item::stroked(Path::line(middle, (x, y)), stroke));
        }
        out.push(Item::Text(PlacedText {
            at: (left, top - bounds.top),
            rotation: 0.0,
            color: self.color,
            halo: Some(if self.color.is_dark() {
                Color::WHITE
            } else {
                Color::BLACK
            }),
            block,
        }));
    }
}
