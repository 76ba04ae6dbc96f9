//! A contact sheet: many small images, a row for each class.

use crate::canvas::{Area, Canvas, Vertical};
use crate::text::Typesetter;
use crate::{FigureError, Tile};

/// From one image to the next, in inches.
const CELL: f64 = 0.45;
/// White around the sheet and beside the labels, in inches.
const MARGIN: f64 = 0.15;
/// White between two images, in inches.
const GAP: f64 = 0.03;
/// The height of the labels' letters, in points.
const LABEL_POINTS: f64 = 12.0;
/// Labels get no wider than this, in inches; longer ones are cut with an ellipsis.
const LABEL_WIDTH: f64 = 3.0;
/// The sheet's title, in points, and the room it gets, in inches.
const HEADING_POINTS: f64 = 14.0;
const HEADING: f64 = 0.35;

/// The images of one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetRow {
    /// Left of the images: the class.
    pub label: String,
    /// From left to right; their titles are not drawn.
    pub tiles: Vec<Tile>,
}

/// Rows of small images with labels at the left, for looking at a data set as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactSheet {
    /// From top to bottom; rows may be of different lengths, and empty as long as one is not.
    pub rows: Vec<SheetRow>,
    /// Pixels per inch; images have 0.42 inches, so that 28 x 28 is shown 3 times as large at 200.
    pub dpi: u32,
    /// A line above everything.
    pub title: Option<String>,
}

impl ContactSheet {
    /// The bytes of the PNG.
    ///
    /// # Errors
    /// As [`ImageGrid::to_png`](crate::ImageGrid::to_png).
    pub fn to_png(&self) -> Result<Vec<u8>, FigureError> {
        let columns = self.rows.iter().map(|row| row.tiles.len()).max();
        let columns = columns.unwrap_or(0);
        if columns == 0 {
            return Err(FigureError::Empty);
        }
        let tiles = self.rows.iter().flat_map(|row| &row.tiles);
        for (index, tile) in tiles.enumerate() {
            tile.check(index)?;
        }
        let cell = self.px(CELL);
        let labels = Typesetter::new(LABEL_POINTS, self.dpi);
        let left = self.label_px(&labels) + 2.0 * self.px(MARGIN);
        let top = self.px(MARGIN) + self.heading_px();
        let width = left + columns as f64 * cell + self.px(MARGIN);
        let height = top + self.rows.len() as f64 * cell + self.px(MARGIN);
        let mut canvas = Canvas::new(width, height, self.dpi)?;
        self.draw_heading(&mut canvas, width);
        for (index, row) in self.rows.iter().enumerate() {
            let top = top + index as f64 * cell;
            self.draw_label(
                &mut canvas,
                &labels,
                &row.label,
                (left - self.px(MARGIN), top),
            );
            for (column, tile) in row.tiles.iter().enumerate() {
                let side = (cell - self.px(GAP)).max(1.0) as usize;
                let area = Area {
                    left: (left + column as f64 * cell) as usize,
                    top: top as usize,
                    width: side,
                    height: side,
                };
                canvas.image(tile, area, Vertical::Middle);
            }
        }
        canvas.to_png()
    }

    /// The label ends at `end.0`, in the middle of the row that begins at `end.1`.
    fn draw_label(&self, canvas: &mut Canvas, labels: &Typesetter, label: &str, end: (f64, f64)) {
        let label = labels.fitted(label, self.px(LABEL_WIDTH) as f32);
        let above = (self.px(CELL - GAP) as f32 - labels.height()) / 2.0;
        let base = (end.1 as f32 + above + labels.ascent()).round();
        labels.draw(canvas, &label, end.0 as f32 - labels.width(&label), base);
    }

    fn label_px(&self, labels: &Typesetter) -> f64 {
        let widest = self
            .rows
            .iter()
            .map(|row| f64::from(labels.width(&row.label)))
            .fold(0.0, f64::max);
        widest.min(self.px(LABEL_WIDTH)).ceil()
    }

    fn draw_heading(&self, canvas: &mut Canvas, width: f64) {
        let Some(title) = &self.title else { return };
        let heading = Typesetter::new(HEADING_POINTS, self.dpi);
        let title = heading.fitted(title, (width - 2.0 * self.px(MARGIN)) as f32);
        let base = (self.px(MARGIN) as f32 + heading.ascent()).round();
        heading.draw_centred(canvas, &title, width as f32 / 2.0, base);
    }

    fn heading_px(&self) -> f64 {
        if self.title.is_some() {
            self.px(HEADING)
        } else {
            0.0
        }
    }

    fn px(&self, inches: f64) -> f64 {
        (inches * f64::from(self.dpi)).round()
    }
}
