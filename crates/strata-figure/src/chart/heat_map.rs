//! A table of numbers in shades.

use super::frame::{Frame, names_as_ticks};
use super::palette::shade;
use super::svg::{Anchor, INK, TEXT_SIZE, width};
use super::ticks::short;

/// The largest area of the data.
const SIDE: f64 = 420.0;
const LARGEST_CELL: f64 = 56.0;

/// Numbers by row and column, dark where they are large: a confusion matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    /// Above it.
    pub title: String,
    /// Below the columns.
    pub x_label: String,
    /// Beside the rows.
    pub y_label: String,
    /// Names of the columns, from left to right.
    pub columns: Vec<String>,
    /// Names of the rows, from above to below.
    pub rows: Vec<String>,
    /// `values[row][column]`, none of them negative.
    pub values: Vec<Vec<f64>>,
    /// The number that is darkest: 1 for parts of a whole, otherwise the largest.
    pub darkest: Option<f64>,
}

impl HeatMap {
    /// The picture. Cells that are wide enough show their numbers; all do when they are pointed at.
    pub fn to_svg(&self) -> String {
        let count = self.columns.len().max(self.rows.len()).max(1);
        let cell = (SIDE / count as f64).min(LARGEST_CELL);
        let upwards: Vec<String> = self.rows.iter().rev().cloned().collect();
        let frame = Frame {
            title: self.title.clone(),
            x_label: self.x_label.clone(),
            y_label: self.y_label.clone(),
            x_ticks: names_as_ticks(&self.columns),
            y_ticks: names_as_ticks(&upwards),
            ..Frame::default()
        };
        let (columns, rows) = (
            self.columns.len().max(1) as f64,
            self.rows.len().max(1) as f64,
        );
        let (mut svg, area) = frame.draw(cell * columns, cell * rows);
        let largest = self.values.iter().flatten().copied().fold(0.0, f64::max);
        let darkest = self.darkest.unwrap_or(largest).max(f64::MIN_POSITIVE);
        for (row, (name, values)) in self.rows.iter().zip(&self.values).enumerate() {
            for (column, (column_name, &value)) in self.columns.iter().zip(values).enumerate() {
                let (left, top) = area.point(column as f64 / columns, 1.0 - row as f64 / rows);
                let (fill, is_dark) = shade(value / darkest);
                let number = short(value);
                let note = format!("{name}, {column_name}: {number}");
                svg.rectangle((left, top), (cell, cell), &fill, &note);
                if width(&number, TEXT_SIZE) + 4.0 <= cell && TEXT_SIZE + 4.0 <= cell {
                    let ink = if is_dark { "#ffffff" } else { INK };
                    let middle = (left + cell / 2.0, top + cell / 2.0 + TEXT_SIZE / 3.0);
                    svg.write(middle, Anchor::Middle, TEXT_SIZE, ink, &number);
                }
            }
        }
        svg.finish()
    }
}
