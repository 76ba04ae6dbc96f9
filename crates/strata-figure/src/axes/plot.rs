//! What can be added to a plot.

use crate::Color;
use crate::scene::Image;

use super::artist::Artist;
use super::norm::Norm;
use super::{
    Axes, Band, Bars, Contour, Dimension, ErrorBar, GrayImage, HeatMap, Line, LineStyle, Marker,
    Note, ParallelCoordinates, Reference, Scatter, Span, StepWhere,
};

/// Adds a thing and gives it back.
macro_rules! add {
    ($axes:expr, $kind:ident, $thing:expr) => {{
        $axes.artists.push(Artist::$kind($thing));
        match $axes.artists.last_mut() {
            Some(Artist::$kind(thing)) => thing,
            _ => unreachable!("it was added in the line above"),
        }
    }};
}

impl Axes {
    /// A line through points; of lists that are not equally long what is left over is not drawn. It is broken at points that
    /// are not finite, or that a logarithmic axis has no place for.
    pub fn plot(&mut self, x: &[f64], y: &[f64]) -> &mut Line {
        let line = self.next_line(x, y);
        add!(self, Line, line)
    }

    /// The same in steps.
    pub fn step(&mut self, x: &[f64], y: &[f64], step: StepWhere) -> &mut Line {
        let mut line = self.next_line(x, y);
        line.step = Some(step);
        add!(self, Line, line)
    }

    /// The area between two lines. It takes the colour of the series before it, so a band is added after its line.
    pub fn fill_between(&mut self, x: &[f64], low: &[f64], high: &[f64]) -> &mut Band {
        let ends = low.iter().zip(high);
        let points = x.iter().zip(ends).map(|(x, (low, high))| (*x, *low, *high));
        let band = Band {
            points: points.collect(),
            color: Color::cycle(self.series.saturating_sub(1)).with_alpha(0.2),
            label: String::new(),
        };
        add!(self, Band, band)
    }

    /// Points that are not joined.
    pub fn scatter(&mut self, x: &[f64], y: &[f64]) -> &mut Scatter {
        let index = self.next();
        let scatter = Scatter {
            points: pairs(x, y),
            values: None,
            norm: Norm::default(),
            color: Color::cycle(index),
            marker: Marker::cycle(index),
            size: None,
            label: String::new(),
        };
        add!(self, Scatter, scatter)
    }

    /// Points with bars that go `error` to both sides.
    pub fn errorbar(&mut self, x: &[f64], y: &[f64], error: &[f64]) -> &mut ErrorBar {
        self.errorbar_between(x, y, error, error)
    }

    /// Points with bars that go so far below and above.
    pub fn errorbar_between(
        &mut self,
        x: &[f64],
        y: &[f64],
        below: &[f64],
        above: &[f64],
    ) -> &mut ErrorBar {
        let index = self.series;
        let mut line = self.next_line(x, y);
        line.style = LineStyle::None;
        line.marker = Some(Marker::cycle(index));
        let spreads = below.iter().zip(above);
        let points = line.points.iter().zip(spreads);
        let bars = ErrorBar {
            points: points
                .map(|((x, y), (below, above))| (*x, *y, *below, *above))
                .collect(),
            line,
            is_horizontal: false,
        };
        add!(self, ErrorBar, bars)
    }

    /// Upright bars.
    pub fn bar(&mut self, x: &[f64], heights: &[f64]) -> &mut Bars {
        self.bars(x, heights, false)
    }

    /// Lying bars.
    pub fn barh(&mut self, y: &[f64], widths: &[f64]) -> &mut Bars {
        self.bars(y, widths, true)
    }

    fn bars(&mut self, at: &[f64], lengths: &[f64], is_horizontal: bool) -> &mut Bars {
        let bars = Bars {
            at: at.to_vec(),
            lengths: lengths.to_vec(),
            is_horizontal,
            thickness: 0.8,
            shift: 0.0,
            base: Vec::new(),
            color: Color::cycle(self.next()),
            errors: Vec::new(),
            texts: Vec::new(),
            label: String::new(),
        };
        add!(self, Bars, bars)
    }

    /// A table in colours: `values` row by row, `columns` in each, cells around whole numbers from 0. The first row is at the
    /// top, as in a printed table and in matplotlib's `imshow`; name rows and columns with
    /// [`Axis::categories`](super::Axis::categories).
    pub fn heatmap(&mut self, values: &[f64], columns: usize) -> &mut HeatMap {
        let rows = values.len().checked_div(columns).unwrap_or(0);
        let edges = |cells: usize| {
            (0..=cells)
                .map(|edge| edge as f64 - 0.5)
                .collect::<Vec<_>>()
        };
        self.y.invert();
        self.pcolormesh(&edges(columns), &edges(rows), values)
    }

    /// A table in colours, its cells between the given edges: `values` row by row, the first between the first two of
    /// `y_edges`. Missing values are gray.
    pub fn pcolormesh(&mut self, x_edges: &[f64], y_edges: &[f64], values: &[f64]) -> &mut HeatMap {
        let cells = x_edges.len().saturating_sub(1) * y_edges.len().saturating_sub(1);
        let map = HeatMap {
            values: sized(values, cells),
            x_edges: x_edges.to_vec(),
            y_edges: y_edges.to_vec(),
            norm: Norm::default(),
            text: None,
        };
        add!(self, HeatMap, map)
    }

    /// A gray image, `pixels` row by row from the top, 0 black and 255 white; missing pixels are white. Pixels stay square
    /// and are not smoothed. An image without pixels is not drawn.
    pub fn imshow(&mut self, pixels: &[u8], width: usize, height: usize) {
        let Some(area) = width.checked_mul(height).filter(|area| *area > 0) else {
            return;
        };
        let mut gray = pixels.to_vec();
        gray.resize(area.min(1 << 26), 255);
        if gray.len() == area {
            self.y.invert();
            self.is_equal = true;
            self.artists.push(Artist::GrayImage(GrayImage {
                image: Image {
                    width,
                    height,
                    gray,
                },
            }));
        }
    }

    /// Lines of equal height. `z[j * x.len() + i]` is the height at `(x[i], y[j])`; where it is not finite there is no line.
    pub fn contour(&mut self, x: &[f64], y: &[f64], z: &[f64]) -> &mut Contour {
        self.contours(x, y, z, false)
    }

    /// The areas between lines of equal height, in colours.
    pub fn contourf(&mut self, x: &[f64], y: &[f64], z: &[f64]) -> &mut Contour {
        self.contours(x, y, z, true)
    }

    fn contours(&mut self, x: &[f64], y: &[f64], z: &[f64], is_filled: bool) -> &mut Contour {
        let contour = Contour {
            x: x.to_vec(),
            y: y.to_vec(),
            z: sized(z, x.len() * y.len()),
            levels: None,
            is_filled,
            color: None,
            norm: Norm::default(),
        };
        add!(self, Contour, contour)
    }

    /// A level line.
    pub fn axhline(&mut self, y: f64) -> &mut Reference {
        self.reference(y, true)
    }

    /// An upright line.
    pub fn axvline(&mut self, x: f64) -> &mut Reference {
        self.reference(x, false)
    }

    fn reference(&mut self, at: f64, is_horizontal: bool) -> &mut Reference {
        let reference = Reference {
            at,
            is_horizontal,
            color: Color::gray(0x55),
            style: LineStyle::Dashed,
            label: String::new(),
        };
        add!(self, Reference, reference)
    }

    /// A level stripe.
    pub fn axhspan(&mut self, from: f64, to: f64) -> &mut Span {
        self.span(from, to, true)
    }

    /// An upright stripe.
    pub fn axvspan(&mut self, from: f64, to: f64) -> &mut Span {
        self.span(from, to, false)
    }

    fn span(&mut self, from: f64, to: f64, is_horizontal: bool) -> &mut Span {
        let span = Span {
            from,
            to,
            is_horizontal,
            color: Color::gray(0x80).with_alpha(0.15),
            label: String::new(),
        };
        add!(self, Span, span)
    }

    /// A text with its middle at a point of the data.
    pub fn text(&mut self, x: f64, y: f64, text: impl Into<String>) -> &mut Note {
        let note = Note {
            text: text.into(),
            at: (x, y),
            offset: (0.0, 0.0),
            has_arrow: false,
            color: Color::BLACK,
            size: 0.9,
        };
        add!(self, Note, note)
    }

    /// A text beside a point of the data, `offset` points to the right and up, with a line to it.
    pub fn annotate(
        &mut self,
        text: impl Into<String>,
        (x, y): (f64, f64),
        offset: (f64, f64),
    ) -> &mut Note {
        self.text(x, y, text).arrow().offset(offset.0, offset.1)
    }

    /// An upright axis for each dimension and a line across them for each of `values`, which give its colour. Lines that
    /// come later lie over those before.
    pub fn parallel_coordinates(
        &mut self,
        dimensions: Vec<Dimension>,
        values: &[f64],
    ) -> &mut ParallelCoordinates {
        self.x
            .categories(dimensions.iter().map(|d| d.label.clone()));
        self.y.no_ticks();
        let parallel = ParallelCoordinates {
            dimensions,
            values: values.to_vec(),
            norm: Norm::default(),
        };
        add!(self, Parallel, parallel)
    }

    fn next(&mut self) -> usize {
        self.series += 1;
        self.series - 1
    }

    fn next_line(&mut self, x: &[f64], y: &[f64]) -> Line {
        let index = self.next();
        Line {
            points: pairs(x, y),
            color: Color::cycle(index),
            style: LineStyle::cycle(index),
            width: None,
            marker: None,
            marker_size: None,
            step: None,
            label: String::new(),
        }
    }
}

fn pairs(x: &[f64], y: &[f64]) -> Vec<(f64, f64)> {
    x.iter().copied().zip(y.iter().copied()).collect()
}

/// So many values, missing ones not a number.
fn sized(values: &[f64], count: usize) -> Vec<f64> {
    let mut values = values.to_vec();
    values.resize(count, f64::NAN);
    values
}
