//! The samplers by name.

use super::{
    CmaEsSampler, GpSampler, NsgaIiSampler, QmcOptions, QmcSampler, RandomSampler, Sampler,
    TpeOptions, TpeSampler,
};

/// The samplers, by the names of `study bench`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SamplerName {
    /// Each value as likely as the others.
    Random,
    /// TPE as Optuna 5 has it by default: multivariate with one objective.
    Tpe,
    /// TPE, one parameter at a time: the default of Optuna 4.
    TpeUnivariate,
    /// TPE, all parameters together.
    TpeMultivariate,
    /// TPE, the parameters together that occur together.
    TpeGroup,
    /// A Gaussian process.
    Gp,
    /// CMA-ES.
    CmaEs,
    /// Scrambled points of Sobol's sequence.
    Qmc,
    /// NSGA-II.
    NsgaIi,
}

impl SamplerName {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Random,
        Self::Tpe,
        Self::TpeUnivariate,
        Self::TpeMultivariate,
        Self::TpeGroup,
        Self::Gp,
        Self::CmaEs,
        Self::Qmc,
        Self::NsgaIi,
    ];

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Tpe => "tpe",
            Self::TpeUnivariate => "tpe_univariate",
            Self::TpeMultivariate => "tpe_multivariate",
            Self::TpeGroup => "tpe_group",
            Self::Gp => "gp",
            Self::CmaEs => "cmaes",
            Self::Qmc => "qmc",
            Self::NsgaIi => "nsgaii",
        }
    }

    /// The sampler of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sampler| sampler.name() == name)
    }

    /// The sampler with its defaults, for a study with this many objectives.
    pub fn build(self, n_objectives: usize) -> Box<dyn Sampler> {
        let tpe = |options| Box::new(TpeSampler::new(options));
        match self {
            Self::Random => Box::new(RandomSampler),
            Self::Tpe => tpe(TpeOptions {
                multivariate: n_objectives == 1,
                ..TpeOptions::default()
            }),
            Self::TpeUnivariate => tpe(TpeOptions {
                multivariate: false,
                ..TpeOptions::default()
            }),
            Self::TpeMultivariate => tpe(TpeOptions::default()),
            Self::TpeGroup => tpe(TpeOptions {
                group: true,
                ..TpeOptions::default()
            }),
            Self::Gp => Box::new(GpSampler::default()),
            Self::CmaEs => Box::new(CmaEsSampler::default()),
            Self::Qmc => Box::new(QmcSampler::new(QmcOptions {
                scrambled: true,
                ..QmcOptions::default()
            })),
            Self::NsgaIi => Box::new(NsgaIiSampler::default()),
        }
    }
}
