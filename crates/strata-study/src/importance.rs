//! Which parameters matter.

use std::sync::Arc;

use crate::multi_objective::best_subset;
use crate::samplers::log_mass;
use crate::trial::{Trial, TrialState};
use crate::{Direction, Distribution};

/// The best tenth of the trials is compared with all.
const TARGET_QUANTILE: f64 = 0.1;

/// Numbers are put on a grid of at most so many cells.
const N_STEPS: usize = 50;

/// A distribution that fewer trials share says nothing.
const LEAST_TRIALS: usize = 2;

/// How much each parameter decides whether a trial is among the best tenth, the most important first; the shares add up
/// to 1, and are equal where nothing can be said.
///
/// PED-ANOVA (Watanabe, Bansal & Hutter 2023, arXiv 2304.10255) by the rules of Optuna 5.0: of the complete trials
/// with finite values, the Pearson divergence between the density of the best and that of all, for each parameter by
/// itself. With several objectives the best are those of `best_subset`.
pub fn importances(trials: &[Arc<Trial>], directions: &[Direction]) -> Vec<(String, f64)> {
    let complete = trials
        .iter()
        .filter(|trial| trial.state == TrialState::Complete);
    let mut names: Vec<String> = complete
        .clone()
        .flat_map(|trial| trial.params.keys().cloned())
        .collect();
    names.sort();
    names.dedup();
    let all: Vec<&Trial> = complete
        .map(AsRef::as_ref)
        .filter(|trial| trial.values.len() == directions.len())
        .filter(|trial| trial.values.iter().all(|value| value.is_finite()))
        .collect();
    let is_best = is_among_the_best(&all, directions);
    let mut importances: Vec<(String, f64)> = names
        .into_iter()
        .map(|name| {
            let importance = if all.len() <= 1 {
                0.0
            } else {
                importance(&name, &all, &is_best)
            };
            (name, importance)
        })
        .collect();
    let total: f64 = importances.iter().map(|(_, importance)| importance).sum();
    let count = importances.len() as f64;
    for (_, importance) in &mut importances {
        *importance = if total > 0.0 {
            *importance / total
        } else {
            1.0 / count
        };
    }
    // Stable, so that equals stay in the order of their names.
    importances.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    importances
}

/// Which trials are the best tenth; with one objective also those that are as good as the last of them.
fn is_among_the_best(trials: &[&Trial], directions: &[Direction]) -> Vec<bool> {
    let count = (TARGET_QUANTILE * trials.len() as f64).ceil() as usize;
    let losses: Vec<Vec<f64>> = trials
        .iter()
        .map(|trial| {
            let values = trial.values.iter().zip(directions);
            values
                .map(|(value, direction)| direction.loss(*value))
                .collect()
        })
        .collect();
    if directions.len() > 1 {
        let best = best_subset(&losses, count);
        return (0..trials.len()).map(|i| best.contains(&i)).collect();
    }
    let mut sorted: Vec<f64> = losses.iter().map(|losses| losses[0]).collect();
    sorted.sort_by(f64::total_cmp);
    let worst = sorted
        .get(count.saturating_sub(1))
        .copied()
        .unwrap_or(f64::INFINITY);
    losses.iter().map(|losses| losses[0] <= worst).collect()
}

/// The sum over the distributions that the parameter has had, weighted by how often the best have each.
fn importance(name: &str, all: &[&Trial], is_best: &[bool]) -> f64 {
    let n_best = is_best.iter().filter(|best| **best).count() as f64;
    let mut seen: Vec<&Arc<Distribution>> = Vec::new();
    let mut total = 0.0;
    for trial in all {
        let Some(param) = trial.params.get(name) else {
            continue;
        };
        let distribution = &param.distribution;
        if seen.contains(&distribution) || distribution.is_single() {
            continue;
        }
        seen.push(distribution);
        let (mut values, mut of_best) = (Vec::new(), Vec::new());
        for (other, best) in all.iter().zip(is_best) {
            let param = other.params.get(name);
            if let Some(param) = param.filter(|param| param.distribution == *distribution) {
                values.push(param.internal);
                of_best.extend(best.then_some(param.internal));
            }
        }
        if values.len() < LEAST_TRIALS || of_best.is_empty() {
            continue;
        }
        let share_of_best = of_best.len() as f64 / n_best;
        let share = values.len() as f64 / all.len() as f64;
        let divergence = pearson_divergence(distribution, &of_best, &values);
        total += share_of_best * share_of_best / share * divergence;
    }
    total
}

fn pearson_divergence(distribution: &Distribution, best: &[f64], all: &[f64]) -> f64 {
    /// No cell is impossible.
    const LEAST: f64 = 1e-12;
    let best = density(&cells(distribution, best), distribution);
    let all = density(&cells(distribution, all), distribution);
    let cells = best.iter().zip(&all);
    let terms = cells.map(|(best, all)| {
        let (best, all) = (best + LEAST, all + LEAST);
        all * (best / all - 1.0).powi(2)
    });
    terms.sum()
}

/// How many values fall into each cell of the parameter's grid.
fn cells(distribution: &Distribution, values: &[f64]) -> Vec<usize> {
    let (low, high, log, steps) = match *distribution {
        Distribution::Categorical { ref choices } => {
            let mut counts = vec![0; choices.len()];
            for value in values {
                counts[*value as usize] += 1;
            }
            return counts;
        }
        Distribution::Float {
            low,
            high,
            log,
            step,
        } => {
            let of_step = step.map(|step| ((high - low) / step).round_ties_even() as usize + 1);
            (low, high, log, of_step)
        }
        Distribution::Int {
            low,
            high,
            log,
            step,
        } => {
            let range = (high - low) as f64;
            let steps = if log {
                (libm::log(range + 1.0) / libm::log(2.0)).ceil() as usize + 1
            } else {
                (range / step as f64).round_ties_even() as usize + 1
            };
            (low as f64, high as f64, log, Some(steps))
        }
    };
    let n_steps = steps.unwrap_or(N_STEPS).min(N_STEPS);
    let scaled = |value: f64| if log { libm::log(value) } else { value };
    let (low, high) = (scaled(low), scaled(high));
    let width = (high - low) / (n_steps - 1) as f64;
    let mut counts = vec![0; n_steps];
    for value in values {
        let cell = ((scaled(*value) - low) / width - 0.5).ceil();
        counts[cell.clamp(0.0, (n_steps - 1) as f64) as usize] += 1;
    }
    counts
}

/// The density of each cell: around those that are occupied, and evenly as far as the prior goes.
fn density(counts: &[usize], distribution: &Distribution) -> Vec<f64> {
    let occupied: Vec<(f64, f64)> = counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(cell, count)| (cell as f64, *count as f64))
        .collect();
    let total: f64 = occupied.iter().map(|(_, weight)| weight).sum();
    let is_choice = matches!(distribution, Distribution::Categorical { .. });
    let of_cell = |cell: usize| {
        let at = cell as f64;
        let sum: f64 = if is_choice {
            let n_choices = counts.len() as f64;
            let share = 1.0 / (occupied.len() as f64 + 1.0);
            let kernels = occupied.iter().map(|(choice, weight)| {
                let here = if *choice == at { 1.0 } else { 0.0 };
                weight * (share + here) / (share * n_choices + 1.0)
            });
            kernels.sum::<f64>() + 1.0 / n_choices
        } else {
            let last = (counts.len() - 1) as f64;
            let width = width_of_scott(&occupied, total);
            let kernel = |mu: f64, sigma: f64| {
                let mass = |from: f64, to: f64| log_mass((from - mu) / sigma, (to - mu) / sigma);
                libm::exp(mass(at - 0.5, at + 0.5) - mass(-0.5, last + 0.5))
            };
            let kernels = occupied
                .iter()
                .map(|(mu, weight)| weight * kernel(*mu, width));
            kernels.sum::<f64>() + kernel(last / 2.0, last + 1.0)
        };
        sum / (total + 1.0)
    };
    (0..counts.len()).map(of_cell).collect()
}

/// Scott's rule for weighted points, with the smaller of standard deviation and interquartile range.
fn width_of_scott(points: &[(f64, f64)], total: f64) -> f64 {
    let mean = points.iter().map(|(x, weight)| x * weight).sum::<f64>() / total;
    let squares = points.iter().map(|(x, weight)| (x - mean).powi(2) * weight);
    let deviation = (squares.sum::<f64>() / (total - 1.0).max(1.0)).sqrt();
    let mut sum = 0.0;
    let up_to: Vec<f64> = points
        .iter()
        .map(|(_, weight)| {
            sum += weight;
            sum
        })
        .collect();
    let (quarter, three_quarters) = ((total / 4.0).floor(), (total * 3.0 / 4.0).floor());
    let first = up_to.partition_point(|sum| *sum < quarter);
    let third = up_to.partition_point(|sum| *sum <= three_quarters);
    let range = points[third.min(points.len() - 1)].0 - points[first].0;
    let width = 1.059 * (range / 1.34).min(deviation) * libm::pow(total, -0.2);
    // Half a cell holds nine tenths.
    width.max(0.5 / 1.64)
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use strata_json::Json;

    use super::*;
    use crate::Param;

    /// Fifty trials, spread by multiplication modulo 101.
    fn trials() -> Vec<Arc<Trial>> {
        let x = Distribution::float(-3.0, 3.0, false, None).expect("valid");
        let lr = Distribution::float(1e-4, 1.0, true, None).expect("valid");
        let units = Distribution::int(4, 64, false, 4).expect("valid");
        let batch = Distribution::int(1, 300, true, 1).expect("valid");
        let opt = vec![Json::from("a"), Json::from("b"), Json::from("c")];
        let opt = Distribution::categorical(opt).expect("valid");
        let distributions = [x, lr, units, batch, opt].map(Arc::new);
        let trial = |i: u64| {
            let part = |k: u64| ((i * k) % 101) as f64 / 101.0;
            let internal = [
                -3.0 + 6.0 * part(37),
                libm::pow(10.0, -4.0 + 4.0 * part(53)),
                4.0 + 4.0 * (16.0 * part(29)).floor(),
                libm::exp(libm::log(300.0) * part(71)).floor(),
                (3.0 * part(17)).floor(),
            ];
            let loss = internal[0].powi(2)
                + 0.5 * (libm::log10(internal[1]) + 2.0).powi(2)
                + 0.1 * internal[4]
                + 0.001 * internal[2];
            let params = ["x", "lr", "units", "batch", "opt"]
                .iter()
                .zip(&distributions);
            let params = params
                .zip(internal)
                .map(|((name, distribution), internal)| {
                    let distribution = Arc::clone(distribution);
                    let param = Param {
                        distribution,
                        internal,
                    };
                    ((*name).to_owned(), param)
                });
            Arc::new(Trial {
                number: i,
                params: params.collect::<IndexMap<_, _>>(),
                values: vec![loss],
                ..Trial::new(TrialState::Complete)
            })
        };
        (0..50).map(trial).collect()
    }

    #[test]
    fn importances_are_optuna_s() {
        let found = importances(&trials(), &[Direction::Minimize]);
        // import optuna; optuna.importance.get_param_importances(study), Optuna 5.0.0.
        let expected = [
            ("x", 0.835_396_717_133_950_8),
            ("lr", 0.141_612_349_806_954_45),
            ("opt", 0.020_159_739_329_680_31),
            ("batch", 0.001_791_821_108_076_648_4),
            ("units", 0.001_039_372_621_337_896_3),
        ];
        assert_eq!(found.len(), expected.len());
        for ((name, importance), (expected_name, expected)) in found.iter().zip(expected) {
            assert_eq!(name, expected_name);
            assert!(
                (importance - expected).abs() < 1e-9,
                "{name}: {importance}, not {expected}"
            );
        }
    }

    #[test]
    fn where_nothing_can_be_said_all_are_equal() {
        let one = &trials()[..1];
        let found = importances(one, &[Direction::Minimize]);
        assert!(
            found
                .iter()
                .all(|(_, importance)| (importance - 0.2).abs() < 1e-12)
        );
        assert!(importances(&[], &[Direction::Minimize]).is_empty());
    }
}
