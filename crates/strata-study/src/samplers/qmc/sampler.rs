//! The sampler of evenly spread points.

use std::sync::Arc;

use super::halton::Halton;
use super::sobol::Sobol;
use crate::samplers::unit_cube::Axis;
use crate::samplers::{Proposal, Sampler, random::uniform};
use crate::study::History;
use crate::trial::{Trial, TrialState};
use crate::{Distribution, Random};

/// Which points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sequence {
    /// Sobol's; best with a power of 2 of trials.
    #[default]
    Sobol,
    /// Halton's.
    Halton,
}

/// What [`QmcSampler`] is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QmcOptions {
    /// Which points; Sobol's by default.
    pub sequence: Sequence,
    /// Whether the points are scrambled, by the study's seed; not by default. Without, the first point is the corner
    /// of all lower bounds, and every study has the same points.
    pub scrambled: bool,
}

/// Quasi-Monte Carlo: points that fill the space more evenly than random ones (Bergstra & Bengio 2012).
///
/// Trial `n` takes the point `n - 1` of the sequence, so that workers share it without a word between them, and a
/// study that goes on does so where it was. Numbers of trials that are something else, queued or drawn before any
/// trial was finished, are points left out; Optuna counts in an attribute of the study instead, which two workers
/// may read at once.
///
/// The first trial, and those until one is finished, are random. The parameters are those of the first finished
/// trial, by name; others, and Sobol's dimensions beyond 128, are drawn at random. A choice is an interval, as
/// in Optuna 5.0.
#[derive(Debug, Clone, Copy, Default)]
pub struct QmcSampler {
    options: QmcOptions,
}

impl QmcSampler {
    /// With these options.
    pub fn new(options: QmcOptions) -> Self {
        Self { options }
    }

    fn point(self, n_dimensions: usize, index: u64, seed: u64) -> Vec<f64> {
        // One scramble for all trials of the study.
        let mut random = Random::new(seed, "qmc:scramble", 0);
        match (self.options.sequence, self.options.scrambled) {
            (Sequence::Sobol, false) => Sobol::new(n_dimensions).point(index),
            (Sequence::Sobol, true) => Sobol::scrambled(n_dimensions, &mut random).point(index),
            (Sequence::Halton, false) => Halton::new(n_dimensions).point(index),
            (Sequence::Halton, true) => Halton::scrambled(n_dimensions, &mut random).point(index),
        }
    }
}

impl Sampler for QmcSampler {
    fn propose(&self, history: &History<'_>, number: u64, _: &mut Random) -> Proposal {
        let mut proposal = Proposal::default();
        let Some(index) = number.checked_sub(1) else {
            return proposal;
        };
        let space = space(history);
        let point = self.point(space.len(), index, history.seed);
        for ((name, distribution), unit) in space.iter().zip(point) {
            let internal = Axis::new(distribution).internal(unit);
            proposal.params.insert(name.clone(), internal);
        }
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

/// The parameters of the first finished trial that have more than one value, by name.
fn space(history: &History<'_>) -> Vec<(String, Arc<Distribution>)> {
    let counts = |state| matches!(state, TrialState::Complete | TrialState::Pruned);
    let first = history.trials.iter().find(|trial| counts(trial.state));
    let params = first.into_iter().flat_map(|trial| trial.params.iter());
    let mut space: Vec<(String, Arc<Distribution>)> = params
        .filter(|(_, param)| !param.distribution.is_single())
        .map(|(name, param)| (name.clone(), Arc::clone(&param.distribution)))
        .collect();
    space.sort_by(|(a, _), (b, _)| a.cmp(b));
    space
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_vectors::{close, numbers, vectors};

    #[test]
    fn unscrambled_points_are_those_of_scipy() {
        let vectors = vectors();
        for (key, sequence) in [
            ("sobol_unscrambled", Sequence::Sobol),
            ("halton_unscrambled", Sequence::Halton),
        ] {
            let sampler = QmcSampler::new(QmcOptions {
                sequence,
                scrambled: false,
            });
            let tables = vectors["qmc"].get(key);
            let tables = tables.and_then(strata_json::Json::as_map).expect("tables");
            for (n_dimensions, points) in tables {
                let n_dimensions = n_dimensions.parse().expect("a number");
                let points = points.as_list().expect("points");
                for (index, expected) in points.iter().enumerate() {
                    let point = sampler.point(n_dimensions, index as u64, 0);
                    let what = format!("{key}, {n_dimensions} dimensions, point {index}");
                    close(&point, &numbers(expected), &what);
                }
            }
        }
    }

    #[test]
    fn scrambling_is_the_seed_s() {
        for sequence in [Sequence::Sobol, Sequence::Halton] {
            let sampler = QmcSampler::new(QmcOptions {
                sequence,
                scrambled: true,
            });
            assert_eq!(sampler.point(3, 5, 1), sampler.point(3, 5, 1));
            assert_ne!(sampler.point(3, 5, 1), sampler.point(3, 5, 2));
        }
    }
}
