//! Lines and points between two axes.

use super::frame::{Frame, Key, names_as_ticks};
use super::palette::{colour, dash};
use super::ticks::Scale;

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 280.0;

/// How points of a series are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Joined, in their order.
    Line,
    /// Each for itself.
    Points,
}

/// Points that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// For the legend.
    pub name: String,
    /// `x` and `y`; a point that is not finite interrupts a line.
    pub points: Vec<(f64, f64)>,
    /// Series of one number have one colour.
    pub colour: usize,
    /// Series of one number have the same dashes; 0 is a solid line.
    pub dash: usize,
}

/// Series in one picture. The legend names them if there are several.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Above it.
    pub title: String,
    /// Below the horizontal axis.
    pub x_label: String,
    /// Beside the vertical axis.
    pub y_label: String,
    /// Names of the horizontal axis: `x` counts them from 0. Without any `x` are numbers.
    pub names: Vec<String>,
    /// How points are shown.
    pub mark: Mark,
    /// What is drawn; the last is on top.
    pub series: Vec<Series>,
}

impl Chart {
    /// The picture.
    pub fn to_svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let y = Scale::around(points().map(|point| point.1), 6);
        let x = if self.names.is_empty() {
            Scale::around(points().map(|point| point.0), 7)
        } else {
            Scale {
                low: -0.5,
                high: self.names.len() as f64 - 0.5,
                ticks: Vec::new(),
            }
        };
        let numbers = |scale: &Scale| {
            let ticks = scale.ticks.iter();
            ticks
                .map(|(value, label)| (scale.part(*value), label.clone()))
                .collect()
        };
        let frame = Frame {
            title: self.title.clone(),
            x_label: self.x_label.clone(),
            y_label: self.y_label.clone(),
            x_ticks: if self.names.is_empty() {
                numbers(&x)
            } else {
                names_as_ticks(&self.names)
            },
            y_ticks: numbers(&y),
            has_grid: true,
            legend: self.legend(),
        };
        let (mut svg, area) = frame.draw(WIDTH, HEIGHT);
        for series in &self.series {
            let points = series.points.iter().map(|&(horizontal, vertical)| {
                let is_finite = horizontal.is_finite() && vertical.is_finite();
                is_finite.then(|| area.point(x.part(horizontal), y.part(vertical)))
            });
            let points: Vec<Option<(f64, f64)>> = points.collect();
            for run in points.split(Option::is_none) {
                let run: Vec<(f64, f64)> = run.iter().flatten().copied().collect();
                // A line of one point would not be seen.
                if self.mark == Mark::Line && run.len() > 1 {
                    svg.path(&run, colour(series.colour), dash(series.dash));
                } else {
                    for point in run {
                        svg.dot(point, colour(series.colour));
                    }
                }
            }
        }
        svg.finish()
    }

    fn legend(&self) -> Vec<Key> {
        if self.series.len() < 2 {
            return Vec::new();
        }
        let keys = self.series.iter().map(|series| Key {
            name: series.name.clone(),
            colour: colour(series.colour),
            dash: (self.mark == Mark::Line).then(|| dash(series.dash)),
        });
        keys.collect()
    }
}
