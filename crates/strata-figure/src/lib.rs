//! Figures: image grids as PNG.
