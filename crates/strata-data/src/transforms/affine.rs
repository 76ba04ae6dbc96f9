//! Rotation, translation, scale and shear in one map.
//!
//! The matrices are torchvision's, the sampling is PIL's (`libImaging/Geometry.c`): nearest neighbour in
//! 16.16 fixed point, or by steps of floats where the axes stay apart, so that each pixel is the one that
//! torchvision takes.

use super::Pixels;
use crate::dataset::SIDE;

/// From a place in the changed image to the one in the original that it is taken from:
/// `x = m[0]·X + m[1]·Y + m[2]`, `y = m[3]·X + m[4]·Y + m[5]`, where pixel (0, 0) has its middle at
/// (0.5, 0.5). What lies outside is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InverseAffine(pub [f64; 6]);

/// The middle of the image, about which it turns.
const CENTRE: f64 = SIDE as f64 / 2.0;
/// What PIL's fixed point can hold.
const MOST: f64 = 32_768.0;

impl InverseAffine {
    /// A rotation by degrees, counter-clockwise, as `torchvision.transforms.functional.rotate` and
    /// PIL's `Image.rotate`.
    pub fn rotation(degrees: f64) -> Self {
        let angle = -radians(degrees.rem_euclid(360.0));
        // PIL rounds to 15 digits, so that right angles are exact.
        let round = |x: f64| (x * 1e15).round() / 1e15;
        let (sin, cos) = (round(libm::sin(angle)), round(libm::cos(angle)));
        let x = cos * -CENTRE + sin * -CENTRE + CENTRE;
        let y = -sin * -CENTRE + cos * -CENTRE + CENTRE;
        Self([cos, sin, x, -sin, cos, y])
    }

    /// The map of `torchvision.transforms.functional.affine`: `angle` and the two components of `shear`
    /// in degrees, clockwise; `translate` in pixels to the right and down; `scale` above 0 enlarges.
    pub fn new(angle: f64, translate: [f64; 2], scale: f64, shear: [f64; 2]) -> Self {
        let rotation = radians(angle);
        let [shear_x, shear_y] = shear.map(radians);
        let (sin, cos) = (libm::sin(rotation - shear_y), libm::cos(rotation - shear_y));
        let (tan_x, cos_y) = (libm::tan(shear_x), libm::cos(shear_y));
        let a = cos / cos_y;
        let b = -cos * tan_x / cos_y - libm::sin(rotation);
        let c = sin / cos_y;
        let d = -sin * tan_x / cos_y + libm::cos(rotation);
        let [m0, m1, m3, m4] = [d, -b, -c, a].map(|x| x / scale);
        let [back_x, back_y] = translate.map(|shift| -CENTRE - shift);
        let x = m0 * back_x + m1 * back_y + CENTRE;
        let y = m3 * back_x + m4 * back_y + CENTRE;
        Self([m0, m1, x, m3, m4, y])
    }

    /// The changed image, by nearest neighbour.
    pub fn nearest(&self, from: &Pixels, to: &mut Pixels) {
        let [_, m1, _, m3, _, _] = self.0;
        if m1 == 0.0 && m3 == 0.0 {
            self.nearest_along_axes(from, to);
        } else if self.fits_fixed_point() {
            self.nearest_in_fixed_point(from, to);
        } else {
            self.nearest_in_floats(from, to);
        }
    }

    /// The changed image, interpolated between four pixels.
    pub fn bilinear(&self, from: &Pixels, to: &mut Pixels) {
        let m = &self.0;
        let size = SIDE as f64;
        let rows = from.as_chunks::<SIDE>().0;
        for (at, pixel) in to.iter_mut().enumerate() {
            let (column, row) = ((at % SIDE) as f64 + 0.5, (at / SIDE) as f64 + 0.5);
            let x = m[0] * column + m[1] * row + m[2];
            let y = m[3] * column + m[4] * row + m[5];
            *pixel = 0;
            if !((0.0..size).contains(&x) && (0.0..size).contains(&y)) {
                continue;
            }
            let (x, y) = (x - 0.5, y - 0.5);
            let (left, top) = (x.floor(), y.floor());
            let (dx, dy) = (x - left, y - top);
            let clip = |at: f64| at.clamp(0.0, size - 1.0) as usize;
            let along = |row: &[u8; SIDE]| {
                let (a, b) = (f64::from(row[clip(left)]), f64::from(row[clip(left + 1.0)]));
                a + (b - a) * dx
            };
            let upper = along(&rows[clip(top)]);
            let lower = along(&rows[clip(top + 1.0)]);
            *pixel = (upper + (lower - upper) * dy) as u8;
        }
    }

    /// No pixel's row depends on its column: PIL adds up steps of floats.
    fn nearest_along_axes(&self, from: &Pixels, to: &mut Pixels) {
        let [m0, _, m2, _, m4, m5] = self.0;
        let mut columns = [SIDE; SIDE];
        let mut x = m2 + m0 * 0.5;
        for column in &mut columns {
            if let Some(found) = inside(x) {
                *column = found;
            }
            x += m0;
        }
        let rows = from.as_chunks::<SIDE>().0;
        let mut y = m5 + m4 * 0.5;
        for row in to.as_chunks_mut::<SIDE>().0 {
            row.fill(0);
            if let Some(found) = inside(y) {
                for (pixel, &column) in row.iter_mut().zip(&columns) {
                    *pixel = rows[found].get(column).copied().unwrap_or(0);
                }
            }
            y += m4;
        }
    }

    fn fits_fixed_point(&self) -> bool {
        let m = &self.0;
        let size = SIDE as f64;
        let corners = [(0.0, 0.0), (size, size), (0.0, size), (size, 0.0)];
        corners.iter().all(|(x, y)| {
            (x * m[0] + y * m[1] + m[2]).abs() < MOST && (x * m[3] + y * m[4] + m[5]).abs() < MOST
        })
    }

    fn nearest_in_fixed_point(&self, from: &Pixels, to: &mut Pixels) {
        let m = &self.0;
        let fixed = |x: f64| (x * 65_536.0 + 0.5).floor() as i32;
        let [m0, m1, m3, m4] = [m[0], m[1], m[3], m[4]].map(fixed);
        let mut row_x = fixed(m[2] + m[0] * 0.5 + m[1] * 0.5);
        let mut row_y = fixed(m[5] + m[3] * 0.5 + m[4] * 0.5);
        for row in to.as_chunks_mut::<SIDE>().0 {
            let (mut x, mut y) = (row_x, row_y);
            for pixel in row {
                // A negative place becomes a very large one.
                let (column, line) = ((x >> 16) as u32, (y >> 16) as u32);
                let is_inside = column < SIDE as u32 && line < SIDE as u32;
                let at = line.wrapping_mul(SIDE as u32).wrapping_add(column) as usize;
                *pixel = if is_inside { from[at] } else { 0 };
                x = x.wrapping_add(m0);
                y = y.wrapping_add(m3);
            }
            row_x = row_x.wrapping_add(m1);
            row_y = row_y.wrapping_add(m4);
        }
    }

    /// For maps that shrink an image to a speck.
    fn nearest_in_floats(&self, from: &Pixels, to: &mut Pixels) {
        let m = &self.0;
        let (mut row_x, mut row_y) = (
            m[2] + m[0] * 0.5 + m[1] * 0.5,
            m[5] + m[3] * 0.5 + m[4] * 0.5,
        );
        let rows = from.as_chunks::<SIDE>().0;
        for row in to.as_chunks_mut::<SIDE>().0 {
            let (mut x, mut y) = (row_x, row_y);
            for pixel in row {
                *pixel = match (inside(x), inside(y)) {
                    (Some(column), Some(line)) => rows[line][column],
                    _ => 0,
                };
                x += m[0];
                y += m[3];
            }
            row_x += m[1];
            row_y += m[4];
        }
    }
}

/// The pixel in which a coordinate lies, if it lies in the image.
fn inside(coordinate: f64) -> Option<usize> {
    (0.0..SIDE as f64)
        .contains(&coordinate)
        .then_some(coordinate as usize)
}

/// As Python's `math.radians`.
fn radians(degrees: f64) -> f64 {
    degrees * (std::f64::consts::PI / 180.0)
}
