//! How much room a point has among its neighbours.

use super::dominance::ordered;

/// The crowding distance of each point: the sum over the objectives of the distance between its two neighbours in
/// that objective, over the width of the range of all (Deb, Pratap, Agarwal & Meyarivan 2002, section III B).
///
/// As in Optuna 5.0 (`_elite_population_selection_strategy.py`): the outermost points have an infinite distance,
/// an objective in which all are equal does not count, and neither does a gap between equal infinities.
pub fn crowding_distances(losses: &[Vec<f64>]) -> Vec<f64> {
    let mut distances = vec![0.0; losses.len()];
    let n_objectives = losses.first().map_or(0, Vec::len);
    let mut order: Vec<usize> = (0..losses.len()).collect();
    for objective in 0..n_objectives {
        let column: Vec<f64> = losses
            .iter()
            .map(|point| ordered(point[objective]))
            .collect();
        let loss = |point: usize| column[point];
        order.sort_by(|&a, &b| loss(a).total_cmp(&loss(b)));
        let (first, last) = (loss(order[0]), loss(order[order.len() - 1]));
        if first == last {
            continue;
        }
        let least = order.iter().map(|&point| loss(point));
        let least = least.clone().find(|loss| *loss > f64::NEG_INFINITY);
        let greatest = order.iter().rev().map(|&point| loss(point));
        let greatest = greatest.clone().find(|loss| *loss < f64::INFINITY);
        let width = greatest.unwrap_or(0.0) - least.unwrap_or(0.0);
        let width = if width > 0.0 { width } else { 1.0 };
        for (place, &point) in order.iter().enumerate() {
            let below = place.checked_sub(1).map(|place| loss(order[place]));
            let above = order.get(place + 1).map(|&point| loss(point));
            let below = below.unwrap_or(f64::NEG_INFINITY);
            let above = above.unwrap_or(f64::INFINITY);
            if below != above {
                distances[point] += (above - below) / width;
            }
        }
    }
    distances
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_points_have_the_room_between_their_neighbours() {
        let losses = [[0.0, 4.0], [1.0, 2.0], [2.0, 1.0], [4.0, 0.0]];
        let losses: Vec<Vec<f64>> = losses.iter().map(|point| point.to_vec()).collect();
        let inf = f64::INFINITY;
        assert_eq!(
            crowding_distances(&losses),
            [inf, 2.0 / 4.0 + 3.0 / 4.0, 3.0 / 4.0 + 2.0 / 4.0, inf]
        );
    }

    #[test]
    fn infinite_losses_give_no_nan() {
        let inf = f64::INFINITY;
        let losses = vec![
            vec![inf, -inf],
            vec![inf, inf],
            vec![inf, f64::NAN],
            vec![0.0, -inf],
        ];
        let distances = crowding_distances(&losses);
        assert!(distances.iter().all(|distance| !distance.is_nan()));
        assert!(crowding_distances(&[]).is_empty());
        assert_eq!(crowding_distances(&[vec![1.0], vec![1.0]]), [0.0, 0.0]);
    }
}
