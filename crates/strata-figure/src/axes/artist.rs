//! All that can stand in a plot.

use crate::Color;
use crate::scene::{Item, Stroke};

use super::axis::Extent;
use super::bars::Bars;
use super::contour::Contour;
use super::maps::{GrayImage, HeatMap};
use super::marks::{Note, Reference, Span};
use super::norm::Mapping;
use super::parallel::ParallelCoordinates;
use super::place::Place;
use super::scatter::{Band, Scatter};
use super::series::{ErrorBar, Line};
use super::style::Marker;

/// A thing in a plot.
#[derive(Debug, Clone)]
pub(crate) enum Artist {
    Line(Line),
    Band(Band),
    Scatter(Scatter),
    ErrorBar(ErrorBar),
    Bars(Bars),
    HeatMap(HeatMap),
    GrayImage(GrayImage),
    Contour(Contour),
    Reference(Reference),
    Span(Span),
    Note(Note),
    Parallel(ParallelCoordinates),
}

/// What the legend shows beside a name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Handle {
    pub(crate) line: Option<Stroke>,
    pub(crate) marker: Option<(Marker, f64, Color)>,
    pub(crate) patch: Option<Color>,
}

impl Artist {
    /// What lies over what, as in matplotlib: maps, areas, lines, texts.
    pub(crate) fn layer(&self) -> u8 {
        match self {
            Self::HeatMap(_) | Self::GrayImage(_) => 0,
            Self::Contour(contour) if contour.is_filled => 0,
            Self::Span(_) => 1,
            Self::Band(_) | Self::Bars(_) => 2,
            Self::Reference(_) | Self::Contour(_) => 3,
            Self::Line(_) | Self::Parallel(_) => 4,
            Self::Scatter(_) | Self::ErrorBar(_) => 5,
            Self::Note(_) => 6,
        }
    }

    /// Where its data are.
    pub(crate) fn extend(&self, x: &mut Extent, y: &mut Extent) {
        match self {
            Self::Line(line) => line.extend(x, y),
            Self::Band(band) => band.extend(x, y),
            Self::Scatter(scatter) => scatter.extend(x, y),
            Self::ErrorBar(bars) => bars.extend(x, y),
            Self::Bars(bars) => bars.extend(x, y),
            Self::HeatMap(map) => map.extend(x, y),
            Self::GrayImage(image) => image.extend(x, y),
            Self::Contour(contour) => contour.extend(x, y),
            Self::Reference(reference) => reference.extend(x, y),
            Self::Span(span) => span.extend(x, y),
            Self::Note(_) => {}
            Self::Parallel(parallel) => parallel.extend(x, y),
        }
    }

    pub(crate) fn draw(&self, place: &Place, out: &mut Vec<Item>) {
        match self {
            Self::Line(line) => line.draw(place, out),
            Self::Band(band) => band.draw(place, out),
            Self::Scatter(scatter) => scatter.draw(place, out),
            Self::ErrorBar(bars) => bars.draw(place, out),
            Self::Bars(bars) => bars.draw(place, out),
            Self::HeatMap(map) => map.draw(place, out),
            Self::GrayImage(image) => image.draw(place, out),
            Self::Contour(contour) => contour.draw(place, out),
            Self::Reference(reference) => reference.draw(place, out),
            Self::Span(span) => span.draw(place, out),
            Self::Note(note) => note.draw(place, out),
            Self::Parallel(parallel) => parallel.draw(place, out),
        }
    }

    /// Its line in the legend, if it has a name.
    pub(crate) fn entry(&self, size: f64) -> Option<(String, Handle)> {
        let (label, handle) = match self {
            Self::Line(line) => (&line.label, line.handle(size)),
            Self::Band(band) => (&band.label, band.handle()),
            Self::Scatter(scatter) => (&scatter.label, scatter.handle(size)),
            Self::ErrorBar(bars) => (&bars.line.label, bars.handle(size)),
            Self::Bars(bars) => (&bars.label, bars.handle()),
            Self::Reference(reference) => (&reference.label, reference.handle(size)),
            Self::Span(span) => (&span.label, span.handle()),
            Self::HeatMap(_)
            | Self::GrayImage(_)
            | Self::Contour(_)
            | Self::Note(_)
            | Self::Parallel(_) => return None,
        };
        (!label.is_empty()).then(|| (label.clone(), handle))
    }

    /// What its colours stand for, and where they change at once.
    pub(crate) fn mapping(&self) -> Option<(Mapping, Vec<f64>)> {
        match self {
            Self::Scatter(scatter) => Some((scatter.mapping()?, Vec::new())),
            Self::HeatMap(map) => Some((map.mapping(), Vec::new())),
            Self::Contour(contour) if contour.is_filled => {
                Some((contour.mapping(), contour.heights()))
            }
            Self::Contour(contour) if contour.color.is_none() => {
                Some((contour.mapping(), Vec::new()))
            }
            Self::Parallel(parallel) => Some((parallel.mapping(), Vec::new())),
            _ => None,
        }
    }
}
