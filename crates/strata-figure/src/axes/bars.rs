//! Bars, upright or lying.

use crate::Color;
use crate::scene::{Item, Path, PlacedText};
use crate::typeset::{Align, Block, font};

use super::artist::Handle;
use super::axis::Extent;
use super::place::Place;
use super::series::whisker;

/// The part of its range that an axis is longer by if there are texts at the ends of bars.
const LABEL_ROOM: f64 = 0.14;

/// Bars of one colour.
#[derive(Debug, Clone)]
pub struct Bars {
    pub(crate) at: Vec<f64>,
    pub(crate) lengths: Vec<f64>,
    pub(crate) is_horizontal: bool,
    pub(crate) thickness: f64,
    pub(crate) shift: f64,
    pub(crate) base: Vec<f64>,
    pub(crate) color: Color,
    pub(crate) errors: Vec<f64>,
    pub(crate) texts: Vec<String>,
    pub(crate) label: String,
}

impl Bars {
    /// Its colour instead of the cycle's.
    pub fn color(&mut self, color: Color) -> &mut Self {
        self.color = color;
        self
    }

    /// How thick bars are, in units of their axis, where categories are 1 apart; 0.8 unless said otherwise.
    pub fn width(&mut self, width: f64) -> &mut Self {
        self.thickness = width;
        self
    }

    /// Bars are this much beside their places: groups of bars are `bar` called for each with its own shift.
    pub fn shift(&mut self, shift: f64) -> &mut Self {
        self.shift = shift;
        self
    }

    /// Where each bar begins; 0 unless said otherwise.
    pub fn bottom(&mut self, base: &[f64]) -> &mut Self {
        self.base = base.to_vec();
        self
    }

    /// How far the error bar at the end of each bar goes to both sides.
    pub fn errors(&mut self, errors: &[f64]) -> &mut Self {
        self.errors = errors.to_vec();
        self
    }

    /// A text at the end of each bar, matplotlib's `bar_label`.
    pub fn texts<T: Into<String>>(&mut self, texts: impl IntoIterator<Item = T>) -> &mut Self {
        self.texts = texts.into_iter().map(Into::into).collect();
        self
    }

    /// Their name in the legend.
    pub fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = label.into();
        self
    }

    /// Place, base, end and error of each bar.
    fn bars(&self) -> impl Iterator<Item = (f64, f64, f64, f64)> {
        let pairs = self.at.iter().zip(&self.lengths).enumerate();
        pairs.map(|(index, (at, length))| {
            let base = self.base.get(index).copied().unwrap_or(0.0);
            let error = self.errors.get(index).copied().unwrap_or(0.0);
            (at + self.shift, base, base + length, error)
        })
    }

    pub(super) fn extend(&self, x: &mut Extent, y: &mut Extent) {
        let (across, along) = if self.is_horizontal { (y, x) } else { (x, y) };
        let half = self.thickness / 2.0;
        across.add(self.bars().flat_map(|(at, ..)| [at - half, at + half]));
        along.add(self.bars().flat_map(|(_, base, end, error)| {
            let error = if error.is_finite() { error } else { 0.0 };
            [base, end - error, end + error]
        }));
        along.stick([0.0]);
        if !self.texts.is_empty() {
            let ends = || {
                self.bars()
                    .map(|(_, _, end, _)| end)
                    .filter(|end| end.is_finite())
            };
            let high = ends().fold(0.0, f64::max);
            let low = ends().fold(0.0, f64::min);
            along.add([high + (high - low) * LABEL_ROOM]);
            if low < 0.0 {
                along.add([low - (high - low) * LABEL_ROOM]);
            }
        }
    }

    pub(super) fn draw(&self, place: &Place, out: &mut Vec<Item>) {
        let half = self.thickness / 2.0;
        let mut over = Vec::new();
        for (index, (at, base, end, error)) in self.bars().enumerate() {
            let point = |across: f64, along: f64| {
                if self.is_horizontal {
                    place.point(along, across)
                } else {
                    place.point(across, along)
                }
            };
            let mut foot = point(at - half, base);
            let tip = point(at + half, end);
            // A logarithmic axis has no zero: bars stand on its end.
            if self.is_horizontal && foot.0.is_nan() {
                foot.0 = place.x.from;
            } else if !self.is_horizontal && foot.1.is_nan() {
                foot.1 = place.y.from;
            }
            let Some(rect) = place.rect(foot, tip) else {
                continue;
            };
            out.push(Item::filled(Path::rect(rect), self.color).clipped(place.area));
            if error.is_finite() && error > 0.0 {
                whisker(
                    place,
                    point(at, end - error),
                    point(at, end + error),
                    Color::BLACK,
                    &mut over,
                );
            }
            if let Some(text) = self.texts.get(index) {
                let reach = if error.is_finite() { error } else { 0.0 };
                let beyond = if end < base { end - reach } else { end + reach };
                let tip = point(at, beyond);
                over.extend(self.text(place, text, tip, end < base));
            }
        }
        out.append(&mut over);
    }

    /// The text beyond the end of a bar, or inside where there is no room.
    fn text(
        &self,
        place: &Place,
        text: &str,
        (x, y): (f64, f64),
        is_backward: bool,
    ) -> Option<Item> {
        let size = place.size * 0.85;
        let block = Block::new(text, size, Align::Left);
        let gap = size * 0.35;
        let middle = size * font::DIGIT_HEIGHT / 2.0;
        let area = place.area;
        let mut color = Color::BLACK;
        // Outside of the bar there are lines of the grid below.
        let mut halo = Some(Color::WHITE);
        let at = if self.is_horizontal {
            let mut left = if is_backward {
                x - gap - block.width
            } else {
                x + gap
            };
            if left + block.width > area.right || left < area.left {
                left = if is_backward {
                    x + gap
                } else {
                    x - gap - block.width
                };
                (color, halo) = (self.on_bar(), None);
            }
            (left, y + middle)
        } else {
            let mut base = if is_backward {
                y + gap + size * font::DIGIT_HEIGHT
            } else {
                y - gap
            };
            if base - size * font::ASCENT < area.top || base > area.bottom {
                base = if is_backward {
                    y - gap
                } else {
                    y + gap + size * font::DIGIT_HEIGHT
                };
                (color, halo) = (self.on_bar(), None);
            }
            (x - block.width / 2.0, base)
        };
        let is_there = at.0.is_finite() && at.1.is_finite() && !block.is_empty();
        let text = PlacedText {
            block,
            at,
            rotation: 0.0,
            color,
            halo,
        };
        let bounds = text.bounds();
        let is_inside = area.grown(0.5).contains((bounds.left, bounds.top))
            && area.grown(0.5).contains((bounds.right, bounds.bottom));
        (is_there && is_inside).then_some(Item::Text(text))
    }

    fn on_bar(&self) -> Color {
        if self.color.is_dark() {
            Color::WHITE
        } else {
            Color::BLACK
        }
    }

    pub(super) fn handle(&self) -> Handle {
        Handle {
            patch: Some(self.color),
            ..Handle::default()
        }
    }
}
