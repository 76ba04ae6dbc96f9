//! A signed-rank test against the best trial.

use std::f64::consts::SQRT_2;

use super::{Pruner, Verdict};
use crate::study::{History, best_of};
use crate::trial::Trial;

/// Prunes a trial that is worse than the best one at the same steps, by a one-sided Wilcoxon signed-rank test.
///
/// For objectives that are the mean over steps, such as folds of a cross-validation. It never prunes a trial whose
/// mean so far is not worse than the best trial's, nor where a value is not finite.
#[derive(Debug, Clone, PartialEq)]
pub struct WilcoxonPruner {
    /// Prunes below this p-value, from 0 to 1. Default 0.1.
    pub p_threshold: f64,
    /// Nothing is pruned before so many common steps, at least 2. Default 2.
    pub n_startup_steps: usize,
}

impl Default for WilcoxonPruner {
    fn default() -> Self {
        Self {
            p_threshold: 0.1,
            n_startup_steps: 2,
        }
    }
}

impl Pruner for WilcoxonPruner {
    fn judge(&self, history: &History<'_>, trial: &Trial) -> Verdict {
        let direction = history.directions[0];
        let Some(best) = best_of(history.trials, direction) else {
            return Verdict::default();
        };
        let losses = |trial: &Trial| -> Vec<f64> {
            let values = trial.intermediate_values.values();
            values.map(|value| direction.loss(*value)).collect()
        };
        let (own, of_best) = (losses(trial), losses(&best));
        let are_finite = own.iter().chain(&of_best).all(|loss| loss.is_finite());
        if of_best.is_empty() || !are_finite {
            return Verdict::default();
        }
        let common = trial
            .intermediate_values
            .iter()
            .filter_map(|(step, value)| {
                let of_best = best.intermediate_values.get(step)?;
                Some(direction.loss(*value) - direction.loss(*of_best))
            });
        let differences: Vec<f64> = common.collect();
        if differences.len() < self.n_startup_steps.max(2) {
            return Verdict::default();
        }
        let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
        let is_worse = mean(&own) > mean(&of_best);
        Verdict::of(is_worse && p_of_greater(&differences) < self.p_threshold)
    }
}

/// The probability of ranks as far above 0 as these if signs were a matter of chance:
/// `scipy.stats.wilcoxon(…, alternative="greater", zero_method="zsplit")`.
///
/// Exact up to 50 differences without ties and zeros, and up to 13 with them; else by the normal distribution.
fn p_of_greater(differences: &[f64]) -> f64 {
    let n = differences.len();
    let (doubled_ranks, ties) = ranks(differences);
    let has_zeros = differences.contains(&0.0);
    // Twice the sum of the positive ranks; a zero counts half.
    let statistic: u64 = differences
        .iter()
        .zip(&doubled_ranks)
        .map(|(difference, rank)| match difference {
            d if *d > 0.0 => 2 * rank,
            d if *d < 0.0 => 0,
            _ => *rank,
        })
        .sum();
    let limit = if has_zeros || !ties.is_empty() {
        13
    } else {
        50
    };
    if n <= limit {
        return exact(differences, &doubled_ranks, statistic);
    }
    let n = n as f64;
    let mean = n * (n + 1.0) / 4.0;
    let tie_correction: f64 = ties.iter().map(|t| t.powi(3) - t).sum();
    let variance = (n * (n + 1.0) * (2.0 * n + 1.0) - tie_correction / 2.0) / 24.0;
    let z = (statistic as f64 / 4.0 - mean) / variance.sqrt();
    0.5 * libm::erfc(z / SQRT_2)
}

/// Twice the mean rank of each magnitude, and how many share one where several do.
fn ranks(differences: &[f64]) -> (Vec<u64>, Vec<f64>) {
    let mut order: Vec<usize> = (0..differences.len()).collect();
    let size = |i: &usize| differences[*i].abs();
    order.sort_by(|a, b| size(a).total_cmp(&size(b)));
    let mut doubled = vec![0; differences.len()];
    let mut ties = Vec::new();
    let mut before = 0;
    for group in order.chunk_by(|a, b| size(a) == size(b)) {
        let rank = (2 * before + group.len() + 1) as u64;
        for &i in group {
            doubled[i] = rank;
        }
        if group.len() > 1 {
            ties.push(group.len() as f64);
        }
        before += group.len();
    }
    (doubled, ties)
}

/// The share of all choices of signs whose statistic is at least this one.
fn exact(differences: &[f64], doubled_ranks: &[u64], statistic: u64) -> f64 {
    // The number of ways to each sum, one difference after the other.
    let mut ways = vec![1.0];
    let mut of_zeros = 0;
    for (difference, rank) in differences.iter().zip(doubled_ranks) {
        if *difference == 0.0 {
            of_zeros += rank;
            continue;
        }
        let rank = 2 * *rank as usize;
        let mut next = vec![0.0; ways.len() + rank];
        for (sum, count) in ways.iter().enumerate() {
            next[sum] += 0.5 * count;
            next[sum + rank] += 0.5 * count;
        }
        ways = next;
    }
    let least = statistic.saturating_sub(of_zeros) as usize;
    ways.iter().skip(least).sum()
}

#[cfg(test)]
mod tests {
    use super::p_of_greater;

    /// `scipy.stats.wilcoxon(d, alternative="greater", zero_method="zsplit").pvalue`, of `scipy` 1.17.1.
    #[test]
    fn probabilities_are_scipy_s() {
        let many: Vec<f64> = (1..=60)
            .map(|i| f64::from(i) * if i % 3 == 0 { -1.0 } else { 1.0 })
            .collect();
        let tied: Vec<f64> = (1..=20)
            .map(|i| f64::from(i / 2) * if i % 4 == 0 { -1.0 } else { 1.0 })
            .collect();
        let table: [(&[f64], f64); 5] = [
            (&[1.0, 2.0, -3.0, 4.0, 5.0], 0.15625),
            (&[1.0, 1.0, -1.0, 2.0, 0.0], 0.25),
            (&[0.0, 0.0, 0.5], 0.5),
            (&many, 0.017_950_061_607_939_057),
            (&tied, 0.056_156_308_122_894_6),
        ];
        for (differences, expected) in table {
            let found = p_of_greater(differences);
            assert!(
                (found - expected).abs() < 1e-12,
                "{differences:?}: {found}, not {expected}"
            );
        }
    }
}
