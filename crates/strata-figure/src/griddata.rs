//! From scattered points to a grid.

/// Overrelaxation: close to the best factor for grids of 50 to 100 nodes a side.
const RELAXATION: f64 = 1.93;
const MOST_SWEEPS: usize = 3000;
/// Sweeps end when no height changes by more than this part of the range of heights.
const TOLERANCE: f64 = 1e-7;

/// Heights on a grid from heights at scattered points, for [`Axes::contourf`](crate::Axes::contourf): `z[j * x.len() + i]` at
/// `(x[i], y[j])`, where `x` and `y` rise or fall. For a logarithmic axis take a grid of even steps of the logarithm.
///
/// Each point `(x, y, height)` is moved to the nearest node, several at one node to their mean, and every other node is the
/// mean of its neighbours (Laplace's equation with no slope at the edges), as Optuna and Plotly have it for their contours.
/// So no height is above the highest or below the lowest point. Points that are not finite do not count; without any, all
/// heights are NaN.
pub fn griddata(points: &[(f64, f64, f64)], x: &[f64], y: &[f64]) -> Vec<f64> {
    let (columns, rows) = (x.len(), y.len());
    let mut sums = vec![(0.0, 0_u32); columns * rows];
    for &(px, py, height) in points {
        let (Some(column), Some(row)) = (nearest(x, px), nearest(y, py)) else {
            continue;
        };
        if height.abs() <= 1e300 {
            let (sum, count) = &mut sums[row * columns + column];
            *count += 1;
            // The running mean stays finite where a sum would not.
            *sum += (height - *sum) / f64::from(*count);
        }
    }
    let known: Vec<f64> = sums
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(mean, _)| *mean)
        .collect();
    if known.is_empty() {
        return vec![f64::NAN; columns * rows];
    }
    let (low, high) = known
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), height| {
            (low.min(*height), high.max(*height))
        });
    let start = f64::midpoint(low, high);
    let mut heights: Vec<f64> = sums
        .iter()
        .map(|(mean, count)| if *count > 0 { *mean } else { start })
        .collect();
    for _ in 0..MOST_SWEEPS {
        let mut largest = 0.0_f64;
        for row in 0..rows {
            for column in 0..columns {
                let index = row * columns + column;
                if sums[index].1 > 0 {
                    continue;
                }
                let change = RELAXATION * (around(&heights, columns, index) - heights[index]);
                heights[index] += change;
                largest = largest.max(change.abs());
            }
        }
        if largest <= (high - low) * TOLERANCE {
            break;
        }
    }
    // Overrelaxation may leave a height a little outside.
    heights
        .into_iter()
        .map(|height| height.clamp(low, high))
        .collect()
}

/// The mean of the neighbours that a node has.
fn around(heights: &[f64], columns: usize, index: usize) -> f64 {
    let column = index % columns;
    let mut mean = 0.0;
    let mut count = 0.0;
    let neighbours = [
        (column > 0).then(|| index - 1),
        (column + 1 < columns).then_some(index + 1),
        index.checked_sub(columns),
        Some(index + columns).filter(|below| *below < heights.len()),
    ];
    for neighbour in neighbours.into_iter().flatten() {
        count += 1.0;
        mean += (heights[neighbour] - mean) / count;
    }
    if count > 0.0 { mean } else { heights[index] }
}

/// The nearest of the places; nothing for what is not a number or infinite.
fn nearest(places: &[f64], value: f64) -> Option<usize> {
    let distance = |place: &f64| (place / 2.0 - value / 2.0).abs();
    if !value.is_finite() {
        return None;
    }
    places
        .iter()
        .enumerate()
        .min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)))
        .map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_is_found_from_its_edges() {
        let line: Vec<f64> = (0..60).map(f64::from).collect();
        let height = |x: f64, y: f64| 2.0 * x - 0.5 * y + 1.0;
        let mut points = Vec::new();
        for at in &line {
            for end in [0.0, 59.0] {
                points.push((*at, end, height(*at, end)));
                points.push((end, *at, height(end, *at)));
            }
        }
        let z = griddata(&points, &line, &line);
        assert!((z[30 * 60 + 20] - height(20.0, 30.0)).abs() < 1e-3);
    }

    #[test]
    fn heights_stay_between_those_of_the_points_and_nothing_fails() {
        let line: Vec<f64> = (0..20).map(f64::from).collect();
        let points = [
            (3.0, 4.0, 1.0),
            (3.0, 4.0, 2.0),
            (15.0, 9.0, 0.0),
            (f64::NAN, 0.0, 9.0),
        ];
        let z = griddata(&points, &line, &line);
        assert!(z.iter().all(|z| (0.0..=1.5).contains(z)));
        assert_eq!((z[4 * 20 + 3], z[9 * 20 + 15]), (1.5, 0.0));
        assert!(griddata(&[], &line, &line[..1]).iter().all(|z| z.is_nan()));
        assert!(griddata(&points, &[], &line).is_empty());
        assert_eq!(griddata(&[(0.0, 0.0, 7.0)], &[1.0], &[2.0]), [7.0]);
    }
}
