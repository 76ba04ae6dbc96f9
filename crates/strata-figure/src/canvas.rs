//! A white gray-scale canvas that becomes a PNG.

use crate::{FigureError, Tile};

/// Longer sides make viewers fail.
const SIDE_LIMIT: usize = 32_767;
/// What a figure may take in memory, in bytes.
const AREA_LIMIT: usize = 256 << 20;

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// Where an image stands in an area that is higher than itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vertical {
    /// Right below its title.
    Top,
    /// In line with the label of its row.
    Middle,
}

#[derive(Debug)]
pub(crate) struct Canvas {
    width: usize,
    height: usize,
    dpi: u32,
    pixels: Vec<u8>,
}

impl Canvas {
    /// A white canvas of so many pixels.
    pub(crate) fn new(width: f64, height: f64, dpi: u32) -> Result<Self, FigureError> {
        let side = 1.0..=SIDE_LIMIT as f64;
        let fits = side.contains(&width) && side.contains(&height);
        if !fits || width * height > AREA_LIMIT as f64 {
            return Err(FigureError::Size {
                width,
                height,
                limit: SIDE_LIMIT,
                area: AREA_LIMIT,
            });
        }
        let (width, height) = (width as usize, height as usize);
        Ok(Self {
            width,
            height,
            dpi,
            pixels: vec![255; width * height],
        })
    }

    /// Draws the image as large as it fits into `area`, across in its middle, by nearest neighbour. Enlargement is by
    /// whole factors, so that the pixels of an image are all of one size.
    pub(crate) fn image(&mut self, tile: &Tile, area: Area, vertical: Vertical) {
        let across = area.width as f64 / tile.width as f64;
        let down = area.height as f64 / tile.height as f64;
        let mut factor = across.min(down);
        if factor >= 1.0 {
            factor = factor.floor();
        }
        let width = ((tile.width as f64 * factor) as usize).max(1);
        let height = ((tile.height as f64 * factor) as usize).max(1);
        let left = area.left + area.width.saturating_sub(width) / 2;
        let top = match vertical {
            Vertical::Top => area.top,
            Vertical::Middle => area.top + area.height.saturating_sub(height) / 2,
        };
        for y in 0..height.min(self.height.saturating_sub(top)) {
            let source = y * tile.height / height * tile.width;
            for x in 0..width.min(self.width.saturating_sub(left)) {
                self.pixels[(top + y) * self.width + left + x] =
                    tile.pixels[source + x * tile.width / width];
            }
        }
    }

    /// Lays black ink on a pixel; `coverage` from 0 to 1. Outside the canvas nothing happens.
    pub(crate) fn ink(&mut self, x: i64, y: i64, coverage: f32) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else {
            return;
        };
        if x >= self.width || y >= self.height {
            return;
        }
        let pixel = &mut self.pixels[y * self.width + x];
        let light = 1.0 - coverage.clamp(0.0, 1.0);
        *pixel = (f32::from(*pixel) * light).round() as u8;
    }

    /// The PNG, with its resolution and what made it.
    pub(crate) fn to_png(&self) -> Result<Vec<u8>, FigureError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Balanced);
        let per_metre = (f64::from(self.dpi) / 0.0254).round() as u32;
        encoder.set_pixel_dims(Some(png::PixelDimensions {
            xppu: per_metre,
            yppu: per_metre,
            unit: png::Unit::Meter,
        }));
        encoder.add_text_chunk("Software".to_owned(), "strata".to_owned())?;
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels)?;
        writer.finish()?;
        Ok(bytes)
    }
}
