//! Areas for the data of all plots of a figure.

use crate::scene::Rect;

/// What sticks out of an area at each side.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Margins {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Margins {
    fn max(self, other: Self) -> Self {
        Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

/// The area of a plot's data and the larger one that is all its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) area: Rect,
    pub(crate) outer: Rect,
}

/// After so many rounds margins only grow, so that they come to rest.
const FREE_ROUNDS: usize = 3;
const MOST_ROUNDS: usize = 12;
/// No area is smaller.
const SMALLEST: f64 = 4.0;

/// How many plots there are, and how large they are beside each other.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// Shares of the columns' widths, all positive; as many as there are columns.
    pub(crate) widths: Vec<f64>,
    /// The same of the rows' heights.
    pub(crate) heights: Vec<f64>,
}

/// Cells of a grid of plots in `bounds`, row by row: areas are as large as their shares say, and between them there is room
/// for what `measure` says sticks out of each, and `gap` more.
pub(crate) fn arrange(
    shape: &Shape,
    bounds: Rect,
    gap: f64,
    measure: impl Fn(usize, Cell) -> Margins,
) -> Vec<Cell> {
    let first = Margins {
        left: gap * 4.0,
        top: gap * 2.0,
        right: gap,
        bottom: gap * 4.0,
    };
    let mut margins = vec![first; shape.heights.len() * shape.widths.len()];
    let mut cells = placed(shape, bounds, gap, &margins);
    for round in 0..MOST_ROUNDS {
        let measured: Vec<Margins> = cells
            .iter()
            .enumerate()
            .map(|(index, cell)| measure(index, *cell))
            .collect();
        let needed: Vec<Margins> = if round < FREE_ROUNDS {
            measured
        } else {
            let pairs = measured.iter().zip(&margins);
            pairs.map(|(new, old)| new.max(*old)).collect()
        };
        if needed == margins {
            break;
        }
        margins = needed;
        cells = placed(shape, bounds, gap, &margins);
    }
    cells
}

fn placed(shape: &Shape, bounds: Rect, gap: f64, margins: &[Margins]) -> Vec<Cell> {
    let (rows, columns) = (shape.heights.len(), shape.widths.len());
    let of_column = |column: usize, side: fn(&Margins) -> f64| {
        let all = (0..rows).map(|row| side(&margins[row * columns + column]));
        all.fold(0.0, f64::max)
    };
    let of_row = |row: usize, side: fn(&Margins) -> f64| {
        let all = (0..columns).map(|column| side(&margins[row * columns + column]));
        all.fold(0.0, f64::max)
    };
    let across: Vec<(f64, f64)> = (0..columns)
        .map(|column| {
            (
                of_column(column, |m| m.left),
                of_column(column, |m| m.right),
            )
        })
        .collect();
    let down: Vec<(f64, f64)> = (0..rows)
        .map(|row| (of_row(row, |m| m.top), of_row(row, |m| m.bottom)))
        .collect();
    let across = spans((bounds.left, bounds.right), gap, &across, &shape.widths);
    let down = spans((bounds.top, bounds.bottom), gap, &down, &shape.heights);
    down.iter()
        .flat_map(|y| {
            across.iter().map(move |x| Cell {
                area: Rect::new(x[1], y[1], x[2], y[2]),
                outer: Rect::new(x[0], y[0], x[3], y[3]),
            })
        })
        .collect()
}

/// Outer begin, begin, end and outer end of each cell along one direction.
fn spans(
    (from, to): (f64, f64),
    gap: f64,
    margins: &[(f64, f64)],
    shares: &[f64],
) -> Vec<[f64; 4]> {
    let gaps = gap * (margins.len() as f64 - 1.0);
    let taken: f64 = margins.iter().map(|(before, after)| before + after).sum();
    let free = to - from - taken - gaps;
    let all: f64 = shares.iter().sum();
    let mut at = from;
    margins
        .iter()
        .zip(shares)
        .map(|((before, after), share)| {
            let begin = at + before;
            let size = (free * share / all).max(SMALLEST);
            let span = [at, begin, begin + size, begin + size + after];
            at = span[3] + gap;
            span
        })
        .collect()
}
