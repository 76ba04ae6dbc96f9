//! A part of an image, enlarged to its size.

use super::Pixels;
use crate::dataset::{PIXELS, SIDE};

/// A rectangle within an image, for `torchvision.transforms.functional.resized_crop`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crop {
    top: usize,
    left: usize,
    height: usize,
    width: usize,
}

/// Bits behind the point of PIL's weights.
const PRECISION: u32 = 32 - 8 - 2;

/// The pixels that one is made of, and their weights. An enlargement looks at two, or at three where PIL
/// rounds so.
#[derive(Clone, Copy)]
struct Taps {
    first: usize,
    weights: [i32; 3],
}

impl Crop {
    /// The rectangle; none if it is empty or reaches beyond the image.
    pub fn new(top: usize, left: usize, height: usize, width: usize) -> Option<Self> {
        let fits = |from: usize, size: usize| size >= 1 && from <= SIDE && size <= SIDE - from;
        (fits(top, height) && fits(left, width)).then_some(Self {
            top,
            left,
            height,
            width,
        })
    }

    /// The rectangle enlarged to 28 x 28, bilinear with antialiasing as PIL's `resize` does it: first along
    /// the rows, then along the columns, in fixed point (`libImaging/Resample.c`).
    pub fn resized(&self, from: &Pixels, to: &mut Pixels) {
        let horizontal = taps(self.width);
        let vertical = taps(self.height);
        // Rows beyond the crop stay 0 and have weights of 0.
        let mut rows = [0_u8; PIXELS + 2 * SIDE];
        let sources = from.as_chunks::<SIDE>().0[self.top..].iter();
        let wide = rows.as_chunks_mut::<SIDE>().0.iter_mut();
        for (source, row) in sources.zip(wide).take(self.height) {
            let mut padded = [0_u8; SIDE + 2];
            padded[..self.width].copy_from_slice(&source[self.left..self.left + self.width]);
            for (pixel, taps) in row.iter_mut().zip(&horizontal) {
                *pixel = taps.weighted([0, 1, 2].map(|i| padded[taps.first + i]));
            }
        }
        let rows = rows.as_chunks::<SIDE>().0;
        for (row, taps) in to.as_chunks_mut::<SIDE>().0.iter_mut().zip(&vertical) {
            let [a, b, c] = [0, 1, 2].map(|i| &rows[taps.first + i]);
            for (column, pixel) in row.iter_mut().enumerate() {
                *pixel = taps.weighted([a[column], b[column], c[column]]);
            }
        }
    }
}

impl Taps {
    fn weighted(&self, pixels: [u8; 3]) -> u8 {
        let half = 1 << (PRECISION - 1);
        let products = pixels.iter().zip(&self.weights);
        let sum: i32 = products
            .map(|(&pixel, weight)| i32::from(pixel) * weight)
            .sum();
        ((half + sum) >> PRECISION).clamp(0, 255) as u8
    }
}

/// `precompute_coeffs` of PIL for the triangle filter, from `size` pixels to 28; `size` is at most 28.
fn taps(size: usize) -> [Taps; SIDE] {
    let scale = size as f64 / SIDE as f64;
    std::array::from_fn(|at| {
        let centre = (at as f64 + 0.5) * scale;
        let first = (centre - 1.0 + 0.5).max(0.0) as usize;
        let end = ((centre + 1.0 + 0.5) as usize).min(size);
        let raw: [f64; 3] = std::array::from_fn(|i| {
            let distance = ((i + first) as f64 - centre + 0.5).abs();
            if first + i < end {
                (1.0 - distance).max(0.0)
            } else {
                0.0
            }
        });
        let sum = raw[0] + raw[1] + raw[2];
        let fixed = |weight: f64| (0.5 + weight / sum * f64::from(1 << PRECISION)) as i32;
        Taps {
            first,
            weights: raw.map(fixed),
        }
    })
}
