//! Figures: image grids as PNG, charts as SVG, graphs in letters.
//!
//! * [`ImageGrid`]: images with a title above each, in matplotlib's look (`subplots`, `imshow(cmap="gray")`, axes off).
//! * [`chart`]: lines, points, bars, heat maps.
//! * [`layered`]: directed graphs in layers, drawn in letters.
//! * [`ContactSheet`]: many small images, a row for each class.
//!
//! Grid and sheet are laid out in inches, drawn on a gray canvas, and become the bytes of a PNG; equal figures are equal bytes.

mod axes;
mod canvas;
pub mod chart;
mod color;
mod colormap;
mod contact_sheet;
mod error;
mod figure;
mod image_grid;
pub mod layered;
mod layout;
mod scale;
mod scene;
mod text;
mod ticks;
mod tile;
mod typeset;

pub use axes::{
    Axes, Axis, Band, Bars, Colorbar, Contour, Dimension, ErrorBar, GrayImage, HeatMap, Line,
    LineStyle, Location, Marker, Note, ParallelCoordinates, Reference, Scatter, Span, StepWhere,
};
pub use color::Color;
pub use colormap::Colormap;
pub use contact_sheet::{ContactSheet, SheetRow};
pub use error::FigureError;
pub use figure::{Figure, Share, TextBox};
pub use image_grid::ImageGrid;
pub use scale::Scale;
pub use ticks::TickFormat;
pub use tile::Tile;
