//! The pen: from the control points of an allograph to the lines that a hand really draws.
//!
//! 1. The control points tremble, each stroke slips a little as a whole, straight lines bow, some
//!    corners are rounded, ends run over or stop short.
//! 2. A smooth curve is drawn through them, a centripetal Catmull-Rom spline, which neither loops
//!    nor cusps between its points (Yuksel, Schaefer & Keyser 2011).
//! 3. The page is bent by an elastic field and sheared, turned and stretched as a whole.

use super::alphabet::{Allograph, ControlPoint};
use super::elastic::ElasticField;
use super::hand::Hand;
use crate::random::Random;

/// A drawn stroke: short straight lines between points `[x, y]`, and its ink.
#[derive(Debug, Clone)]
pub(super) struct Stroke {
    pub(super) points: Vec<[f32; 2]>,
    /// Width of the ink relative to the hand's.
    pub(super) pressure: f32,
}

/// Length of the straight lines that a curve is drawn with, in units of the alphabet's box.
const STEP: f32 = 9.0;

/// Writes one character.
pub(super) fn write(allograph: &Allograph, hand: &Hand, random: &mut Random) -> Vec<Stroke> {
    let field = ElasticField::sample(hand.elastic, random);
    let mut planned: Vec<Vec<ControlPoint>> = Vec::with_capacity(allograph.strokes.len());
    for stroke in &allograph.strokes {
        let stroke = unsteady(stroke, hand, random);
        match planned.last_mut() {
            Some(previous) if random.chance(hand.drag) => previous.extend(stroke),
            _ => planned.push(stroke),
        }
    }
    let page = Page::new(hand);
    planned
        .iter()
        .map(|control| {
            let mut points = curve(control);
            tremble(&mut points, hand.tremor, random);
            for point in &mut points {
                *point = page.place(field.bend(*point));
            }
            Stroke {
                points,
                pressure: (1.0 + random.normal(hand.pressure)).max(0.5),
            }
        })
        .collect()
}

/// The control points as this hand hits them.
fn unsteady(stroke: &[ControlPoint], hand: &Hand, random: &mut Random) -> Vec<ControlPoint> {
    let count = stroke.len() as f32;
    let centre_x = stroke.iter().map(|point| point.x).sum::<f32>() / count;
    let centre_y = stroke.iter().map(|point| point.y).sum::<f32>() / count;
    let shift_x = random.normal(hand.stroke_shift);
    let shift_y = random.normal(hand.stroke_shift);
    let scale_x = random.log_normal(hand.stroke_scale);
    let scale_y = random.log_normal(hand.stroke_scale);
    let turn = random.normal(hand.stroke_turn);

    let mut points: Vec<ControlPoint> = Vec::with_capacity(2 * stroke.len() + 2);
    for (i, control) in stroke.iter().enumerate() {
        let dx = (control.x - centre_x) * scale_x;
        let dy = (control.y - centre_y) * scale_y;
        // A stroke turns by little, so the first order of the rotation is enough.
        let point = ControlPoint {
            x: centre_x + dx - turn * dy + shift_x + random.normal(hand.jitter),
            y: centre_y + dy + turn * dx + shift_y + random.normal(hand.jitter),
            corner: control.corner && !random.chance(hand.rounding),
        };
        let is_end = |at: usize| at == 0 || at + 1 == stroke.len() || stroke[at].corner;
        if let Some(&previous) = points.last()
            && is_end(i)
            && is_end(i - 1)
        {
            points.push(bowed(previous, point, random.normal(hand.bow)));
        }
        points.push(point);
    }
    if points.len() > 1 {
        finish_end(&mut points, hand, random);
        points.reverse();
        finish_end(&mut points, hand, random);
        points.reverse();
    }
    points
}

/// The middle of a line that bends by `bow` of its length.
fn bowed(from: ControlPoint, to: ControlPoint, bow: f32) -> ControlPoint {
    ControlPoint {
        x: f32::midpoint(from.x, to.x) - bow * (to.y - from.y),
        y: f32::midpoint(from.y, to.y) + bow * (to.x - from.x),
        corner: false,
    }
}

/// Lets the last point run over its place or stop short of it, perhaps with a hook.
fn finish_end(points: &mut Vec<ControlPoint>, hand: &Hand, random: &mut Random) {
    let [.., before, last] = points.as_mut_slice() else {
        return;
    };
    let (dx, dy) = (last.x - before.x, last.y - before.y);
    let length = (dx * dx + dy * dy).sqrt().max(1.0);
    let overshoot = random.normal(hand.overshoot).max(-0.4 * length) / length;
    last.x += dx * overshoot;
    last.y += dy * overshoot;
    if random.chance(hand.hook) {
        let (last, size, side) = (*last, random.between(4.0, 14.0), random.normal(1.0));
        let (ahead_x, ahead_y) = (dx / length, dy / length);
        points.push(ControlPoint {
            x: last.x + size * (0.3 * ahead_x - side * ahead_y),
            y: last.y + size * (0.3 * ahead_y + side * ahead_x),
            corner: false,
        });
    }
}

/// Points along the smooth curve through `control`.
fn curve(control: &[ControlPoint]) -> Vec<[f32; 2]> {
    let at = |i: usize| [control[i].x, control[i].y];
    let mut points = vec![at(0)];
    for i in 1..control.len() {
        let (from, to) = (at(i - 1), at(i));
        // At a corner or an end the neighbour is the mirror image: the curve leaves straight.
        let before = match i.checked_sub(2) {
            Some(j) if !control[i - 1].corner => at(j),
            _ => mirror(to, from),
        };
        let after = match control.get(i + 1) {
            Some(next) if !control[i].corner => [next.x, next.y],
            _ => mirror(from, to),
        };
        let steps = (distance(from, to) / STEP).ceil().clamp(1.0, 16.0) as usize;
        let (leave, arrive) = tangents(before, from, to, after);
        for step in 1..=steps {
            let t = step as f32 / steps as f32;
            points.push(hermite(from, leave, to, arrive, t));
        }
    }
    points
}

fn mirror(point: [f32; 2], about: [f32; 2]) -> [f32; 2] {
    [2.0 * about[0] - point[0], 2.0 * about[1] - point[1]]
}

fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    let (dx, dy) = (a[0] - b[0], a[1] - b[1]);
    (dx * dx + dy * dy).sqrt()
}

/// The tangents of the centripetal Catmull-Rom spline at both ends of the span `from`–`to`.
fn tangents(
    before: [f32; 2],
    from: [f32; 2],
    to: [f32; 2],
    after: [f32; 2],
) -> ([f32; 2], [f32; 2]) {
    let knot = |a, b| distance(a, b).sqrt().max(0.1);
    let (d0, d1, d2) = (knot(before, from), knot(from, to), knot(to, after));
    let tangent = |i: usize, a: [f32; 2], b: [f32; 2], c: [f32; 2], u: f32, v: f32| {
        ((b[i] - a[i]) / u - (c[i] - a[i]) / (u + v) + (c[i] - b[i]) / v) * d1
    };
    let leave = [0, 1].map(|i| tangent(i, before, from, to, d0, d1));
    let arrive = [0, 1].map(|i| tangent(i, from, to, after, d1, d2));
    (leave, arrive)
}

fn hermite(p: [f32; 2], m: [f32; 2], q: [f32; 2], n: [f32; 2], t: f32) -> [f32; 2] {
    let (t2, t3) = (t * t, t * t * t);
    let (a, b) = (2.0 * t3 - 3.0 * t2 + 1.0, t3 - 2.0 * t2 + t);
    let (c, d) = (3.0 * t2 - 2.0 * t3, t3 - t2);
    [0, 1].map(|i| a * p[i] + b * m[i] + c * q[i] + d * n[i])
}

/// Moves the points of a drawn line by smooth noise.
fn tremble(points: &mut [[f32; 2]], amplitude: f32, random: &mut Random) {
    // The noise has a new value every `PERIOD` points and runs straight in between.
    const PERIOD: usize = 4;
    let mut sample = || [random.normal(amplitude), random.normal(amplitude)];
    let (mut from, mut to) = (sample(), sample());
    for (i, point) in points.iter_mut().enumerate() {
        let phase = i % PERIOD;
        if i > 0 && phase == 0 {
            from = to;
            to = sample();
        }
        let t = phase as f32 / PERIOD as f32;
        for axis in 0..2 {
            point[axis] += from[axis] + (to[axis] - from[axis]) * t;
        }
    }
}

/// The linear part of a hand: stretch, keystone, slant, rotation.
struct Page {
    aspect: f32,
    foot: f32,
    slant: f32,
    sin: f32,
    cos: f32,
}

impl Page {
    fn new(hand: &Hand) -> Self {
        let a = hand.rotation;
        Self {
            aspect: hand.aspect,
            foot: hand.foot,
            slant: hand.slant,
            // Taylor: the angle is below 0.4, the error below 1e-4.
            sin: a - a * a * a / 6.0,
            cos: 1.0 - a * a / 2.0 + a * a * a * a / 24.0,
        }
    }

    fn place(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let y = y - 50.0;
        let x = (x - 50.0) * self.aspect * (1.0 + self.foot * y / 50.0) - self.slant * y;
        [self.cos * x - self.sin * y, self.sin * x + self.cos * y]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(x: f32, y: f32, corner: bool) -> ControlPoint {
        ControlPoint { x, y, corner }
    }

    /// The curve passes through its control points and is straight where all lie on a line.
    #[test]
    fn curve_passes_through_its_points() {
        let points = [
            control(0.0, 0.0, false),
            control(50.0, 50.0, true),
            control(100.0, 0.0, false),
        ];

        let drawn = curve(&points);

        assert!(drawn.contains(&[50.0, 50.0]));
        assert_eq!(drawn.last(), Some(&[100.0, 0.0]));
        for [x, y] in drawn {
            assert!(
                (y - (50.0 - (x - 50.0).abs())).abs() < 1e-3,
                "({x}, {y}) leaves the corner"
            );
        }
    }

    /// A dot stays one point.
    #[test]
    fn a_dot_is_one_point() {
        assert_eq!(curve(&[control(3.0, 4.0, false)]), [[3.0, 4.0]]);
    }
}
