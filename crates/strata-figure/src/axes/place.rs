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
/// Points of a line that are nearer to each other than this, in points, are one.
const NEAR: f64 = 0.05;

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

fn thinned(points: &[Point]) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::with_capacity(points.len());
    for (index, &(x, y)) in points.iter().enumerate() {
        let is_last = index + 1 == points.len();
        let is_near = kept
            .last()
            .is_some_and(|last| (last.0 - x).abs() < NEAR && (last.1 - y).abs() < NEAR);
        if !is_near || is_last {
            kept.push((x, y));
        }
    }
    kept
}
