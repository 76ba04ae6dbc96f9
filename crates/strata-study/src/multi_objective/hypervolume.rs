//! How much of the space is dominated.

use super::dominance::{nondominated_ranks, ordered};

/// The volume between the points and a reference point: of all that at least one of the points dominates and that
/// dominates the reference.
///
/// Points that are not better than the reference in every objective add nothing. A staircase for two objectives,
/// the WFG algorithm for more (While, Bradstreet & Barone 2012). Infinite, if a point that counts or the
/// reference is.
pub fn hypervolume(losses: &[Vec<f64>], reference: &[f64]) -> f64 {
    let inside = losses.iter().filter(|point| {
        let mut pairs = point.iter().zip(reference);
        point.len() == reference.len() && pairs.all(|(loss, limit)| ordered(*loss) < *limit)
    });
    let front = front(inside.cloned().collect());
    if front.is_empty() || reference.is_empty() {
        return 0.0;
    }
    let is_infinite = |values: &[f64]| values.iter().any(|value| value.is_infinite());
    if is_infinite(reference) || front.iter().any(|point| is_infinite(point)) {
        return f64::INFINITY;
    }
    volume(&front, reference)
}

/// The points that none dominates, each once, by their first loss.
fn front(mut losses: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let ranks = nondominated_ranks(&losses);
    let mut rank = ranks.iter();
    losses.retain(|_| rank.next() == Some(&0));
    losses.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    losses.dedup();
    losses
}

/// Of a sorted front.
fn volume(front: &[Vec<f64>], reference: &[f64]) -> f64 {
    if reference.len() == 2 {
        let mut ceiling = reference[1];
        let mut area = 0.0;
        for point in front {
            area += (reference[0] - point[0]) * (ceiling - point[1]);
            ceiling = point[1];
        }
        return area;
    }
    let exclusive = |(i, point): (usize, &Vec<f64>)| {
        let sides = point
            .iter()
            .zip(reference)
            .map(|(loss, limit)| limit - loss);
        let inclusive: f64 = sides.product();
        inclusive - shared_with(point, &front[i + 1..], reference)
    };
    front.iter().enumerate().map(exclusive).sum()
}

/// The volume that a point shares with others.
fn shared_with(point: &[f64], others: &[Vec<f64>], reference: &[f64]) -> f64 {
    let limited = others.iter().map(|other| {
        let pairs = other.iter().zip(point);
        pairs.map(|(a, b)| a.max(*b)).collect()
    });
    let limited = front(limited.collect());
    volume(&limited, reference)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_staircase_of_two_objectives() {
        let losses = vec![
            vec![1.0, 3.0],
            vec![2.0, 2.0],
            vec![3.0, 1.0],
            vec![3.0, 3.0],
        ];
        assert_eq!(hypervolume(&losses, &[4.0, 4.0]), 6.0);
        assert_eq!(hypervolume(&losses, &[1.0, 1.0]), 0.0);
        assert_eq!(hypervolume(&[], &[1.0]), 0.0);
        assert_eq!(
            hypervolume(&[vec![-f64::INFINITY, 0.0]], &[1.0, 1.0]),
            f64::INFINITY
        );
        assert_eq!(hypervolume(&[vec![f64::NAN, 0.0]], &[1.0, 1.0]), 0.0);
    }

    proptest! {
        /// On a grid the volume is the number of dominated cells.
        #[test]
        fn the_volume_counts_dominated_cells(
            (n, losses) in (1_usize..5).prop_flat_map(|n| {
                let point = prop::collection::vec((0_i8..5).prop_map(f64::from), n);
                (Just(n), prop::collection::vec(point, 0..10))
            })
        ) {
            let cells = 4_usize.pow(n as u32);
            let is_dominated = |cell: &usize| {
                let corner: Vec<f64> = (0..n).map(|i| (cell / 4_usize.pow(i as u32) % 4) as f64).collect();
                losses.iter().any(|point| point.iter().zip(&corner).all(|(a, b)| a <= b))
            };
            let count = (0..cells).filter(is_dominated).count();
            prop_assert_eq!(hypervolume(&losses, &vec![4.0; n]), count as f64);
        }
    }
}
