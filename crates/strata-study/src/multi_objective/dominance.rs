//! Which points are better than which in every respect.

use std::cmp::Ordering;

/// The worst loss for NaN, so that losses have a total order.
pub(super) fn ordered(loss: f64) -> f64 {
    if loss.is_nan() { f64::INFINITY } else { loss }
}

/// Whether `a` is nowhere worse than `b` and somewhere better.
pub fn dominates(a: &[f64], b: &[f64]) -> bool {
    let pairs = || a.iter().zip(b).map(|(a, b)| (ordered(*a), ordered(*b)));
    pairs().all(|(a, b)| a <= b) && pairs().any(|(a, b)| a < b)
}

/// The rank of each point: 0 if no point dominates it, else one more than the greatest rank among those that do.
///
/// Equal points have equal ranks. Efficient non-dominated sorting with binary search (Zhang, Tian, Cheng & Jin
/// 2015): in lexicographic order no point dominates an earlier one, so that each can be put into its front at once.
/// `n log n` for one and two objectives, up to `n²` for more.
pub fn nondominated_ranks(losses: &[Vec<f64>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..losses.len()).collect();
    order.sort_by(|&a, &b| lexicographic(&losses[a], &losses[b]));
    let mut ranks = vec![0; losses.len()];
    let mut fronts: Vec<Vec<usize>> = Vec::new();
    let mut previous: Option<usize> = None;
    for &point in &order {
        let twin = previous.filter(|&other| lexicographic(&losses[other], &losses[point]).is_eq());
        previous = Some(point);
        if let Some(twin) = twin {
            ranks[point] = ranks[twin];
            continue;
        }
        // If a front has a point that dominates this one, so has every front before it.
        let rank = fronts.partition_point(|front| has_dominator(front, point, losses));
        if rank == fronts.len() {
            fronts.push(Vec::new());
        }
        fronts[rank].push(point);
        ranks[point] = rank;
    }
    ranks
}

/// Whether a point of the front, all before `point` in lexicographic order, dominates it.
fn has_dominator(front: &[usize], point: usize, losses: &[Vec<f64>]) -> bool {
    let no_worse = |&other: &usize| {
        let mut pairs = losses[other].iter().zip(&losses[point]);
        pairs.all(|(a, b)| ordered(*a) <= ordered(*b))
    };
    if losses[point].len() <= 2 {
        // The last of a front has the least second loss.
        return front.last().is_some_and(no_worse);
    }
    front.iter().rev().any(no_worse)
}

fn lexicographic(a: &[f64], b: &[f64]) -> Ordering {
    let pairs = a.iter().zip(b);
    pairs
        .map(|(a, b)| {
            ordered(*a)
                .partial_cmp(&ordered(*b))
                .unwrap_or(Ordering::Equal)
        })
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_points_do_not_dominate_each_other() {
        assert!(!dominates(&[1.0, 2.0], &[1.0, 2.0]));
        assert!(dominates(&[1.0, 2.0], &[1.0, f64::NAN]));
        assert!(!dominates(&[0.0, 3.0], &[1.0, 2.0]));
    }

    #[test]
    fn ranks_of_a_staircase() {
        let losses = [
            [0.0, 3.0],
            [1.0, 1.0],
            [3.0, 0.0],
            [2.0, 2.0],
            [1.0, 1.0],
            [3.0, 3.0],
            [f64::INFINITY, f64::NEG_INFINITY],
        ];
        let losses: Vec<Vec<f64>> = losses.iter().map(|point| point.to_vec()).collect();
        assert_eq!(nondominated_ranks(&losses), [0, 0, 0, 1, 0, 2, 0]);
        assert!(nondominated_ranks(&[]).is_empty());
    }

    proptest! {
        /// The definition, word by word.
        #[test]
        fn a_rank_is_one_more_than_those_of_dominators(
            losses in (1_usize..5).prop_flat_map(|n| {
                prop::collection::vec(prop::collection::vec((0_i8..6).prop_map(f64::from), n), 0..40)
            })
        ) {
            let ranks = nondominated_ranks(&losses);
            for (i, point) in losses.iter().enumerate() {
                let dominators = (0..losses.len()).filter(|&j| dominates(&losses[j], point));
                let expected = dominators.map(|j| ranks[j] + 1).max().unwrap_or(0);
                prop_assert_eq!(ranks[i], expected);
            }
        }
    }
}
