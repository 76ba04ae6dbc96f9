//! The display list: what stands on the page, in points (1/72 inch) from its upper left corner, y downwards.
//!
//! A [`Scene`] is a list of filled and stroked paths, texts and images in the order in which they are laid over each other.
//! It has three writers: [`svg`], [`pdf`] and [`png`].

pub(crate) mod clip;
pub(crate) mod pdf;
pub(crate) mod png;
pub(crate) mod svg;

use crate::Color;
use crate::typeset::Block;

pub(crate) type Point = (f64, f64);

/// A rectangle along the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rect {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Rect {
    pub(crate) fn new(left: f64, top: f64, right: f64, bottom: f64) -> Self {
        Self {
            left,
            top,
            right,
            bottom,
        }
    }

    pub(crate) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(crate) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub(crate) fn middle(&self) -> Point {
        (
            f64::midpoint(self.left, self.right),
            f64::midpoint(self.top, self.bottom),
        )
    }

    pub(crate) fn contains(&self, (x, y): Point) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }

    /// Larger by a margin at each side.
    pub(crate) fn grown(&self, margin: f64) -> Self {
        Self::new(
            self.left - margin,
            self.top - margin,
            self.right + margin,
            self.bottom + margin,
        )
    }

    /// The smallest that holds both.
    pub(crate) fn union(&self, other: &Self) -> Self {
        Self::new(
            self.left.min(other.left),
            self.top.min(other.top),
            self.right.max(other.right),
            self.bottom.max(other.bottom),
        )
    }

    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

/// A piece of a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Segment {
    Move(Point),
    Line(Point),
    Quad(Point, Point),
    Cubic(Point, Point, Point),
    Close,
}

/// Lines and curves.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Path(pub(crate) Vec<Segment>);

impl Path {
    pub(crate) fn line(from: Point, to: Point) -> Self {
        Self(vec![Segment::Move(from), Segment::Line(to)])
    }

    pub(crate) fn add_polyline(&mut self, points: &[Point]) {
        let Some((first, rest)) = points.split_first() else {
            return;
        };
        self.0.push(Segment::Move(*first));
        self.0
            .extend(rest.iter().map(|point| Segment::Line(*point)));
    }

    pub(crate) fn polygon(points: &[Point]) -> Self {
        let mut path = Self::default();
        path.add_polygon(points);
        path
    }

    pub(crate) fn add_polygon(&mut self, points: &[Point]) {
        if !points.is_empty() {
            self.add_polyline(points);
            self.0.push(Segment::Close);
        }
    }

    pub(crate) fn rect(rect: Rect) -> Self {
        Self::polygon(&[
            (rect.left, rect.top),
            (rect.right, rect.top),
            (rect.right, rect.bottom),
            (rect.left, rect.bottom),
        ])
    }

    pub(crate) fn circle((x, y): Point, radius: f64) -> Self {
        // The control points with which four cubics come closest to a circle.
        let handle = radius * 0.552_284_749_8;
        let quarter = |ax, ay, bx, by, cx, cy| {
            Segment::Cubic((x + ax, y + ay), (x + bx, y + by), (x + cx, y + cy))
        };
        Self(vec![
            Segment::Move((x + radius, y)),
            quarter(radius, handle, handle, radius, 0.0, radius),
            quarter(-handle, radius, -radius, handle, -radius, 0.0),
            quarter(-radius, -handle, -handle, -radius, 0.0, -radius),
            quarter(handle, -radius, radius, -handle, radius, 0.0),
            Segment::Close,
        ])
    }
}

/// How a path is stroked; corners are round.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stroke {
    pub(crate) color: Color,
    pub(crate) width: f64,
    /// Lengths of dashes and gaps by turns; empty for a solid line.
    pub(crate) dashes: Vec<f64>,
}

impl Stroke {
    pub(crate) fn solid(color: Color, width: f64) -> Self {
        Self {
            color,
            width,
            dashes: Vec::new(),
        }
    }
}

/// Pixels, row by row from the top.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Image {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// One value a pixel, black to white.
    pub(crate) gray: Vec<u8>,
}

impl Image {
    /// Every pixel `factor` times as wide and high: readers that smooth images then blur the edges of pixels only.
    pub(crate) fn enlarged(&self, factor: usize) -> Self {
        let mut gray = Vec::with_capacity(self.gray.len() * factor * factor);
        for row in self.gray.chunks_exact(self.width) {
            let wide: Vec<u8> = row
                .iter()
                .flat_map(|pixel| std::iter::repeat_n(*pixel, factor))
                .collect();
            for _ in 0..factor {
                gray.extend_from_slice(&wide);
            }
        }
        Self {
            width: self.width * factor,
            height: self.height * factor,
            gray,
        }
    }
}

/// Text on the page.
#[derive(Debug, Clone)]
pub(crate) struct PlacedText {
    pub(crate) block: Block,
    /// Where the block's origin stands: the left end of its first base line.
    pub(crate) at: Point,
    /// Degrees, counter-clockwise, around `at`.
    pub(crate) rotation: f64,
    pub(crate) color: Color,
    /// Drawn around the letters, so that they are read on anything.
    pub(crate) halo: Option<Color>,
}

impl PlacedText {
    /// The corners of the box around the text, in order.
    pub(crate) fn corners(&self) -> [Point; 4] {
        let area = self.block.bounds();
        [
            (area.left, area.top),
            (area.right, area.top),
            (area.right, area.bottom),
            (area.left, area.bottom),
        ]
        .map(|point| self.to_page(point))
    }

    /// The rectangle around the corners.
    pub(crate) fn bounds(&self) -> Rect {
        let corners = self.corners();
        let first = Rect::new(corners[0].0, corners[0].1, corners[0].0, corners[0].1);
        corners
            .iter()
            .fold(first, |all, (x, y)| all.union(&Rect::new(*x, *y, *x, *y)))
    }

    /// A point of the block on the page.
    pub(crate) fn to_page(&self, (x, y): Point) -> Point {
        let (sin, cos) = self.turn();
        (self.at.0 + x * cos + y * sin, self.at.1 - x * sin + y * cos)
    }

    /// Sine and cosine of the rotation; those of right angles are whole.
    pub(crate) fn turn(&self) -> (f64, f64) {
        if self.rotation == 0.0 {
            (0.0, 1.0)
        } else if self.rotation == 90.0 {
            (1.0, 0.0)
        } else if self.rotation == -90.0 {
            (-1.0, 0.0)
        } else {
            libm::sincos(self.rotation.to_radians())
        }
    }
}

/// A thing on the page.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    Path {
        path: Path,
        fill: Option<Color>,
        stroke: Option<Stroke>,
        clip: Option<Rect>,
    },
    Text(PlacedText),
    Image {
        area: Rect,
        image: Image,
    },
}

impl Item {
    pub(crate) fn filled(path: Path, color: Color) -> Self {
        Self::Path {
            path,
            fill: Some(color),
            stroke: None,
            clip: None,
        }
    }

    pub(crate) fn stroked(path: Path, stroke: Stroke) -> Self {
        Self::Path {
            path,
            fill: None,
            stroke: Some(stroke),
            clip: None,
        }
    }

    /// The same, shown inside a rectangle only.
    pub(crate) fn clipped(mut self, area: Rect) -> Self {
        if let Self::Path { clip, .. } = &mut self {
            *clip = Some(area);
        }
        self
    }
}

/// A page.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// For those who have the picture read to them.
    pub(crate) title: String,
    pub(crate) items: Vec<Item>,
}

/// A number with at most three decimals, as SVG and PDF take it.
pub(crate) fn rounded(value: f64) -> f64 {
    // Adding zero takes the sign from a negative one.
    (value * 1000.0).round() / 1000.0 + 0.0
}
