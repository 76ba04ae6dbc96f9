//! Figures for papers and screens; the crate knows no runs.
//!
//! * [`Figure`]: plots in rows and columns on a page, as SVG, PDF and PNG. Its [`Axes`] have matplotlib's methods: lines, bands,
//!   points, error bars, steps, bars, maps, images, contours, reference lines, notes, a second axis, parallel coordinates. [`griddata`] makes a grid for contours of scattered points.
//! * [`ImageGrid`]: images with a title above each, in matplotlib's look (`subplots`, `imshow(cmap="gray")`, axes off), and
//!   [`ContactSheet`]: many small images, a row for each class. Both are PNG, with images enlarged by whole factors.
//! * [`chart`]: lines, points, bars and maps as small SVG for pages.
//! * [`layered`]: directed graphs in layers, drawn in letters.
//!
//! The way of a figure: `axes` hold what is to be drawn, in data units; each axis gets its range from the data (`axes::axis`) and
//! its ticks from matplotlib's rules (`ticks`). `layout` furnishes each plot with ticks, labels, title, legend and colour bar,
//! measures them (`typeset`), and finds the areas in which everything fits. Artists and furniture become one display list in
//! points (`scene`), which three writers turn into files: `scene::svg`, `scene::pdf`, `scene::png`.
//!
//! Nothing depends on the machine: the font and the colour maps are in the program, coordinates are rounded, logarithms and
//! powers come from `libm`, and there are no dates. Equal figures are equal bytes. No data make a figure fail: what is not
//! finite, or has no place on an axis, is not drawn.

mod axes;
mod canvas;
pub mod chart;
mod color;
mod colormap;
mod contact_sheet;
mod error;
mod figure;
mod griddata;
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
pub use griddata::griddata;
pub use image_grid::ImageGrid;
pub use scale::Scale;
pub use ticks::TickFormat;
pub use tile::Tile;
