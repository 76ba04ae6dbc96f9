//! Lines and error bars.

use crate::Color;
use crate::scene::{Item, Path, Point, Stroke};

use super::artist::Handle;
use super::axis::Extent;
use super::place::Place;
use super::style::{LineStyle, Marker};

/// Where a step of [`Axes::step`](crate::Axes::step) is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepWhere {
    /// The value holds from the point before up to this one.
    Pre,
    /// The value holds from this point to the next.
    Post,
    /// The steps are in the middle between points.
    Mid,
}

/// A line through points, with or without markers.
#[derive(Debug, Clone)]
pub struct Line {
    pub(crate) points: Vec<Point>,
    pub(crate) color: Color,
    pub(crate) style: LineStyle,
    pub(crate) width: Option<f64>,
    pub(crate) marker: Option<Marker>,
    pub(crate) marker_size: Option<f64>,
    pub(crate) step: Option<StepWhere>,
    pub(crate) label: String,
}

impl Line {
    /// Its colour instead of the cycle's.
    pub fn color(&mut self, color: Color) -> &mut Self {
        self.color = color;
        self
    }

    /// Its pattern instead of the cycle's.
    pub fn linestyle(&mut self, style: LineStyle) -> &mut Self {
        self.style = style;
        self
    }

    /// Its width in points.
    pub fn linewidth(&mut self, width: f64) -> &mut Self {
        self.width = Some(width);
        self
    }

    /// A marker at each point.
    pub fn marker(&mut self, marker: Marker) -> &mut Self {
        self.marker = Some(marker);
        self
    }

    /// The size of markers across, in points.
    pub fn markersize(&mut self, size: f64) -> &mut Self {
        self.marker_size = Some(size);
        self
    }

    /// Its name in the legend.
    pub fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = label.into();
        self
    }

    fn stroke(&self, size: f64) -> Stroke {
        let width = positive(self.width, size * 0.16);
        Stroke {
            color: self.color,
            width,
            dashes: self.style.dashes(width),
        }
    }

    pub(super) fn extend(&self, x: &mut Extent, y: &mut Extent) {
        x.add(self.points.iter().map(|point| point.0));
        y.add(self.points.iter().map(|point| point.1));
    }

    pub(super) fn draw(&self, place: &Place, out: &mut Vec<Item>) {
        let points: Vec<Point> = self
            .points
            .iter()
            .map(|(x, y)| place.point(*x, *y))
            .collect();
        if self.style != LineStyle::None {
            let stroke = self.stroke(place.size);
            match self.step {
                Some(step) => place.line(&steps(&points, step), &stroke, out),
                None => place.line(&points, &stroke, out),
            }
        }
        if let Some(marker) = self.marker {
            let size = positive(self.marker_size, place.size * 0.5);
            for point in points.into_iter().filter(|point| place.shows(*point)) {
                out.push(marked(marker, point, size, self.color));
            }
        }
    }

    pub(super) fn handle(&self, size: f64) -> Handle {
        Handle {
            line: (self.style != LineStyle::None).then(|| self.stroke(size)),
            marker: self
                .marker
                .map(|marker| (marker, positive(self.marker_size, size * 0.5), self.color)),
            patch: None,
        }
    }
}

/// A number that a width or size can be, or what is usual.
pub(super) fn positive(given: Option<f64>, usual: f64) -> f64 {
    given
        .filter(|given| given.is_finite() && *given >= 0.0)
        .map_or(usual, |given| given.min(1e4))
}

/// Corners between points.
fn steps(points: &[Point], step: StepWhere) -> Vec<Point> {
    let mut corners = Vec::with_capacity(points.len() * 3);
    corners.extend(points.first());
    for pair in points.windows(2) {
        let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
        match step {
            StepWhere::Pre => corners.push((ax, by)),
            StepWhere::Post => corners.push((bx, ay)),
            StepWhere::Mid => {
                let middle = f64::midpoint(ax, bx);
                corners.extend([(middle, ay), (middle, by)]);
            }
        }
        corners.push((bx, by));
    }
    corners
}

/// A marker with a thin light edge, so that those that lie over each other are told apart.
pub(crate) fn marked(marker: Marker, at: Point, size: f64, color: Color) -> Item {
    let path = marker.path(at, size);
    if marker.is_open() {
        return Item::stroked(path, Stroke::solid(color, size * 0.25));
    }
    Item::Path {
        path,
        fill: Some(color),
        stroke: Some(Stroke::solid(Color::WHITE, size * 0.08)),
        clip: None,
    }
}

/// Points with a spread in y.
#[derive(Debug, Clone)]
pub struct ErrorBar {
    /// x, y, and how far the bar goes below and above.
    pub(crate) points: Vec<(f64, f64, f64, f64)>,
    pub(crate) line: Line,
    pub(crate) is_horizontal: bool,
}

impl ErrorBar {
    /// Colour of line, markers and bars.
    pub fn color(&mut self, color: Color) -> &mut Self {
        self.line.color = color;
        self
    }

    /// The line that joins the points; there is none unless asked for.
    pub fn linestyle(&mut self, style: LineStyle) -> &mut Self {
        self.line.style = style;
        self
    }

    /// The shape of the points.
    pub fn marker(&mut self, marker: Marker) -> &mut Self {
        self.line.marker = Some(marker);
        self
    }

    /// Their name in the legend.
    pub fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.line.label = label.into();
        self
    }

    /// The spread is in x.
    pub fn horizontal(&mut self) -> &mut Self {
        self.is_horizontal = true;
        self
    }

    pub(super) fn extend(&self, x: &mut Extent, y: &mut Extent) {
        let spread = |value: f64, below: f64, above: f64| [value, value - below, value + above];
        if self.is_horizontal {
            x.add(self.points.iter().flat_map(|p| spread(p.0, p.2, p.3)));
            y.add(self.points.iter().map(|p| p.1));
        } else {
            x.add(self.points.iter().map(|p| p.0));
            y.add(self.points.iter().flat_map(|p| spread(p.1, p.2, p.3)));
        }
    }

    pub(super) fn draw(&self, place: &Place, out: &mut Vec<Item>) {
        for &(x, y, below, above) in &self.points {
            let (low, high) = if self.is_horizontal {
                (place.point(x - below, y), place.point(x + above, y))
            } else {
                (place.point(x, y - below), place.point(x, y + above))
            };
            whisker(place, low, high, self.line.color, out);
        }
        self.line.draw(place, out);
    }

    pub(super) fn handle(&self, size: f64) -> Handle {
        self.line.handle(size)
    }
}

/// A line with a cap at both ends; an end without a place is the axis' own end.
pub(super) fn whisker(place: &Place, low: Point, high: Point, color: Color, out: &mut Vec<Item>) {
    let cap = place.size * 0.25;
    let is_horizontal = low.1 == high.1;
    let low = if is_horizontal && low.0.is_nan() {
        (place.x.from, low.1)
    } else if low.1.is_nan() && !high.1.is_nan() {
        (low.0, place.y.from)
    } else {
        low
    };
    let stroke = Stroke::solid(color, place.size * 0.12);
    place.line(&[low, high], &stroke, out);
    for (x, y) in [low, high] {
        if !place.shows((x, y)) {
            continue;
        }
        let (dx, dy) = if is_horizontal {
            (0.0, cap)
        } else {
            (cap, 0.0)
        };
        out.push(Item::stroked(
            Path::line((x - dx, y - dy), (x + dx, y + dy)),
            stroke.clone(),
        ));
    }
}
