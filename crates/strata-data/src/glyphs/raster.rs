//! Drawing: the ink that a round pen leaves along short straight lines.

/// A square canvas on which the nearest line is kept for every sample.
///
/// Samples hold `d²/r²`, the squared distance to the nearest line over the squared radius of its
/// ink, so that drawing a line is one pass of minima without a square root.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    side: usize,
    nearest: Vec<f32>,
}

/// Stands for "no ink near": far outside of any pen.
const FAR: f32 = 1e6;

impl Canvas {
    pub(super) fn new(side: usize) -> Self {
        Self {
            side,
            nearest: vec![FAR; side * side],
        }
    }

    pub(super) fn clear(&mut self) {
        self.nearest.fill(FAR);
    }

    /// Draws a line with round ends; coordinates and `radius` in samples.
    pub(super) fn line(&mut self, from: [f32; 2], to: [f32; 2], radius: f32) {
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let inverse_length2 = 1.0 / (dx * dx + dy * dy).max(1e-6);
        let inverse_radius2 = 1.0 / (radius * radius);
        let columns = self.range(from[0], to[0], radius);
        for y in self.range(from[1], to[1], radius) {
            let py = y as f32 + 0.5 - from[1];
            let row = &mut self.nearest[y * self.side..][..self.side][columns.clone()];
            let mut px = columns.start as f32 + 0.5 - from[0];
            for nearest in row {
                let t = (px * dx + py * dy) * inverse_length2;
                // Plain comparisons, as `clamp` keeps NaN and is slower for it.
                let t = if t > 0.0 { t } else { 0.0 };
                let t = if t < 1.0 { t } else { 1.0 };
                let (ex, ey) = (px - t * dx, py - t * dy);
                let distance2 = (ex * ex + ey * ey) * inverse_radius2;
                *nearest = if distance2 < *nearest {
                    distance2
                } else {
                    *nearest
                };
                px += 1.0;
            }
        }
    }

    /// The samples along one axis that a line may touch.
    fn range(&self, a: f32, b: f32, radius: f32) -> std::ops::Range<usize> {
        let reach = radius + 1.0;
        let start = (a.min(b) - reach).max(0.0) as usize;
        let end = (a.max(b) + reach).ceil().max(0.0) as usize;
        start.min(self.side)..end.min(self.side)
    }

    /// Writes the share of each sample that is inked, 0 to 1, for a pen of this `radius`.
    pub(super) fn coverage(&self, radius: f32, out: &mut [f32]) {
        for (out, &nearest) in out.iter_mut().zip(&self.nearest) {
            let ink = radius * (1.0 - nearest.sqrt()) + 0.5;
            let ink = if ink > 0.0 { ink } else { 0.0 };
            *out = if ink < 1.0 { ink } else { 1.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The inked area of a line with round ends is that of a rectangle and a circle.
    #[test]
    fn a_line_has_the_area_of_its_shape() {
        let mut canvas = Canvas::new(64);
        let mut ink = vec![0.0; 64 * 64];

        canvas.line([16.0, 20.0], [46.0, 40.0], 5.0);
        canvas.coverage(5.0, &mut ink);

        let area: f32 = ink.iter().sum();
        let expected = 10.0 * (30.0f32 * 30.0 + 20.0 * 20.0).sqrt() + 25.0 * std::f32::consts::PI;
        assert!(
            (area / expected - 1.0).abs() < 0.01,
            "{area} for {expected}"
        );
    }

    /// A line that leaves the canvas is cut off, not an error.
    #[test]
    fn a_line_may_leave_the_canvas() {
        let mut canvas = Canvas::new(16);
        let mut ink = vec![0.0; 16 * 16];

        canvas.line([-50.0, 8.0], [200.0, 8.0], 2.0);
        canvas.line([-50.0, -50.0], [-40.0, -40.0], 2.0);
        canvas.coverage(2.0, &mut ink);

        assert_eq!(ink[8 * 16], 1.0);
        assert_eq!(ink[0], 0.0);
    }
}
