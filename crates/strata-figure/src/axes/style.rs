//! How lines and points look.

use crate::scene::{Path, Point};

/// A pattern of a line; matplotlib's, in line widths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineStyle {
    /// `-`
    #[default]
    Solid,
    /// `--`
    Dashed,
    /// `-.`
    DashDot,
    /// `:`
    Dotted,
    /// No line.
    None,
}

impl LineStyle {
    /// The pattern of the series with this number: the second cue beside its colour.
    pub const fn cycle(index: usize) -> Self {
        [Self::Solid, Self::Dashed, Self::DashDot, Self::Dotted][index % 4]
    }

    /// Lengths of dashes and gaps of a line so wide.
    pub(crate) fn dashes(self, width: f64) -> Vec<f64> {
        let pattern: &[f64] = match self {
            Self::Solid | Self::None => &[],
            Self::Dashed => &[3.7, 1.6],
            Self::DashDot => &[6.4, 1.6, 1.0, 1.6],
            Self::Dotted => &[1.0, 1.65],
        };
        pattern.iter().map(|part| part * width).collect()
    }
}

/// The shape of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Marker {
    /// `o`
    #[default]
    Circle,
    /// `s`
    Square,
    /// `^`
    TriangleUp,
    /// `D`
    Diamond,
    /// `v`
    TriangleDown,
    /// `x`
    Cross,
    /// `+`
    Plus,
}

impl Marker {
    /// The shape of the series with this number.
    pub const fn cycle(index: usize) -> Self {
        [
            Self::Circle,
            Self::Square,
            Self::TriangleUp,
            Self::Diamond,
            Self::TriangleDown,
        ][index % 5]
    }

    /// Whether it is made of lines instead of an area.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Cross | Self::Plus)
    }

    /// The outline around a point, `size` across.
    pub(crate) fn path(self, (x, y): Point, size: f64) -> Path {
        let half = size / 2.0;
        let at = |dx: f64, dy: f64| (x + dx * half, y + dy * half);
        match self {
            Self::Circle => Path::circle((x, y), half),
            Self::Square => {
                let side = 0.9;
                Path::polygon(&[
                    at(-side, -side),
                    at(side, -side),
                    at(side, side),
                    at(-side, side),
                ])
            }
            Self::TriangleUp => Path::polygon(&[at(0.0, -1.1), at(1.0, 0.9), at(-1.0, 0.9)]),
            Self::TriangleDown => Path::polygon(&[at(0.0, 1.1), at(1.0, -0.9), at(-1.0, -0.9)]),
            Self::Diamond => {
                Path::polygon(&[at(0.0, -1.2), at(1.2, 0.0), at(0.0, 1.2), at(-1.2, 0.0)])
            }
            Self::Cross => {
                let mut path = Path::line(at(-0.9, -0.9), at(0.9, 0.9));
                path.add_polyline(&[at(-0.9, 0.9), at(0.9, -0.9)]);
                path
            }
            Self::Plus => {
                let mut path = Path::line(at(-1.0, 0.0), at(1.0, 0.0));
                path.add_polyline(&[at(0.0, -1.0), at(0.0, 1.0)]);
                path
            }
        }
    }
}
