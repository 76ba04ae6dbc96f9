//! A page with plots, and the files it becomes.

use crate::Color;
use crate::axes::{Axes, Axis, Extent, Location, Place};
use crate::error::FigureError;
use crate::layout::arrange::{Cell, Margins, Shape, arrange};
use crate::layout::furniture::{Furniture, LEGEND_SIZE, Limits, Setting};
use crate::layout::legend::Legend;
use crate::scene::{Item, PlacedText, Rect, Scene, pdf, png, svg};
use crate::typeset::Block;

/// Between plots, and from the page's edge, in ems.
const GAP: f64 = 1.0;
const EDGE: f64 = 0.4;
const TITLE_SIZE: f64 = 1.2;
const TITLE_LINES: usize = 3;
/// Labels are shortened before an area is smaller, in ems.
const LEAST_AREA: f64 = 5.0;
/// The largest part of a page that its legend may take.
const LEGEND_PART: f64 = 0.3;
/// Pages from a postage stamp to a poster, in inches.
const SIZES: std::ops::RangeInclusive<f64> = 0.5..=100.0;
const FONT_SIZES: std::ops::RangeInclusive<f64> = 1.0..=100.0;

/// Which plots of a figure have one range together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Share {
    /// Each has its own.
    #[default]
    None,
    /// All of them.
    All,
    /// Those of a row.
    Row,
    /// Those of a column.
    Column,
}

/// A figure: plots in rows and columns on a page.
///
/// It is drawn for print: text of 8 points, and lines, ticks and gaps in matplotlib's proportion to it. Common sizes are 3.3
/// inches across for a column and 6.9 for a page. What stands around the data is measured, and areas are made so large that
/// nothing overlaps and nothing is cut off; labels that have no room are turned, wrapped, thinned out or cut with an ellipsis.
/// All areas of a figure are equally large unless ratios are given. Equal figures are equal bytes.
#[derive(Debug, Clone)]
pub struct Figure {
    width: f64,
    height: f64,
    rows: usize,
    columns: usize,
    shape: Shape,
    axes: Vec<Axes>,
    share_x: Share,
    share_y: Share,
    title: String,
    description: Option<String>,
    has_legend: bool,
    font_size: f64,
}

/// Where a text of a figure stands.
#[derive(Debug, Clone, PartialEq)]
pub struct TextBox {
    /// What is written.
    pub text: String,
    /// The corners in order, in points from the upper left corner of the page, y downwards.
    pub corners: [(f64, f64); 4],
}

impl Figure {
    /// One plot on a page of so many inches; from half an inch to 100.
    pub fn new(width: f64, height: f64) -> Self {
        Self::subplots(1, 1, (width, height))
    }

    /// Rows and columns of plots, at least one of each, on a page of so many inches across and down.
    pub fn subplots(rows: usize, columns: usize, (width, height): (f64, f64)) -> Self {
        let (rows, columns) = (rows.max(1), columns.max(1));
        let inches = |size: f64| {
            if size.is_nan() {
                *SIZES.start()
            } else {
                size.clamp(*SIZES.start(), *SIZES.end())
            }
        };
        Self {
            width: inches(width) * 72.0,
            height: inches(height) * 72.0,
            rows,
            columns,
            shape: Shape {
                widths: vec![1.0; columns],
                heights: vec![1.0; rows],
            },
            axes: vec![Axes::default(); rows * columns],
            share_x: Share::None,
            share_y: Share::None,
            title: String::new(),
            description: None,
            has_legend: false,
            font_size: 8.0,
        }
    }

    /// The first plot.
    pub fn axes(&mut self) -> &mut Axes {
        &mut self.axes[0]
    }

    /// The plot in a row and a column, counted from 0.
    ///
    /// # Panics
    /// If there is no such row or column.
    pub fn at(&mut self, row: usize, column: usize) -> &mut Axes {
        assert!(
            row < self.rows && column < self.columns,
            "plot {row}, {column} of {} x {}",
            self.rows,
            self.columns
        );
        &mut self.axes[row * self.columns + column]
    }

    /// All plots, row by row, as matplotlib's `axs.flat` has them.
    pub fn flat(&mut self) -> impl Iterator<Item = &mut Axes> {
        self.axes.iter_mut()
    }

    /// Which plots have one range across. Within a column only the lowest then has numbers and a label.
    pub fn share_x(&mut self, share: Share) -> &mut Self {
        self.share_x = share;
        self
    }

    /// Which plots have one range upwards. Within a row only the first then has numbers and a label.
    pub fn share_y(&mut self, share: Share) -> &mut Self {
        self.share_y = share;
        self
    }

    /// How wide the columns of plots are beside each other, instead of equally wide. Missing ratios, and such that are not
    /// positive numbers, are 1; they are taken to be at least 0.01 and at most 100.
    pub fn width_ratios(&mut self, ratios: &[f64]) -> &mut Self {
        set_shares(&mut self.shape.widths, ratios);
        self
    }

    /// How high the rows of plots are beside each other, in the same way.
    pub fn height_ratios(&mut self, ratios: &[f64]) -> &mut Self {
        set_shares(&mut self.shape.heights, ratios);
        self
    }

    /// The line above all plots.
    pub fn suptitle(&mut self, title: impl Into<String>) -> &mut Self {
        self.title = title.into();
        self
    }

    /// What the figure shows, for those who have it read to them and for the list of a reader of PDFs; unless said, its
    /// title.
    pub fn describe(&mut self, description: impl Into<String>) -> &mut Self {
        self.description = Some(description.into());
        self
    }

    /// One legend for all plots, below them. A name that several plots have is written once.
    pub fn legend(&mut self) -> &mut Self {
        self.has_legend = true;
        self
    }

    /// The size of labels in points, from 1 to 100; everything else goes with it. It is 8 unless said otherwise; 10 is
    /// matplotlib's.
    pub fn font_size(&mut self, points: f64) -> &mut Self {
        if points.is_finite() {
            self.font_size = points.clamp(*FONT_SIZES.start(), *FONT_SIZES.end());
        }
        self
    }

    /// The text of an SVG file. Text is drawn as outlines, so no font is needed to see it.
    ///
    /// # Errors
    /// [`FigureError::Png`] if an image could not be encoded.
    pub fn to_svg(&self) -> Result<String, FigureError> {
        svg::write(&self.scene())
    }

    /// The bytes of a PDF file of one page, without dates. Its text can be searched and copied.
    ///
    /// # Errors
    /// [`FigureError::Font`] if the font could not be embedded.
    pub fn to_pdf(&self) -> Result<Vec<u8>, FigureError> {
        pdf::write(&self.scene())
    }

    /// The bytes of a PNG file with so many pixels an inch.
    ///
    /// # Errors
    /// [`FigureError::Size`] if that were none or too many to draw.
    pub fn to_png(&self, dpi: u32) -> Result<Vec<u8>, FigureError> {
        png::write(&self.scene(), dpi)
    }

    /// All texts of the figure, as they are drawn.
    pub fn text_boxes(&self) -> Vec<TextBox> {
        let items = self.scene().items;
        let texts = items.iter().filter_map(|item| match item {
            Item::Text(text) => Some(TextBox {
                text: text.block.text.clone(),
                corners: text.corners(),
            }),
            _ => None,
        });
        texts.collect()
    }

    fn scene(&self) -> Scene {
        let mut items = Vec::new();
        let bounds = self.around(&mut items);
        let mut settings = self.settings();
        let mut cells = self.cells(&mut settings, bounds);
        let mut is_moved = false;
        for (setting, cell) in settings.iter_mut().zip(&cells) {
            if setting.legend == Some(Location::Best) && hides_data(setting, *cell) {
                setting.legend = Some(Location::Below);
                is_moved = true;
            }
        }
        if is_moved {
            cells = self.cells(&mut settings, bounds);
        }
        for (setting, cell) in settings.iter().zip(cells) {
            if !setting.axes.is_blank() {
                items.append(&mut draw(setting, cell));
            }
        }
        Scene {
            width: self.width,
            height: self.height,
            title: self.shown_title(),
            items,
        }
    }

    /// Cells for all plots. Where so much stands around the data that there would be hardly room for them, the settings
    /// are changed to shorter labels.
    fn cells(&self, settings: &mut [Setting], bounds: Rect) -> Vec<Cell> {
        let arranged = |settings: &[Setting]| {
            arrange(&self.shape, bounds, self.font_size * GAP, |index, cell| {
                if settings[index].axes.is_blank() {
                    Margins::default()
                } else {
                    settings[index].furnish(cell).margins
                }
            })
        };
        let least = self.font_size * LEAST_AREA;
        let is_roomy = |cells: &[Cell]| {
            cells
                .iter()
                .all(|cell| cell.area.width() >= least && cell.area.height() >= least)
        };
        let mut cells = arranged(settings);
        for limits in Limits::TIGHTER {
            if is_roomy(&cells) {
                break;
            }
            for setting in &mut *settings {
                setting.limits = limits;
            }
            cells = arranged(settings);
        }
        cells
    }

    fn shown_title(&self) -> String {
        let titles = self.axes.iter().map(|axes| &axes.title);
        let title = self.description.as_ref().unwrap_or(&self.title);
        [title]
            .into_iter()
            .chain(titles)
            .find(|title| !title.is_empty())
            .cloned()
            .unwrap_or_default()
    }

    /// Title and legend of the figure; the rest of the page is given back.
    fn around(&self, items: &mut Vec<Item>) -> Rect {
        let size = self.font_size;
        let page = Rect::new(0.0, 0.0, self.width, self.height);
        let mut bounds = page.grown(-size * EDGE);
        let title = Block::wrapped(&self.title, size * TITLE_SIZE, bounds.width(), TITLE_LINES);
        if !title.is_empty() {
            let at = (
                bounds.middle().0 - title.width / 2.0,
                bounds.top - title.bounds().top,
            );
            bounds.top += title.height() + size * 0.6;
            items.push(Item::Text(PlacedText {
                block: title,
                at,
                rotation: 0.0,
                color: Color::BLACK,
                halo: None,
            }));
        }
        if self.has_legend {
            let mut entries = Vec::new();
            for entry in self.axes.iter().flat_map(|axes| axes.entries(size)) {
                if !entries.iter().any(|(name, _)| *name == entry.0) {
                    entries.push(entry);
                }
            }
            if !entries.is_empty() {
                let highest = bounds.height() * LEGEND_PART;
                let size = size * LEGEND_SIZE;
                let legend = Legend::in_width(&entries, size, bounds.width(), highest);
                bounds.bottom -= legend.height();
                let left = bounds.middle().0 - legend.width() / 2.0;
                items.append(&mut legend.draw((left, bounds.bottom), false));
                bounds.bottom -= size * 0.4;
            }
        }
        bounds
    }

    /// All plots with the ranges of their axes.
    fn settings(&self) -> Vec<Setting<'_>> {
        let extents: Vec<(Extent, Extent)> = self.axes.iter().map(Axes::extents).collect();
        let x = self.ranges(self.share_x, |axes| &axes.x, |index| &extents[index].0);
        let y = self.ranges(self.share_y, |axes| &axes.y, |index| &extents[index].1);
        let in_column = matches!(self.share_x, Share::All | Share::Column);
        let in_row = matches!(self.share_y, Share::All | Share::Row);
        self.axes
            .iter()
            .enumerate()
            .map(|(index, axes)| {
                let (row, column) = (index / self.columns, index % self.columns);
                let below = (row + 1..self.rows).map(|row| row * self.columns + column);
                let is_lowest = below.map(|index| &self.axes[index]).all(Axes::is_blank);
                let before = (0..column).map(|column| row * self.columns + column);
                let is_first = before.map(|index| &self.axes[index]).all(Axes::is_blank);
                Setting {
                    axes,
                    x: x[index],
                    y: y[index],
                    twin_y: axes
                        .twin
                        .as_ref()
                        .map(|twin| twin.y.range(&twin.extents().1)),
                    has_x_labels: !in_column || is_lowest,
                    has_y_labels: !in_row || is_first,
                    legend: axes.legend,
                    limits: Limits::default(),
                    size: self.font_size,
                }
            })
            .collect()
    }

    /// Ranges of one axis of all plots.
    fn ranges<'a>(
        &self,
        share: Share,
        axis: impl Fn(&Axes) -> &Axis,
        extent: impl Fn(usize) -> &'a Extent,
    ) -> Vec<(f64, f64)> {
        let group = |index: usize| match share {
            Share::None => index,
            Share::All => 0,
            Share::Row => index / self.columns,
            Share::Column => index % self.columns,
        };
        let own = self.axes.iter().enumerate();
        let own: Vec<(f64, f64)> = own
            .map(|(index, axes)| {
                let mut merged = Extent::default();
                for other in (0..self.axes.len()).filter(|other| group(*other) == group(index)) {
                    merged.merge(extent(other));
                }
                axis(axes).range(&merged)
            })
            .collect();
        let joined = |index: usize| {
            let members = (0..own.len()).filter(|other| {
                group(*other) == group(index)
                    && axis(&self.axes[*other]).scale == axis(&self.axes[index]).scale
                    && !self.axes[*other].is_blank()
            });
            members.fold(own[index], |(low, high), other| {
                (low.min(own[other].0), high.max(own[other].1))
            })
        };
        (0..own.len()).map(joined).collect()
    }
}

fn set_shares(shares: &mut [f64], ratios: &[f64]) {
    let usable = |ratio: f64| {
        if ratio > 0.0 {
            ratio.clamp(0.01, 100.0)
        } else {
            1.0
        }
    };
    for (index, share) in shares.iter_mut().enumerate() {
        *share = ratios.get(index).copied().map_or(1.0, usable);
    }
}

/// A plot with its data.
fn draw(setting: &Setting, cell: Cell) -> Vec<Item> {
    let Furniture {
        place,
        twin,
        mut under,
        mut over,
        legend,
        ..
    } = setting.furnish(cell);
    let mut data = data(setting, &place, twin.as_ref());
    if let Some((legend, location)) = legend {
        let (corner, _) = legend.corner(location, place.area, &data);
        over.append(&mut legend.draw(corner, true));
    }
    under.append(&mut data);
    under.append(&mut over);
    under
}

/// What is drawn between the axes, from below to above.
fn data(setting: &Setting, place: &Place, twin: Option<&Place>) -> Vec<Item> {
    let mut items = Vec::new();
    let twins = twin.zip(setting.axes.twin.as_deref());
    for (place, axes) in [(place, setting.axes)].into_iter().chain(twins) {
        let mut artists: Vec<_> = axes.artists.iter().collect();
        artists.sort_by_key(|artist| artist.layer());
        for artist in artists {
            artist.draw(place, &mut items);
        }
    }
    items
}

/// Whether a legend in the plot would lie over more of the data than the end of a line.
fn hides_data(setting: &Setting, cell: Cell) -> bool {
    let furniture = setting.furnish(cell);
    let Some((legend, location)) = &furniture.legend else {
        return false;
    };
    let data = data(setting, &furniture.place, furniture.twin.as_ref());
    legend.corner(*location, furniture.place.area, &data).1 > 2
}
