//! A grid of images, each with its title.

use crate::canvas::{Area, Canvas, Vertical};
use crate::text::Typesetter;
use crate::{FigureError, Tile};

/// A cell's side in inches: 4 x 4 images give `figsize=(8, 8)`.
const CELL: f64 = 2.0;
/// White left and right of an image, in inches.
const SIDE: f64 = 0.1;
/// White between title and image (matplotlib's `axes.titlepad` is 6 points), in points.
const TITLE_PAD: f64 = 6.0;
/// matplotlib's `axes.titlesize`, in points; titles too wide for their cell make all of them smaller.
const TITLE_POINTS: f64 = 12.0;
/// Titles do not get smaller than this, in points; what is still too wide is cut with an ellipsis.
const TITLE_POINTS_MIN: f64 = 7.0;
/// The figure's own title, in points, and the room it gets, in inches.
const HEADING_POINTS: f64 = 14.0;
const HEADING: f64 = 0.45;

/// Images row by row with a title above each, on white, without axes.
///
/// Cells are 2 x 2 inches, so 16 images in 4 columns are 8 x 8 inches: 1600 x 1600 pixels at 200 dpi.
/// Images keep their proportions and are enlarged by whole factors by nearest neighbour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageGrid {
    /// The images in reading order; may be of different sizes.
    pub tiles: Vec<Tile>,
    /// Images in a row, at least 1; fewer images than that make a narrower figure.
    pub columns: usize,
    /// Pixels per inch.
    pub dpi: u32,
    /// A line above everything, which makes the figure 0.45 inches taller.
    pub title: Option<String>,
}

impl ImageGrid {
    /// A grid that is as square as can be: 16 images are 4 x 4.
    pub fn square(tiles: Vec<Tile>, dpi: u32) -> Self {
        let root = tiles.len().isqrt();
        let columns = if root * root == tiles.len() {
            root
        } else {
            root + 1
        };
        Self {
            tiles,
            columns,
            dpi,
            title: None,
        }
    }

    /// The bytes of the PNG.
    ///
    /// # Errors
    /// Without images or columns, with pixels that do not fill an image, or of a size that cannot be drawn.
    pub fn to_png(&self) -> Result<Vec<u8>, FigureError> {
        if self.tiles.is_empty() {
            return Err(FigureError::Empty);
        }
        if self.columns == 0 {
            return Err(FigureError::NoColumns);
        }
        for (index, tile) in self.tiles.iter().enumerate() {
            tile.check(index)?;
        }
        let columns = self.columns.min(self.tiles.len());
        let rows = self.tiles.len().div_ceil(columns);
        let cell = (CELL * f64::from(self.dpi)).round();
        let heading = self.heading_px();
        let mut canvas = Canvas::new(
            columns as f64 * cell,
            rows as f64 * cell + heading as f64,
            self.dpi,
        )?;
        self.draw_heading(&mut canvas, columns as f64 * cell);
        let titles = self.titles();
        for (index, tile) in self.tiles.iter().enumerate() {
            let cell = cell as usize;
            let left = index % columns * cell;
            let top = heading + index / columns * cell;
            self.draw_cell(&mut canvas, &titles, tile, (left, top));
        }
        canvas.to_png()
    }

    fn draw_cell(
        &self,
        canvas: &mut Canvas,
        titles: &Typesetter,
        tile: &Tile,
        corner: (usize, usize),
    ) {
        let dpi = f64::from(self.dpi);
        let cell = (CELL * dpi).round() as usize;
        let side = (SIDE * dpi) as usize;
        let (left, top) = corner;
        let width = cell.saturating_sub(2 * side).max(1);
        let base = (top as f32 + titles.ascent()).round();
        let middle = left as f32 + cell as f32 / 2.0;
        titles.draw_centred(
            canvas,
            &titles.fitted(&tile.title, width as f32),
            middle,
            base,
        );
        // The band is that of the largest title, so that images keep their size when titles shrink.
        let band = (TITLE_POINTS * 1.2 + TITLE_PAD) / 72.0 * dpi;
        let image = Area {
            left: left + side,
            top: top + band as usize,
            width,
            height: cell.saturating_sub(band as usize + side).max(1),
        };
        canvas.image(tile, image, Vertical::Top);
    }

    /// The size in which the widest title fits its cell.
    fn titles(&self) -> Typesetter {
        let largest = Typesetter::new(TITLE_POINTS, self.dpi);
        let room = (CELL - 2.0 * SIDE) * f64::from(self.dpi);
        let widest = self
            .tiles
            .iter()
            .map(|tile| f64::from(largest.width(&tile.title)))
            .fold(0.0, f64::max);
        if widest <= room {
            return largest;
        }
        let points = (TITLE_POINTS * room / widest).max(TITLE_POINTS_MIN);
        Typesetter::new(points, self.dpi)
    }

    fn heading_px(&self) -> usize {
        match self.title {
            Some(_) => (HEADING * f64::from(self.dpi)).round() as usize,
            None => 0,
        }
    }

    fn draw_heading(&self, canvas: &mut Canvas, width: f64) {
        let Some(title) = &self.title else { return };
        let heading = Typesetter::new(HEADING_POINTS, self.dpi);
        let room = width - 2.0 * SIDE * f64::from(self.dpi);
        let title = heading.fitted(title, room as f32);
        let above = (self.heading_px() as f32 - heading.height()).max(0.0) / 2.0;
        heading.draw_centred(
            canvas,
            &title,
            width as f32 / 2.0,
            (above + heading.ascent()).round(),
        );
    }
}
