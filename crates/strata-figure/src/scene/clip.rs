//! Lines and polygons cut to a rectangle, so that no number in a file is larger than the page needs.

use super::{Point, Rect};

/// The parts of a line through points that are inside; a point that is not finite breaks the line.
pub(crate) fn polyline(points: &[Point], area: Rect) -> Vec<Vec<Point>> {
    let mut parts: Vec<Vec<Point>> = Vec::new();
    let mut part: Vec<Point> = Vec::new();
    let mut finish = |part: &mut Vec<Point>| {
        if !part.is_empty() {
            parts.push(std::mem::take(part));
        }
    };
    for (index, &point) in points.iter().enumerate() {
        if !is_finite(point) {
            finish(&mut part);
            continue;
        }
        let previous = index
            .checked_sub(1)
            .map(|index| points[index])
            .filter(|point| is_finite(*point));
        let Some(previous) = previous else {
            finish(&mut part);
            if area.contains(point) {
                part.push(point);
            }
            continue;
        };
        let Some((from, to)) = segment(previous, point, area) else {
            finish(&mut part);
            continue;
        };
        if part.last() != Some(&from) {
            finish(&mut part);
            part.push(from);
        }
        part.push(to);
        if to != point {
            finish(&mut part);
        }
    }
    finish(&mut part);
    parts
}

fn is_finite((x, y): Point) -> bool {
    x.is_finite() && y.is_finite()
}

/// The part of a line between two points that is inside (Liang and Barsky, 1984).
pub(crate) fn segment(from: Point, to: Point, area: Rect) -> Option<(Point, Point)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut start, mut end) = (0.0_f64, 1.0_f64);
    for (step, room) in [
        (-dx, from.0 - area.left),
        (dx, area.right - from.0),
        (-dy, from.1 - area.top),
        (dy, area.bottom - from.1),
    ] {
        if step == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if step < 0.0 {
            start = start.max(room / step);
        } else {
            end = end.min(room / step);
        }
    }
    if start > end || !start.is_finite() || !end.is_finite() {
        return None;
    }
    let at = |part: f64| (from.0 + dx * part, from.1 + dy * part);
    let first = if start == 0.0 { from } else { at(start) };
    let last = if end == 1.0 { to } else { at(end) };
    Some((first, last))
}

/// The part of a polygon that is inside (Sutherland and Hodgman, 1974). Points that are not finite are left out.
pub(crate) fn polygon(points: &[Point], area: Rect) -> Vec<Point> {
    let mut points: Vec<Point> = points
        .iter()
        .copied()
        .filter(|point| is_finite(*point))
        .collect();
    type Inside = fn(Point, Rect) -> f64;
    let sides: [Inside; 4] = [
        |(x, _), area| x - area.left,
        |(x, _), area| area.right - x,
        |(_, y), area| y - area.top,
        |(_, y), area| area.bottom - y,
    ];
    for side in sides {
        let mut kept = Vec::with_capacity(points.len());
        for (index, &point) in points.iter().enumerate() {
            let previous = points[(index + points.len() - 1) % points.len()];
            let (here, before) = (side(point, area), side(previous, area));
            if (here < 0.0) != (before < 0.0) {
                let part = before / (before - here);
                kept.push((
                    previous.0 + (point.0 - previous.0) * part,
                    previous.1 + (point.1 - previous.1) * part,
                ));
            }
            if here >= 0.0 {
                kept.push(point);
            }
        }
        points = kept;
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Rect = Rect {
        left: 0.0,
        top: 0.0,
        right: 10.0,
        bottom: 10.0,
    };

    #[test]
    fn a_line_is_cut_where_it_leaves_and_broken_where_a_point_is_missing() {
        let points = [
            (5.0, 5.0),
            (15.0, 5.0),
            (15.0, 8.0),
            (5.0, 8.0),
            (f64::NAN, 0.0),
            (1.0, 1.0),
        ];
        assert_eq!(
            polyline(&points, AREA),
            [
                vec![(5.0, 5.0), (10.0, 5.0)],
                vec![(10.0, 8.0), (5.0, 8.0)],
                vec![(1.0, 1.0)]
            ]
        );
        assert!(polyline(&[(-1.0, -1.0), (-5.0, 20.0)], AREA).is_empty());
    }

    #[test]
    fn a_polygon_around_the_area_becomes_the_area() {
        let large = [(-1e9, -1e9), (1e9, -1e9), (1e9, 1e9), (-1e9, 1e9)];
        let mut cut = polygon(&large, AREA);
        cut.sort_by(|a, b| a.partial_cmp(b).expect("finite"));
        assert_eq!(cut, [(0.0, 0.0), (0.0, 10.0), (10.0, 0.0), (10.0, 10.0)]);
        assert!(polygon(&[(20.0, 20.0), (30.0, 20.0), (30.0, 30.0)], AREA).is_empty());
    }
}
