//! The best part of a set of points.

use super::{hypervolume, nondominated_ranks};

/// The indices of the best `count` points: rank by rank, and of the rank that does not fit as a whole those that
/// dominate the most together, found greedily (Guerreiro, Fonseca & Paquete 2016), as in Optuna's TPE.
///
/// The reference of the volume lies a tenth beyond the worst losses of that rank. `losses` has one point of all
/// objectives each.
pub fn best_subset(losses: &[Vec<f64>], count: usize) -> Vec<usize> {
    let ranks = nondominated_ranks(losses);
    let mut chosen = Vec::new();
    for rank in 0.. {
        let of_rank: Vec<usize> = (0..losses.len()).filter(|i| ranks[*i] == rank).collect();
        let left = count.saturating_sub(chosen.len());
        if left == 0 || of_rank.is_empty() {
            break;
        }
        if of_rank.len() <= left {
            chosen.extend(of_rank);
        } else {
            chosen.extend(most_dominating(losses, of_rank, left));
        }
    }
    chosen
}

fn most_dominating(losses: &[Vec<f64>], mut candidates: Vec<usize>, count: usize) -> Vec<usize> {
    let reference = reference_of(losses, &candidates);
    let mut chosen: Vec<usize> = Vec::new();
    while chosen.len() < count && !candidates.is_empty() {
        let volume_with = |candidate: usize| {
            let points = chosen.iter().chain([&candidate]);
            let points: Vec<Vec<f64>> = points.map(|i| losses[*i].clone()).collect();
            hypervolume(&points, &reference)
        };
        let mut best = (0, f64::NEG_INFINITY);
        for (place, candidate) in candidates.iter().enumerate() {
            let volume = volume_with(*candidate);
            if volume > best.1 {
                best = (place, volume);
            }
        }
        chosen.push(candidates.remove(best.0));
    }
    chosen
}

fn reference_of(losses: &[Vec<f64>], indices: &[usize]) -> Vec<f64> {
    let n_objectives = losses.first().map_or(0, Vec::len);
    (0..n_objectives)
        .map(|objective| {
            let column = indices.iter().map(|i| losses[*i][objective]);
            let worst = column.fold(f64::NEG_INFINITY, f64::max);
            let beyond = (1.1 * worst).max(0.9 * worst);
            if beyond == 0.0 { 1e-12 } else { beyond }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_come_first_and_then_what_dominates_most() {
        let losses = vec![
            vec![3.0, 3.0],
            vec![0.0, 1.0],
            vec![0.5, 0.5],
            vec![0.9, 0.45],
            vec![1.0, 0.0],
        ];
        let mut best = best_subset(&losses, 3);
        best.sort_unstable();
        assert_eq!(best, [1, 2, 4]);
        assert_eq!(best_subset(&losses, 1), [2]);
        assert_eq!(best_subset(&losses, 5).len(), 5);
        assert!(best_subset(&[], 2).is_empty());
    }
}
