//! The EMNIST pipeline: from strokes to 28×28 pixels as NIST's forms became EMNIST.
//!
//! EMNIST blurs the scanned 128×128 character with a Gaussian (σ = 1), crops it to its bounding
//! box, centres that in a square with a border of two pixels and the aspect ratio kept, and
//! resamples to 28×28, stretched to the full range of intensities (Cohen et al. 2017, section II).
//! All of it is linear in the ink but the crop, so here the strokes are put into their final place
//! first and drawn there with [`OVERSAMPLING`]² samples a pixel, as fine as the scan; blur and
//! resampling are then one separable filter.

use super::hand::Hand;
use super::pen::Stroke;
use super::raster::Canvas;
use crate::random::Random;
use crate::random::exp;

/// Pixels along a side of a picture.
pub(super) const SIDE: usize = 28;
/// Pixels of a picture.
pub(super) const PIXELS: usize = SIDE * SIDE;
/// Samples along a side of a pixel.
const OVERSAMPLING: usize = 4;
const CANVAS_SIDE: usize = SIDE * OVERSAMPLING;
/// Samples that the filter reaches beyond the pixel at most.
const MAX_REACH: usize = 12;

/// The buffers of the pipeline, reused from picture to picture.
pub(super) struct Pipeline {
    canvas: Canvas,
    ink: Vec<f32>,
    columns_filtered: Vec<f32>,
    picture: Vec<f32>,
}

impl Pipeline {
    pub(super) fn new() -> Self {
        Self {
            canvas: Canvas::new(CANVAS_SIDE),
            ink: vec![0.0; CANVAS_SIDE * CANVAS_SIDE],
            columns_filtered: vec![0.0; SIDE * CANVAS_SIDE],
            picture: vec![0.0; PIXELS],
        }
    }

    /// Renders the strokes, which may have any size and place, into `pixels` (784, row by row).
    pub(super) fn render(
        &mut self,
        strokes: &[Stroke],
        hand: &Hand,
        random: &mut Random,
        pixels: &mut [u8],
    ) {
        // The character was 40 to 80 samples tall in its scan: σ = 1 there is σ here.
        let blur = (0.42 * random.log_normal(0.3)).clamp(0.2, 0.9);
        let long_side = random.between(22.0, 24.6);
        let radius = hand.ink_width * 0.5 * OVERSAMPLING as f32;
        let frame = Frame::fit(
            strokes,
            long_side * OVERSAMPLING as f32 - 2.0 * radius,
            random,
        );

        self.canvas.clear();
        for stroke in strokes {
            let mut from = frame.place(stroke.points[0]);
            if stroke.points.len() == 1 {
                self.canvas.line(from, from, radius * stroke.pressure);
            }
            for &point in &stroke.points[1..] {
                let to = frame.place(point);
                self.canvas.line(from, to, radius * stroke.pressure);
                from = to;
            }
        }
        self.canvas.coverage(radius, &mut self.ink);
        self.filter(&Filter::new(blur * OVERSAMPLING as f32));
        stretch(&self.picture, pixels);
    }

    /// Blurs and resamples the ink into the picture, columns first, then rows.
    fn filter(&mut self, filter: &Filter) {
        for y in 0..SIDE {
            let out = &mut self.columns_filtered[y * CANVAS_SIDE..][..CANVAS_SIDE];
            out.fill(0.0);
            for (row, weight) in filter.taps(y) {
                let ink = &self.ink[row * CANVAS_SIDE..][..CANVAS_SIDE];
                for (out, ink) in out.iter_mut().zip(ink) {
                    *out += weight * ink;
                }
            }
        }
        for y in 0..SIDE {
            let row = &self.columns_filtered[y * CANVAS_SIDE..][..CANVAS_SIDE];
            for (x, out) in self.picture[y * SIDE..][..SIDE].iter_mut().enumerate() {
                *out = filter
                    .taps(x)
                    .map(|(column, weight)| weight * row[column])
                    .sum();
            }
        }
    }
}

/// Where the writing goes: its bounding box scaled to size and centred on the canvas.
struct Frame {
    scale: f32,
    centre: [f32; 2],
    target: [f32; 2],
}

impl Frame {
    /// Fits the longer side of the strokes' bounding box, without the ink's width, to `size`.
    fn fit(strokes: &[Stroke], size: f32, random: &mut Random) -> Self {
        let mut low = [f32::MAX; 2];
        let mut high = [f32::MIN; 2];
        for point in strokes.iter().flat_map(|stroke| &stroke.points) {
            for axis in 0..2 {
                low[axis] = low[axis].min(point[axis]);
                high[axis] = high[axis].max(point[axis]);
            }
        }
        let longer = (high[0] - low[0]).max(high[1] - low[1]).max(1.0);
        // The crop falls on whole pixels of the scan, so the centre is not exact.
        let middle = 0.5 * CANVAS_SIDE as f32;
        let target = [0, 1].map(|_| middle + random.between(-0.5, 0.5) * OVERSAMPLING as f32);
        Self {
            scale: size / longer,
            centre: [0, 1].map(|axis| f32::midpoint(low[axis], high[axis])),
            target,
        }
    }

    fn place(&self, point: [f32; 2]) -> [f32; 2] {
        [0, 1].map(|axis| (point[axis] - self.centre[axis]) * self.scale + self.target[axis])
    }
}

/// A Gaussian of the blur's width, averaged over a pixel: the weights of the samples about one.
struct Filter {
    weights: [f32; OVERSAMPLING + 2 * MAX_REACH],
    reach: usize,
}

impl Filter {
    /// `sigma` in samples.
    fn new(sigma: f32) -> Self {
        let reach = ((3.0 * sigma) as usize).clamp(1, MAX_REACH);
        let gaussian = |d: f32| exp(-d * d / (2.0 * sigma * sigma));
        let mut weights = [0.0; OVERSAMPLING + 2 * MAX_REACH];
        for offset in 0..=2 * reach {
            let weight = gaussian(offset as f32 - reach as f32);
            for within in 0..OVERSAMPLING {
                weights[offset + within] += weight;
            }
        }
        let total: f32 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= total;
        }
        Self { weights, reach }
    }

    /// The samples and weights of pixel `i` along one axis; the canvas ends without ink.
    fn taps(&self, i: usize) -> impl Iterator<Item = (usize, f32)> {
        let first = (i * OVERSAMPLING) as isize - self.reach as isize;
        let skip = (-first).max(0) as usize;
        let start = first.max(0) as usize;
        let end = ((i + 1) * OVERSAMPLING + self.reach).min(CANVAS_SIDE);
        (start..end).zip(self.weights[skip..].iter().copied())
    }
}

/// Stretches intensities so that the strongest is 255.
fn stretch(picture: &[f32], pixels: &mut [u8]) {
    let strongest = picture
        .iter()
        .fold(1e-6f32, |a, &b| if a > b { a } else { b });
    let scale = 255.0 / strongest;
    for (pixel, ink) in pixels.iter_mut().zip(picture) {
        *pixel = (ink * scale + 0.5) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The filter neither adds nor loses ink, and is symmetric.
    #[test]
    fn the_filter_keeps_the_ink() {
        for sigma in [0.8, 1.7, 3.6] {
            let filter = Filter::new(sigma);
            let taps: Vec<f32> = filter.taps(14).map(|(_, weight)| weight).collect();

            assert!((taps.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            assert!(
                taps.iter()
                    .zip(taps.iter().rev())
                    .all(|(a, b)| (a - b).abs() < 1e-6)
            );
        }
    }

    /// A stroke far from the origin and of any size ends up centred, 22 to 25 pixels long.
    #[test]
    fn the_writing_is_centred_and_scaled() {
        let points = vec![[1000.0, -400.0], [1000.0, -100.0]];
        let strokes = [Stroke {
            points,
            pressure: 1.0,
        }];
        let mut random = Random::stream(5, 0, 0);
        let hand = Hand::sample(&mut random);
        let mut pixels = [0; PIXELS];

        Pipeline::new().render(&strokes, &hand, &mut random, &mut pixels);

        let inked: Vec<usize> = (0..SIDE)
            .filter(|y| pixels[y * SIDE..][..SIDE].iter().any(|&p| p > 127))
            .collect();
        assert!((21..=26).contains(&inked.len()), "{} rows", inked.len());
        assert!(pixels[14 * SIDE + 13].max(pixels[14 * SIDE + 14]) > 127);
        assert_eq!(pixels.iter().max(), Some(&255));
    }
}
