//! Tables of numbers in colours, and gray images.

use std::sync::Arc;

use crate::scene::{Image, Item, Path, PlacedText, Rect};
use crate::typeset::{Align, Block, font};
use crate::{Color, Colormap};

use super::axis::Extent;
use super::norm::{Mapping, Norm};
use super::place::Place;

/// Cells lie over their neighbours by so many points: readers would show a line of paper between those that only touch.
const OVERLAP: f64 = 0.15;

/// In points; smaller letters are not read in print.
const SMALLEST_TEXT: f64 = 3.0;

/// How the text of a cell is made from its value.
type CellText = Arc<dyn Fn(f64) -> String + Send + Sync>;

/// A table of numbers in colours.
#[derive(Clone)]
pub struct HeatMap {
    /// Row by row.
    pub(crate) values: Vec<f64>,
    /// Edges of columns and rows, one more than there are of them, rising.
    pub(crate) x_edges: Vec<f64>,
    pub(crate) y_edges: Vec<f64>,
    pub(crate) norm: Norm,
    pub(crate) text: Option<CellText>,
}

impl std::fmt::Debug for HeatMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeatMap")
            .field("values", &self.values)
            .field("x_edges", &self.x_edges)
            .field("y_edges", &self.y_edges)
            .field("norm", &self.norm)
            .finish_non_exhaustive()
    }
}

impl HeatMap {
    /// Its colours.
    pub fn cmap(&mut self, cmap: Colormap) -> &mut Self {
        self.norm.cmap = cmap;
        self
    }

    /// The values at the ends of the colour map instead of the smallest and the largest.
    pub fn clim(&mut self, low: f64, high: f64) -> &mut Self {
        (self.norm.low, self.norm.high) = (Some(low), Some(high));
        self
    }

    /// Colours by the logarithm; what is not positive is gray.
    pub fn log_norm(&mut self) -> &mut Self {
        self.norm.is_log = true;
        self
    }

    /// Each cell's value as a text in its middle, black or white, whichever is read better. All are in one size, which is
    /// smaller where cells are small; where it would be less than 3 points there are none.
    pub fn annotate(&mut self, text: impl Fn(f64) -> String + Send + Sync + 'static) -> &mut Self {
        self.text = Some(Arc::new(text));
        self
    }

    pub(super) fn mapping(&self) -> Mapping {
        self.norm.resolved(self.values.iter().copied())
    }

    pub(super) fn extend(&self, x: &mut Extent, y: &mut Extent) {
        for (extent, edges) in [(x, &self.x_edges), (y, &self.y_edges)] {
            extent.add(edges.iter().copied());
            extent.stick(edges.first().copied());
            extent.stick(edges.last().copied());
        }
    }

    pub(super) fn draw(&self, place: &Place, out: &mut Vec<Item>) {
        let columns = self.x_edges.len().saturating_sub(1);
        if columns == 0 {
            return;
        }
        let mapping = self.mapping();
        for (row, values) in self.values.chunks_exact(columns).enumerate() {
            let Some(&[low, high]) = self.y_edges.get(row..row + 2) else {
                continue;
            };
            let (low, high) = (place.y.at(low), place.y.at(high));
            let mut column = 0;
            // Neighbours of one colour are one rectangle.
            for run in values.chunk_by(|a, b| mapping.color(*a) == mapping.color(*b)) {
                let (from, to) = (
                    place.x.at(self.x_edges[column]),
                    place.x.at(self.x_edges[column + run.len()]),
                );
                if let Some(rect) = place.rect((from, low), (to, high)) {
                    let rect = overlapping(rect, place.area);
                    let color = mapping.color(run[0]);
                    out.push(Item::filled(Path::rect(rect), color).clipped(place.area));
                }
                column += run.len();
            }
        }
        self.write(place, &mapping, out);
    }

    /// The texts of all cells in one size.
    fn write(&self, place: &Place, mapping: &Mapping, out: &mut Vec<Item>) {
        let Some(text) = &self.text else {
            return;
        };
        let columns = self.x_edges.len().saturating_sub(1);
        let mut cells = Vec::new();
        let mut size = place.size * 0.9;
        for (values, y) in self.values.chunks(columns).zip(self.y_edges.windows(2)) {
            for (value, x) in values.iter().zip(self.x_edges.windows(2)) {
                let (left, top) = place.point(x[0], y[0]);
                let (right, bottom) = place.point(x[1], y[1]);
                let middle = (f64::midpoint(left, right), f64::midpoint(top, bottom));
                let text = text(*value);
                if !place.shows(middle) || text.trim().is_empty() {
                    continue;
                }
                let block = Block::new(&text, size, Align::Middle);
                let across = (right - left).abs() * 0.88 / block.width;
                let down = (bottom - top).abs() * 0.9 / block.height();
                size *= across.min(down).min(1.0);
                let color = if mapping.color(*value).is_dark() {
                    Color::WHITE
                } else {
                    Color::BLACK
                };
                cells.push((text, middle, color));
            }
        }
        if size < SMALLEST_TEXT {
            return;
        }
        for (text, (x, y), color) in cells {
            let block = Block::new(&text, size, Align::Middle);
            out.push(Item::Text(PlacedText {
                at: (x - block.width / 2.0, y + size * font::DIGIT_HEIGHT / 2.0),
                rotation: 0.0,
                color,
                halo: None,
                block,
            }));
        }
    }
}

/// Larger to the right and downwards, but not over the edge of the area.
fn overlapping(rect: Rect, area: Rect) -> Rect {
    let further = |edge: f64, end: f64| {
        if edge < end {
            (edge + OVERLAP).min(end)
        } else {
            edge
        }
    };
    Rect {
        right: further(rect.right, area.right),
        bottom: further(rect.bottom, area.bottom),
        ..rect
    }
}

/// A gray image; a pixel is 1 by 1, the first around (0, 0).
#[derive(Debug, Clone)]
pub struct GrayImage {
    pub(crate) image: Image,
}

impl GrayImage {
    pub(super) fn extend(&self, x: &mut Extent, y: &mut Extent) {
        for (extent, pixels) in [(x, self.image.width), (y, self.image.height)] {
            let edges = [-0.5, pixels as f64 - 0.5];
            extent.add(edges);
            extent.stick(edges);
        }
    }

    pub(super) fn draw(&self, place: &Place, out: &mut Vec<Item>) {
        let (width, height) = (self.image.width as f64, self.image.height as f64);
        let corner = place.point(-0.5, -0.5);
        let opposite = place.point(width - 0.5, height - 0.5);
        let is_whole = |(x, y): (f64, f64)| x.is_finite() && y.is_finite();
        if !is_whole(corner) || !is_whole(opposite) || place.area.width() <= 0.0 {
            return;
        }
        out.push(Item::Image {
            area: Rect::new(
                corner.0.min(opposite.0),
                corner.1.min(opposite.1),
                corner.0.max(opposite.0),
                corner.1.max(opposite.1),
            ),
            image: self.image.clone(),
        });
    }
}
