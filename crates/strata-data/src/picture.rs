//! A picture of the user's, made into an image as EMNIST's were.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use png::{ColorType, Decoder, Limits, Transformations};
use thiserror::Error;

use crate::dataset::{PIXELS, SIDE};

/// A picture that cannot be used.
#[derive(Debug, Error)]
pub enum PictureError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is not a PNG, or a damaged one.
    #[error("{} cannot be read as PNG: {problem}", .path.display())]
    Png {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        problem: String,
    },
    /// There is nothing on it.
    #[error("{} shows nothing: all of its pixels are alike", .path.display())]
    Blank {
        /// The file.
        path: PathBuf,
    },
}

/// No scan of a character needs more.
const MOST_BYTES: usize = 256 << 20;
/// The character itself; EMNIST leaves a border of two pixels.
const INK_SIDE: usize = SIDE - 4;

/// Reads a PNG as 28x28 pixels, ink light on dark ground.
///
/// Colours become grey, transparency white. A picture whose border is light is inverted. A picture of
/// 28x28 pixels is used as it is; others are cut to their ink, scaled so that it fits 24x24, and centred.
///
/// # Errors
/// See [`PictureError`].
pub fn read_picture(path: &Path) -> Result<[u8; PIXELS], PictureError> {
    let mut grey = Grey::read(path)?;
    if grey.border_mean() > 127.0 {
        grey.pixels
            .iter_mut()
            .for_each(|pixel| *pixel = 255.0 - *pixel);
    }
    if (grey.width, grey.height) == (SIDE, SIDE) {
        return Ok(std::array::from_fn(|at| grey.pixels[at].round() as u8));
    }
    let ink = grey.ink().ok_or_else(|| PictureError::Blank {
        path: path.to_owned(),
    })?;
    Ok(ink.fitted())
}

struct Grey {
    width: usize,
    height: usize,
    pixels: Vec<f32>,
}

impl Grey {
    fn read(path: &Path) -> Result<Self, PictureError> {
        let refused = |problem: String| PictureError::Png {
            path: path.to_owned(),
            problem,
        };
        let file = BufReader::new(fs_err::File::open(path)?);
        let mut decoder = Decoder::new_with_limits(file, Limits { bytes: MOST_BYTES });
        decoder.set_transformations(Transformations::normalize_to_color8());
        let mut reader = decoder
            .read_info()
            .map_err(|error| refused(error.to_string()))?;
        let size = reader
            .output_buffer_size()
            .filter(|&size| size <= MOST_BYTES);
        let mut bytes = vec![0; size.ok_or_else(|| refused("it is too large".to_owned()))?];
        let frame = reader
            .next_frame(&mut bytes)
            .map_err(|error| refused(error.to_string()))?;
        let bytes = &bytes[..frame.buffer_size()];
        let pixels: Vec<f32> = match frame.color_type {
            ColorType::Grayscale => bytes.iter().map(|&grey| f32::from(grey)).collect(),
            ColorType::GrayscaleAlpha => bytes
                .as_chunks::<2>()
                .0
                .iter()
                .map(|&[grey, alpha]| on_white(f32::from(grey), alpha))
                .collect(),
            ColorType::Rgb => bytes
                .as_chunks::<3>()
                .0
                .iter()
                .map(|&rgb| luma(rgb))
                .collect(),
            ColorType::Rgba => bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|&[r, g, b, alpha]| on_white(luma([r, g, b]), alpha))
                .collect(),
            ColorType::Indexed => return Err(refused("its palette was not expanded".to_owned())),
        };
        Ok(Self {
            width: frame.width as usize,
            height: frame.height as usize,
            pixels,
        })
    }

    fn border_mean(&self) -> f32 {
        let (mut sum, mut count) = (0.0, 0.0);
        for row in 0..self.height {
            for column in 0..self.width {
                if row == 0 || column == 0 || row + 1 == self.height || column + 1 == self.width {
                    sum += self.pixels[row * self.width + column];
                    count += 1.0;
                }
            }
        }
        sum / count
    }

    /// The part that is brighter than a quarter of the range, its ground at 0 and its ink at 255.
    fn ink(&self) -> Option<Self> {
        let least = self.pixels.iter().copied().fold(f32::INFINITY, f32::min);
        let most = self.pixels.iter().copied().fold(0.0, f32::max);
        if most - least < 8.0 {
            return None;
        }
        let threshold = least + 0.25 * (most - least);
        let is_ink = |row: usize, column: usize| self.pixels[row * self.width + column] > threshold;
        let mut rows =
            (0..self.height).filter(|&row| (0..self.width).any(|column| is_ink(row, column)));
        let top = rows.next()?;
        let bottom = rows.next_back().unwrap_or(top);
        let mut columns =
            (0..self.width).filter(|&column| (top..=bottom).any(|row| is_ink(row, column)));
        let left = columns.next()?;
        let right = columns.next_back().unwrap_or(left);
        let stretched = |pixel: f32| (pixel - least) / (most - least) * 255.0;
        let pixels = (top..=bottom)
            .flat_map(|row| (left..=right).map(move |column| (row, column)))
            .map(|(row, column)| stretched(self.pixels[row * self.width + column]));
        Some(Self {
            width: right - left + 1,
            height: bottom - top + 1,
            pixels: pixels.collect(),
        })
    }

    /// Scaled to fit 24x24 and centred; each pixel is the mean of the area it covers.
    fn fitted(&self) -> [u8; PIXELS] {
        let scale = self.width.max(self.height) as f32 / INK_SIDE as f32;
        let (left, top) = (
            (SIDE as f32 - self.width as f32 / scale) / 2.0,
            (SIDE as f32 - self.height as f32 / scale) / 2.0,
        );
        std::array::from_fn(|at| {
            let (row, column) = ((at / SIDE) as f32, (at % SIDE) as f32);
            let rows = ((row - top) * scale, (row + 1.0 - top) * scale);
            let columns = ((column - left) * scale, (column + 1.0 - left) * scale);
            (self.area_sum(rows, columns) / (scale * scale))
                .round()
                .clamp(0.0, 255.0) as u8
        })
    }

    fn area_sum(&self, rows: (f32, f32), columns: (f32, f32)) -> f32 {
        let covered = |index: usize, (from, to): (f32, f32)| {
            ((index as f32 + 1.0).min(to) - (index as f32).max(from)).max(0.0)
        };
        let range = |(from, to): (f32, f32), len: usize| {
            from.max(0.0) as usize..(to.max(0.0).ceil() as usize).min(len)
        };
        let mut sum = 0.0;
        for row in range(rows, self.height) {
            for column in range(columns, self.width) {
                sum += self.pixels[row * self.width + column]
                    * covered(row, rows)
                    * covered(column, columns);
            }
        }
        sum
    }
}

/// ITU-R BT.601.
fn luma([red, green, blue]: [u8; 3]) -> f32 {
    0.299 * f32::from(red) + 0.587 * f32::from(green) + 0.114 * f32::from(blue)
}

fn on_white(grey: f32, alpha: u8) -> f32 {
    let alpha = f32::from(alpha) / 255.0;
    grey * alpha + 255.0 * (1.0 - alpha)
}
