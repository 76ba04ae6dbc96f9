//! A plot in a cell: the place of its data, what stands around them, and what that needs.

use crate::axes::{Axes, Axis, Location, Place};
use crate::scale::View;
use crate::scene::{Item, Rect};

use super::arrange::{Cell, Margins};
use super::legend::Legend;
use super::surround::{Surroundings, surround};

/// The size of texts in a legend, in parts of the font size.
pub(crate) const LEGEND_SIZE: f64 = 0.9;

/// How much of a cell what stands around the data may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limits {
    /// The largest part that the labels of ticks take on one side.
    pub(super) label: f64,
    /// The largest part that a legend takes.
    pub(super) legend: f64,
    /// The most lines of a title or a label.
    pub(super) lines: usize,
}

impl Limits {
    /// For plots that would be hardly seen otherwise.
    pub(crate) const TIGHTER: [Self; 2] = [
        Self {
            label: 0.2,
            legend: 0.3,
            lines: 2,
        },
        Self {
            label: 0.1,
            legend: 0.2,
            lines: 1,
        },
    ];
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            label: 0.4,
            legend: 0.45,
            lines: 5,
        }
    }
}

/// A plot with the ranges of its axes.
#[derive(Debug, Clone)]
pub(crate) struct Setting<'a> {
    pub(crate) axes: &'a Axes,
    pub(crate) x: (f64, f64),
    pub(crate) y: (f64, f64),
    pub(crate) twin_y: Option<(f64, f64)>,
    /// Whether the numbers and the label below, and those to the left, are written; else a neighbour has them.
    pub(crate) has_x_labels: bool,
    pub(crate) has_y_labels: bool,
    /// Where the legend stands, if there is one.
    pub(crate) legend: Option<Location>,
    pub(crate) limits: Limits,
    /// The figure's font size in points.
    pub(crate) size: f64,
}

/// What has been put around an area.
#[derive(Debug, Clone)]
pub(crate) struct Furniture {
    pub(crate) place: Place,
    pub(crate) twin: Option<Place>,
    /// Behind and before the data.
    pub(crate) under: Vec<Item>,
    pub(crate) over: Vec<Item>,
    pub(crate) margins: Margins,
    /// The legend that is to stand in the plot.
    pub(crate) legend: Option<(Legend, Location)>,
}

impl Setting<'_> {
    /// Everything around the data in a cell.
    pub(crate) fn furnish(&self, cell: Cell) -> Furniture {
        let area = self.area(cell.area);
        let (x, y) = (
            view(&self.axes.x, self.x, area.left, area.right),
            view(&self.axes.y, self.y, area.bottom, area.top),
        );
        let place = Place {
            area,
            x: x.clone(),
            y,
            size: self.size,
        };
        let twin = self
            .axes
            .twin
            .as_ref()
            .zip(self.twin_y)
            .map(|(twin, range)| Place {
                y: view(&twin.y, range, area.bottom, area.top),
                ..place.clone()
            });
        let Surroundings {
            outer,
            under,
            over,
            legend,
        } = surround(self, cell, &place, twin.as_ref());
        Furniture {
            place,
            twin,
            under,
            over,
            margins: Margins {
                left: area.left - outer.left,
                top: area.top - outer.top,
                right: outer.right - area.right,
                bottom: outer.bottom - area.bottom,
            },
            legend,
        }
    }

    /// The area, smaller in one direction if units are to be equally long.
    fn area(&self, area: Rect) -> Rect {
        if !self.axes.is_equal {
            return area;
        }
        let unit =
            (area.width() / (self.x.1 - self.x.0)).min(area.height() / (self.y.1 - self.y.0));
        let (width, height) = (unit * (self.x.1 - self.x.0), unit * (self.y.1 - self.y.0));
        let (x, y) = area.middle();
        Rect::new(
            x - width / 2.0,
            y - height / 2.0,
            x + width / 2.0,
            y + height / 2.0,
        )
    }
}

/// The axis on the page, its beginning at `from`.
fn view(axis: &Axis, (low, high): (f64, f64), from: f64, to: f64) -> View {
    let (low, high) = if axis.is_inverted {
        (high, low)
    } else {
        (low, high)
    };
    View {
        scale: axis.scale.clone(),
        low,
        high,
        from,
        to,
    }
}
