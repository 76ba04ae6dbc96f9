//! Smoothed lines.

/// Local regression (Cleveland, "Robust Locally Weighted Regression and Smoothing Scatterplots", 1979, without the
/// robust steps): each point is replaced by the value there of a line fitted to the nearest `share` of all points,
/// weighted by the cube of the cube of their distances.
///
/// Points that are not finite are left out; the rest come in the order of `x`.
pub fn smoothed(points: &[(f64, f64)], share: f64) -> Vec<(f64, f64)> {
    let finite = |point: &&(f64, f64)| point.0.is_finite() && point.1.is_finite();
    let mut points: Vec<(f64, f64)> = points.iter().filter(finite).copied().collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let count = ((points.len() as f64 * share).ceil() as usize).clamp(2, points.len().max(2));
    if points.len() < 3 {
        return points;
    }
    let mut first = 0;
    let mut smooth = Vec::with_capacity(points.len());
    for &(x, _) in &points {
        // The window of the nearest points moves to the right with x.
        while first + count < points.len() && points[first + count].0 - x < x - points[first].0 {
            first += 1;
        }
        smooth.push((x, line_at(&points[first..first + count], x)));
    }
    smooth
}

/// The value at `x` of the line fitted to points.
fn line_at(points: &[(f64, f64)], x: f64) -> f64 {
    let reach = points
        .iter()
        .map(|point| (point.0 - x).abs())
        .fold(0.0, f64::max);
    let weight = |at: f64| {
        let part = if reach > 0.0 {
            (at - x).abs() / (reach * (1.0 + 1e-9))
        } else {
            0.0
        };
        (1.0 - part.powi(3)).powi(3)
    };
    let (mut total, mut mean_x, mut mean_y) = (0.0, 0.0, 0.0);
    for &(at, y) in points {
        let weight = weight(at);
        total += weight;
        mean_x += weight * at;
        mean_y += weight * y;
    }
    (mean_x, mean_y) = (mean_x / total, mean_y / total);
    let (mut spread, mut joint) = (0.0, 0.0);
    for &(at, y) in points {
        let weight = weight(at);
        spread += weight * (at - mean_x).powi(2);
        joint += weight * (at - mean_x) * (y - mean_y);
    }
    let slope = if spread > 1e-12 * reach * reach {
        joint / spread
    } else {
        0.0
    };
    mean_y + slope * (x - mean_x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_and_noise_is_less() {
        let line: Vec<(f64, f64)> = (0..20)
            .map(|x| (f64::from(x), 2.0 * f64::from(x) + 1.0))
            .collect();
        for ((x, y), (smooth_x, smooth_y)) in line.iter().zip(smoothed(&line, 0.3)) {
            assert!(*x == smooth_x && (y - smooth_y).abs() < 1e-9);
        }
        let noise: Vec<(f64, f64)> = (0..20).map(|x| (f64::from(x), f64::from(x % 2))).collect();
        assert!(
            smoothed(&noise, 0.5)
                .iter()
                .all(|(_, y)| (y - 0.5).abs() < 0.4)
        );
        assert_eq!(smoothed(&[(1.0, 2.0), (f64::NAN, 0.0)], 0.3), [(1.0, 2.0)]);
        let same: Vec<(f64, f64)> = vec![(1.0, 2.0); 5];
        assert_eq!(smoothed(&same, 0.3), same);
    }
}
