//! Areas between lines, and clouds of points.

use crate::scene::{Item, Point};
use crate::{Color, Colormap};

use super::artist::Handle;
use super::axis::Extent;
use super::norm::{Mapping, Norm};
use super::place::Place;
use super::series::{marked, positive};
use super::style::Marker;

/// The area between two lines: a spread over seeds.
#[derive(Debug, Clone)]
pub struct Band {
    /// x, lower and upper end.
    pub(crate) points: Vec<(f64, f64, f64)>,
    pub(crate) color: Color,
    pub(crate) label: String,
}

impl Band {
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
        x.add(self.points.iter().map(|point| point.0));
        y.add(self.points.iter().flat_map(|point| [point.1, point.2]));
    }

    pub(super) fn draw(&self, place: &Place, out: &mut Vec<Item>) {
        // Where a logarithmic axis has no place for an end, the band goes down to the axis' own end.
        let edge = |value: f64| {
            let at = place.y.at(value);
            if at.is_nan() && value <= 0.0 {
                place.y.from
            } else {
                at
            }
        };
        let placed: Vec<(f64, f64, f64)> = self
            .points
            .iter()
            .map(|(x, low, high)| (place.x.at(*x), edge(*low), edge(*high)))
            .collect();
        let is_whole =
            |(x, low, high): &(f64, f64, f64)| x.is_finite() && low.is_finite() && high.is_finite();
        for run in placed.split(|point| !is_whole(point)) {
            let there = run.iter().map(|(x, _, high)| (*x, *high));
            let back = run.iter().rev().map(|(x, low, _)| (*x, *low));
            let path = place.polygon(&there.chain(back).collect::<Vec<_>>());
            if !path.0.is_empty() {
                out.push(Item::filled(path, self.color).clipped(place.area));
            }
        }
    }

    pub(super) fn handle(&self) -> Handle {
        Handle {
            patch: Some(self.color),
            ..Handle::default()
        }
    }
}

/// Points that are not joined.
#[derive(Debug, Clone)]
pub struct Scatter {
    pub(crate) points: Vec<Point>,
    /// What the colours stand for, if they stand for something.
    pub(crate) values: Option<Vec<f64>>,
    pub(crate) norm: Norm,
    pub(crate) color: Color,
    pub(crate) marker: Marker,
    pub(crate) size: Option<f64>,
    pub(crate) label: String,
}

impl Scatter {
    /// One colour for all points.
    pub fn color(&mut self, color: Color) -> &mut Self {
        self.color = color;
        self
    }

    /// A value for each point that its colour shows; points without one are gray.
    pub fn c(&mut self, values: &[f64]) -> &mut Self {
        self.values = Some(values.to_vec());
        self
    }

    /// The colours of the values.
    pub fn cmap(&mut self, cmap: Colormap) -> &mut Self {
        self.norm.cmap = cmap;
        self
    }

    /// The values at the ends of the colour map instead of the smallest and the largest.
    pub fn clim(&mut self, low: f64, high: f64) -> &mut Self {
        (self.norm.low, self.norm.high) = (Some(low), Some(high));
        self
    }

    /// The shape of the points.
    pub fn marker(&mut self, marker: Marker) -> &mut Self {
        self.marker = marker;
        self
    }

    /// Their size across, in points.
    pub fn markersize(&mut self, size: f64) -> &mut Self {
        self.size = Some(size);
        self
    }

    /// Their name in the legend.
    pub fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = label.into();
        self
    }

    pub(super) fn mapping(&self) -> Option<Mapping> {
        let values = self.values.as_ref()?;
        Some(self.norm.resolved(values.iter().copied()))
    }

    pub(super) fn extend(&self, x: &mut Extent, y: &mut Extent) {
        x.add(self.points.iter().map(|point| point.0));
        y.add(self.points.iter().map(|point| point.1));
    }

    pub(super) fn draw(&self, place: &Place, out: &mut Vec<Item>) {
        let size = positive(self.size, place.size * 0.5);
        let mapping = self.mapping();
        for (index, (x, y)) in self.points.iter().enumerate() {
            let point = place.point(*x, *y);
            if !place.shows(point) {
                continue;
            }
            let value = self.values.as_ref().map(|values| values.get(index));
            let color = match (&mapping, value) {
                (Some(mapping), Some(value)) => mapping.color(value.copied().unwrap_or(f64::NAN)),
                _ => self.color,
            };
            out.push(marked(self.marker, point, size, color));
        }
    }

    pub(super) fn handle(&self, size: f64) -> Handle {
        let color = match self.mapping() {
            Some(mapping) => mapping.cmap.color(0.5),
            None => self.color,
        };
        Handle {
            marker: Some((self.marker, positive(self.size, size * 0.5), color)),
            ..Handle::default()
        }
    }
}
