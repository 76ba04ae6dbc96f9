//! NSGA-II: generations of trials that inherit from the best of the one before.

use std::sync::Arc;

use strata_json::Json;

use super::constraints::violation;
use super::intersection::intersection;
use super::{Proposal, Sampler, random::uniform};
use crate::multi_objective::{crowding_distances, dominates, nondominated_ranks};
use crate::study::History;
use crate::trial::{Trial, TrialState};
use crate::{Distribution, Random};

const GENERATION: &str = "NSGAIISampler:generation";

/// What [`NsgaIiSampler`] is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NsgaIiOptions {
    /// How many trials make a generation, at least 2; 50 by default.
    pub population_size: usize,
    /// How likely a child has two parents and not one, 0.9 by default.
    pub crossover_prob: f64,
    /// How likely a parameter comes from the second parent, 0.5 by default.
    pub swapping_prob: f64,
    /// How likely a parameter is drawn anew; one over the number of parameters by default.
    pub mutation_prob: Option<f64>,
}

impl Default for NsgaIiOptions {
    fn default() -> Self {
        Self {
            population_size: 50,
            crossover_prob: 0.9,
            swapping_prob: 0.5,
            mutation_prob: None,
        }
    }
}

/// NSGA-II (Deb, Pratap, Agarwal & Meyarivan 2002), an evolutionary search for one or several objectives, with the
/// operators of Optuna's `NSGAIISampler`.
///
/// * The first generation is random. Then the parents are the best `population_size` of the last generation and its
///   own parents: by rank of domination, the last rank by crowding distance.
/// * A child takes each parameter from one of two parents (uniform crossover, Syswerda 1989), each the winner of
///   two by domination; some parameters are drawn anew.
/// * A trial's generation is kept in its attribute `NSGAIISampler:generation`, as Optuna does, so that either can
///   go on with the other's study. The parents are found anew each time instead of being kept with the study: a
///   trial that ends after its generation was full still counts among them.
/// * Only complete trials count. Violated constraints (attributes `constraints`, `constraints:NAME`) are worse than
///   any value, more of them worse than less.
#[derive(Debug, Clone, Copy, Default)]
pub struct NsgaIiSampler {
    options: NsgaIiOptions,
}

/// A trial that may become a parent.
#[derive(Clone)]
struct Individual<'a> {
    trial: &'a Trial,
    losses: Vec<f64>,
    /// The sum of violated constraints.
    violation: f64,
}

impl Individual<'_> {
    /// Constrained domination.
    fn dominates(&self, other: &Self) -> bool {
        if self.violation > 0.0 || other.violation > 0.0 {
            self.violation < other.violation
        } else {
            dominates(&self.losses, &other.losses)
        }
    }
}

impl NsgaIiSampler {
    /// With these options.
    pub fn new(options: NsgaIiOptions) -> Self {
        let population_size = options.population_size.max(2);
        Self {
            options: NsgaIiOptions {
                population_size,
                ..options
            },
        }
    }

    /// The generations so far; the last may be incomplete.
    fn generations<'a>(history: &History<'a>) -> Vec<Vec<Individual<'a>>> {
        let mut generations: Vec<Vec<Individual<'a>>> = Vec::new();
        // A generation from outside that is far off is none: as many as there are trials at most.
        let n_trials = history.trials.len();
        for trial in history.in_state(TrialState::Complete) {
            let generation = trial.system_attrs.get(GENERATION).and_then(Json::as_i64);
            let generation = generation.and_then(|generation| usize::try_from(generation).ok());
            let Some(generation) = generation.filter(|generation| *generation <= n_trials) else {
                continue;
            };
            if trial.values.len() != history.directions.len() {
                continue;
            }
            if generations.len() <= generation {
                generations.resize_with(generation + 1, Vec::new);
            }
            let values = trial.values.iter().zip(history.directions);
            generations[generation].push(Individual {
                trial,
                losses: values
                    .map(|(value, direction)| direction.loss(*value))
                    .collect(),
                violation: violation(trial),
            });
        }
        generations
    }

    /// The best of a population.
    fn elite<'a>(&self, population: Vec<Individual<'a>>) -> Vec<Individual<'a>> {
        let n = self.options.population_size;
        let mut fronts: Vec<Vec<Individual<'a>>> = Vec::new();
        for (individual, rank) in population.iter().zip(ranks(&population)) {
            if fronts.len() <= rank {
                fronts.resize_with(rank + 1, Vec::new);
            }
            fronts[rank].push(individual.clone());
        }
        let mut elite = Vec::new();
        for mut front in fronts {
            if elite.len() + front.len() > n {
                let losses: Vec<Vec<f64>> = front.iter().map(|one| one.losses.clone()).collect();
                let mut distances = crowding_distances(&losses).into_iter().zip(front);
                let mut by_distance: Vec<(f64, Individual<'a>)> = distances.by_ref().collect();
                by_distance.sort_by(|(a, _), (b, _)| b.total_cmp(a));
                front = by_distance.into_iter().map(|(_, one)| one).collect();
                front.truncate(n - elite.len());
            }
            elite.extend(front);
            if elite.len() >= n {
                break;
            }
        }
        elite
    }

    fn child(
        &self,
        parents: &[Individual<'_>],
        space: &[(String, Arc<Distribution>)],
        random: &mut Random,
    ) -> Proposal {
        let options = &self.options;
        let n = parents.len() as u64;
        let couple = if n >= 2 && random.uniform() < options.crossover_prob {
            let first = tournament(parents, None, random);
            [first, tournament(parents, Some(first), random)]
        } else {
            [random.below(n) as usize; 2]
        };
        let mutation_prob = options.mutation_prob.unwrap_or(1.0 / space.len() as f64);
        let mut proposal = Proposal::default();
        for (name, distribution) in space {
            let parent = couple[usize::from(random.uniform() >= options.swapping_prob)];
            let is_mutated = random.uniform() < mutation_prob;
            let inherited = parents[parent].trial.params.get(name);
            let inherited = inherited.map(|param| param.internal);
            // What is left out here is drawn anew.
            let inherited = inherited.filter(|value| !is_mutated && distribution.contains(*value));
            if let Some(inherited) = inherited {
                proposal.params.insert(name.clone(), inherited);
            }
        }
        proposal
    }
}

/// The winner of two that meet by chance, of all but `without`.
fn tournament(parents: &[Individual<'_>], without: Option<usize>, random: &mut Random) -> usize {
    let mut pick = || {
        let n = parents.len() - usize::from(without.is_some());
        let index = random.below(n as u64) as usize;
        index + usize::from(without.is_some_and(|without| index >= without))
    };
    let (first, second) = (pick(), pick());
    if parents[first].dominates(&parents[second]) {
        first
    } else {
        second
    }
}

/// Ranks of domination: of those that violate no constraint by their losses, then of the others by violation.
fn ranks(population: &[Individual<'_>]) -> Vec<usize> {
    let rank_of = |is_feasible: bool| {
        let members = population
            .iter()
            .filter(|one| (one.violation <= 0.0) == is_feasible);
        let keys: Vec<Vec<f64>> = members
            .map(|one| {
                if is_feasible {
                    one.losses.clone()
                } else {
                    vec![one.violation]
                }
            })
            .collect();
        nondominated_ranks(&keys)
    };
    let feasible = rank_of(true);
    let n_fronts = feasible.iter().max().map_or(0, |rank| rank + 1);
    let (mut feasible, mut others) = (feasible.into_iter(), rank_of(false).into_iter());
    let ranks = population.iter().map(|one| {
        if one.violation <= 0.0 {
            feasible.next().unwrap_or(0)
        } else {
            n_fronts + others.next().unwrap_or(0)
        }
    });
    ranks.collect()
}

impl Sampler for NsgaIiSampler {
    fn propose(&self, history: &History<'_>, _: u64, random: &mut Random) -> Proposal {
        let generations = Self::generations(history);
        let last = generations.last().map_or(0, Vec::len);
        let is_full = last >= self.options.population_size;
        let generation = generations.len().saturating_sub(1) + usize::from(is_full);
        let mut parents: Vec<Individual<'_>> = Vec::new();
        for population in generations.into_iter().take(generation) {
            parents = self.elite([population, parents].concat());
        }
        let space = intersection(history, |state| state == TrialState::Complete);
        let mut proposal = if parents.is_empty() || space.is_empty() {
            Proposal::default()
        } else {
            self.child(&parents, &space, random)
        };
        let generation = (GENERATION.to_owned(), Json::Int(generation as i64));
        proposal.attributes.push(generation);
        proposal
    }

    fn draw(
        &self,
        _: &History<'_>,
        _: &Trial,
        _: &str,
        distribution: &Distribution,
        random: &mut Random,
    ) -> f64 {
        uniform(distribution, random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction;
    use crate::samplers::testing::{history_of, trial_of};

    fn individual(trial: &Trial, losses: [f64; 2]) -> Individual<'_> {
        Individual {
            trial,
            losses: losses.to_vec(),
            violation: violation(trial),
        }
    }

    #[test]
    fn violated_constraints_are_worse_than_any_value() {
        let plain = trial_of(0, &[], &[]);
        let mut violated = trial_of(1, &[], &[]);
        let list = Json::List(vec![(-1.0).into(), 0.5.into(), 1.into()]);
        violated.system_attrs.insert("constraints".to_owned(), list);
        let mut worse = trial_of(2, &[], &[]);
        let nan = Json::Float(f64::NAN);
        worse
            .system_attrs
            .insert("constraints:memory".to_owned(), nan);
        let population = [
            individual(&worse, [0.0, 0.0]),
            individual(&plain, [9.0, 9.0]),
            individual(&violated, [0.0, 0.0]),
            individual(&plain, [8.0, 9.0]),
        ];
        assert_eq!(violation(&violated), 1.5);
        assert_eq!(ranks(&population), [3, 1, 2, 0]);
    }

    /// The next generation begins when the last is full, and inherits from the best of all before.
    #[test]
    fn a_full_generation_has_children() {
        let sampler = NsgaIiSampler::new(NsgaIiOptions {
            population_size: 2,
            mutation_prob: Some(0.0),
            ..NsgaIiOptions::default()
        });
        let distribution = Arc::new(Distribution::float(0.0, 1.0, false, None).expect("valid"));
        let trials = |generations: &[i64]| -> Vec<Arc<Trial>> {
            let numbered = generations.iter().zip([0.1, 0.2, 0.9, 0.8]);
            let trials = numbered.enumerate().map(|(number, (generation, x))| {
                let params = [("x", &distribution, x)];
                let mut trial = trial_of(number as u64, &params, &[x]);
                let generation = Json::Int(*generation);
                trial.system_attrs.insert(GENERATION.to_owned(), generation);
                Arc::new(trial)
            });
            trials.collect()
        };
        let propose = |trials: &[Arc<Trial>]| {
            let history = history_of(trials, &[Direction::Minimize]);
            let mut random = Random::new(0, "relative", 9);
            let proposal = sampler.propose(&history, 9, &mut random);
            (
                proposal.params.get("x").copied(),
                proposal.attributes[0].1.clone(),
            )
        };
        assert_eq!(propose(&trials(&[0])), (None, Json::Int(0)));
        let (child, generation) = propose(&trials(&[0, 0, 1, 1]));
        assert_eq!(generation, Json::Int(2));
        assert!(
            child.is_some_and(|x| x < 0.5),
            "the parents are of generation 0"
        );
    }
}
