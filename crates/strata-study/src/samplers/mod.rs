//! Which values to try next.
//!
//! A trial's values are found in two steps, as in Optuna. [`Sampler::propose`] draws together the parameters
//! of which all finished trials have values; [`Sampler::draw`] draws each of the others when it is asked for,
//! such as one that exists only under a condition.

mod cmaes;
mod constraints;
mod gp;
mod grid;
mod independent;
mod intersection;
mod name;
mod nsgaii;
mod qmc;
mod random;
#[cfg(test)]
mod testing;
mod tpe;
mod unit_cube;

use indexmap::IndexMap;
use strata_json::Json;

use crate::study::History;
use crate::trial::Trial;
use crate::{Distribution, Random};

pub use cmaes::{CmaEsOptions, CmaEsSampler};
pub use gp::{GpOptions, GpSampler};
pub use grid::GridSampler;
pub use name::SamplerName;
pub use nsgaii::{NsgaIiOptions, NsgaIiSampler};
pub use qmc::{QmcOptions, QmcSampler, Sequence};
pub use random::RandomSampler;
pub(crate) use tpe::log_mass;
pub use tpe::{TpeOptions, TpeSampler};

/// Values that are proposed together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proposal {
    /// The internal number of each parameter.
    pub params: IndexMap<String, f64>,
    /// What is to be kept with the trial.
    pub attributes: Vec<(String, Json)>,
}

/// Which values to try next: a function of the trials so far, the study's seed and the trial's number.
///
/// Whatever the trials hold, values are within their distributions, and nothing panics: another program may have
/// written them.
pub trait Sampler: Send + Sync {
    /// The values that depend on each other. `number` is that of the trial; `history` does not hold it.
    fn propose(&self, history: &History<'_>, number: u64, random: &mut Random) -> Proposal;

    /// The value of one parameter that was not proposed, as its internal number. `trial` has the parameters
    /// that were drawn before; `history` does not hold it.
    fn draw(
        &self,
        history: &History<'_>,
        trial: &Trial,
        name: &str,
        distribution: &Distribution,
        random: &mut Random,
    ) -> f64;

    /// Whether nothing is left that was not tried, so that the study is to end.
    fn is_exhausted(&self, history: &History<'_>) -> bool {
        let _ = history;
        false
    }
}
