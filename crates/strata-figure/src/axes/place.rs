//! Where the data of an axes stand on the page.

use crate::scale::View;
use crate::scene::{Item, Path, Point, Rect, Stroke, clip};

/// The area of a plot with its two axes.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) area: Rect,
    pub(crate) x: View,
    pub(crate) y: View,
    /// The figure's font size, which lines and gaps go with.
    pub(crate) size: f64,
}

/// How far outside of its area a line is still drawn before it is clipped: more than a line is wide.
const BEYOND: f64 = 12.0;
/// How wide a stripe is in which a line is seen by its ends and extremes only, in points: less than a pixel of a printer.
const NEAR: f64 = 0.2;

impl Place {
    /// A point of the data; NaN where it has no place.
    pub(crate) fn point(&self, x: f64, y: f64) -> Point {
        (self.x.at(x), self.y.at(y))
    }

    /// The line through the points, broken where one has no place, and shown inside the area.
    pub(crate) fn line(&self, points: &[Point], stroke: &Stroke, out: &mut Vec<Item>) {
        let mut path = Path::default();
        for part in clip::polyline(points, self.area.grown(BEYOND)) {
            if let [point] = part[..] {
                // A line through one point would not be seen.
                let dot = Item::filled(Path::circle(point, stroke.width), stroke.color);
                out.push(dot.clipped(self.area));
                continue;
            }
            path.add_polyline(&thinned(&part));
        }
        if !path.0.is_empty() {
            out.push(Item::stroked(path, stroke.clone()).clipped(self.area));
        }
    }

    /// The polygon as far as it is near the area.
    pub(crate) fn polygon(&self, points: &[Point]) -> Path {
        Path::polygon(&clip::polygon(points, self.area.grown(BEYOND)))
    }

    /// The rectangle between two points, as far as it is near the area; nothing if they have no places.
    pub(crate) fn rect(&self, (ax, ay): Point, (bx, by): Point) -> Option<Rect> {
        let near = self.area.grown(BEYOND);
        if [ax, ay, bx, by].iter().any(|value| value.is_nan()) {
            return None;
        }
        let rect = Rect::new(
            ax.min(bx).max(near.left),
            ay.min(by).max(near.top),
            ax.max(bx).min(near.right),
            ay.max(by).min(near.bottom),
        );
        (rect.left <= rect.right && rect.top <= rect.bottom).then_some(rect)
    }

    /// Whether a point is in the area or on its edge.
    pub(crate) fn shows(&self, point: Point) -> bool {
        self.area.grown(0.01).contains(point)
    }
}

/// A line that looks the same: of points that follow each other within a narrow stripe, only the first, the lowest, the highest
/// and the last, so that a metric of every step does not make files of megabytes.
fn thinned(points: &[Point]) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::with_capacity(points.len().min(10_000));
    let mut rest = points;
    while let Some(first) = rest.first() {
        let is_near = |point: &&Point| (point.0 - first.0).abs() < NEAR;
        let (stripe, beyond) = rest.split_at(rest.iter().take_while(is_near).count().max(1));
        rest = beyond;
        if stripe.len() <= 4 {
            kept.extend_from_slice(stripe);
            continue;
        }
        let by_height = |a: &usize, b: &usize| stripe[*a].1.total_cmp(&stripe[*b].1);
        let lowest = (0..stripe.len()).min_by(by_height).unwrap_or(0);
        let highest = (0..stripe.len()).max_by(by_height).unwrap_or(0);
        let mut chosen = [0, lowest, highest, stripe.len() - 1];
        chosen.sort_unstable();
        for (index, place) in chosen.iter().enumerate() {
            if index == 0 || chosen[index - 1] != *place {
                kept.push(stripe[*place]);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dense_line_keeps_its_peaks() {
        let points: Vec<Point> = (0..10_000)
            .map(|index| {
                let peak = if index == 4321 { 50.0 } else { 0.0 };
                (f64::from(index) * 0.01, peak + f64::from(index % 7))
            })
            .collect();
        let thin = thinned(&points);
        assert!(thin.len() < 3000, "{}", thin.len());
        assert!(thin.contains(&points[4321]));
        assert_eq!((thin[0], thin.last()), (points[0], points.last()));
        assert_eq!(thinned(&points[..3]), points[..3]);
    }
}
