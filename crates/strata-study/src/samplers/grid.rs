//! Every combination of given values.

use strata_json::Json;

use super::{Proposal, Sampler, random::uniform};
use crate::study::{FIXED_PARAMS, History};
use crate::trial::{Trial, TrialState};
use crate::{Distribution, Random};

const GRID_ID: &str = "grid_id";
const SEARCH_SPACE: &str = "search_space";

/// Every combination of given values, in random order. Optuna's `GridSampler`.
///
/// * Trial `n` takes the combination `n` as long as there are so many; then those that no finished trial has, at
///   first the ones that none is running with. A failed trial counts as finished, as in Optuna.
/// * A trial keeps its combination in the attributes `grid_id` and `search_space`. The order is a function of the
///   study's seed; numpy's is another, so a study does not change hands with Optuna half-way through its grid.
/// * A value that its parameter cannot take, and a parameter that the grid does not have, are drawn at random,
///   where Optuna stops with an error.
/// * Trials of the queue are no part of the grid.
#[derive(Debug, Clone)]
pub struct GridSampler {
    /// By name.
    space: Vec<(String, Vec<Json>)>,
    n_combinations: u64,
}

impl GridSampler {
    /// A grid of the values of each parameter. None, if there are more than 10 million combinations: they are kept in
    /// memory, and no study tries as many.
    pub fn new(mut space: Vec<(String, Vec<Json>)>) -> Option<Self> {
        space.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut sizes = space.iter().map(|(_, values)| values.len() as u64);
        let n_combinations = sizes.try_fold(1, u64::checked_mul)?;
        (n_combinations <= 10_000_000).then_some(Self {
            space,
            n_combinations,
        })
    }

    /// How many combinations there are.
    pub fn n_combinations(&self) -> u64 {
        self.n_combinations
    }

    /// The values of a grid id, as many as parameters.
    fn combination(&self, id: u64, seed: u64) -> Vec<&Json> {
        let mut order: Vec<u32> = (0..self.n_combinations as u32).collect();
        Random::new(seed, "grid:order", 0).shuffle(&mut order);
        let mut rest = order[id as usize] as usize;
        let mut values: Vec<&Json> = Vec::with_capacity(self.space.len());
        for (_, choices) in self.space.iter().rev() {
            values.push(&choices[rest % choices.len()]);
            rest /= choices.len();
        }
        values.reverse();
        values
    }

    fn space_json(&self) -> Json {
        let fields = self.space.iter();
        Json::Map(
            fields
                .map(|(name, values)| (name.clone(), Json::List(values.clone())))
                .collect(),
        )
    }

    /// The grid id of a trial, if it is one of this very grid.
    fn id_of(&self, trial: &Trial) -> Option<u64> {
        if trial.system_attrs.contains_key(FIXED_PARAMS) {
            return None;
        }
        let id = trial.system_attrs.get(GRID_ID).and_then(Json::as_i64)?;
        let space = trial.system_attrs.get(SEARCH_SPACE)?.as_map()?;
        let same = |(name, values): &(String, Vec<Json>)| {
            let stored = space.get(name).and_then(Json::as_list);
            stored.is_some_and(|stored| {
                stored.len() == values.len() && stored.iter().zip(values).all(|(a, b)| equal(a, b))
            })
        };
        let is_same = space.len() == self.space.len() && self.space.iter().all(same);
        let id = u64::try_from(id).ok()?;
        (is_same && id < self.n_combinations).then_some(id)
    }

    /// The combinations that are left.
    fn unvisited(&self, history: &History<'_>) -> Vec<u64> {
        let mut finished = vec![false; self.n_combinations as usize];
        let mut begun = vec![false; self.n_combinations as usize];
        for trial in history.trials {
            let Some(id) = self.id_of(trial) else {
                continue;
            };
            finished[id as usize] |= trial.state.is_finished();
            begun[id as usize] |= trial.state.is_finished() || trial.state == TrialState::Running;
        }
        let without = |taken: &[bool]| -> Vec<u64> {
            let ids = 0..self.n_combinations;
            ids.filter(|id| !taken[*id as usize]).collect()
        };
        let untouched = without(&begun);
        if untouched.is_empty() {
            without(&finished)
        } else {
            untouched
        }
    }
}

/// Equality of Python, with NaN like itself: `1 == 1.0`.
fn equal(a: &Json, b: &Json) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b || (a.is_nan() && b.is_nan()),
        _ => a == b,
    }
}

impl Sampler for GridSampler {
    fn propose(&self, history: &History<'_>, number: u64, random: &mut Random) -> Proposal {
        if self.n_combinations == 0 {
            return Proposal::default();
        }
        let id = if number < self.n_combinations {
            number
        } else {
            let left = self.unvisited(history);
            match left.len() as u64 {
                0 => random.below(self.n_combinations),
                n => left[random.below(n) as usize],
            }
        };
        Proposal {
            params: Default::default(),
            attributes: vec![
                (SEARCH_SPACE.to_owned(), self.space_json()),
                (GRID_ID.to_owned(), Json::Int(id as i64)),
            ],
        }
    }

    fn draw(
        &self,
        history: &History<'_>,
        trial: &Trial,
        name: &str,
        distribution: &Distribution,
        random: &mut Random,
    ) -> f64 {
        let place = self.space.iter().position(|(other, _)| other == name);
        let value = place.zip(self.id_of(trial)).and_then(|(place, id)| {
            let value = self.combination(id, history.seed)[place];
            distribution.internal(value)
        });
        let value = value.filter(|value| distribution.contains(*value));
        value.unwrap_or_else(|| uniform(distribution, random))
    }

    fn is_exhausted(&self, history: &History<'_>) -> bool {
        self.unvisited(history).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::pruners::Verdict;
    use crate::storage::MemoryStorage;
    use crate::{Direction, Pruner, Study};

    struct NeverPrune;

    impl Pruner for NeverPrune {
        fn judge(&self, _: &History<'_>, _: &Trial) -> Verdict {
            Verdict::default()
        }
    }

    fn sampler() -> GridSampler {
        let space = vec![
            ("x".to_owned(), vec![1.into(), 2.into(), 3.into()]),
            ("c".to_owned(), vec!["a".into(), "b".into()]),
        ];
        GridSampler::new(space).expect("a small grid")
    }

    /// All 6 combinations come once; then the study is at its end, whatever was queued between.
    #[test]
    fn every_combination_comes_once() {
        let storage = Arc::new(MemoryStorage::default());
        let study = Study::open_or_create(
            storage,
            "grid",
            &[Direction::Minimize],
            1,
            Box::new(sampler()),
            Box::new(NeverPrune),
        )
        .expect("a study");
        let x = Arc::new(Distribution::int(1, 3, false, 1).expect("valid"));
        let c = Distribution::categorical(vec!["b".into(), "a".into()]).expect("valid");
        let c = Arc::new(c);
        let mut seen = Vec::new();
        let mut n_trials = 0;
        while !study.is_exhausted().expect("memory") {
            if n_trials == 2 {
                let values = [("x".to_owned(), 1.into()), ("c".to_owned(), "a".into())];
                let values = values.into_iter().collect();
                study.enqueue(values, Default::default()).expect("memory");
            }
            let mut trial = study.ask().expect("memory");
            let values = (
                trial.suggest("x", &x).expect("memory").as_i64(),
                trial
                    .suggest("c", &c)
                    .expect("memory")
                    .as_str()
                    .map(str::to_owned),
            );
            if n_trials != 2 {
                seen.push(values);
            }
            trial.complete(&[0.0]).expect("memory");
            n_trials += 1;
        }
        assert_eq!(n_trials, 7);
        let in_order = seen.clone();
        seen.sort();
        assert_ne!(in_order, seen, "the order is random");
        seen.dedup();
        assert_eq!(seen.len(), 6);
    }

    #[test]
    fn a_grid_too_large_is_refused() {
        let values = || (0..1000).map(Json::from).collect();
        let space = ["a", "b", "c"].map(|name| (name.to_owned(), values()));
        assert!(GridSampler::new(space.to_vec()).is_none());
        let empty = GridSampler::new(vec![("a".to_owned(), vec![])]).expect("a grid");
        assert_eq!(empty.n_combinations(), 0);
    }
}
