//! The pruners by name.

use super::{
    HyperbandPruner, NopPruner, PatientPruner, PercentilePruner, Pruner, SuccessiveHalvingPruner,
};

/// The pruners, by the names of `study bench`, with Optuna's defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrunerName {
    /// Lets every trial go on.
    None,
    /// Worse than the median of the others at the step.
    Median,
    /// Not within the best quarter at the step.
    Percentile25,
    /// Successive halving, asynchronous.
    Asha,
    /// Successive halving in several brackets.
    Hyperband,
    /// The median, but only after three steps without a better value.
    PatientMedian,
}

impl PrunerName {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::Median,
        Self::Percentile25,
        Self::Asha,
        Self::Hyperband,
        Self::PatientMedian,
    ];

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Median => "median",
            Self::Percentile25 => "percentile25",
            Self::Asha => "asha",
            Self::Hyperband => "hyperband",
            Self::PatientMedian => "patient_median",
        }
    }

    /// The pruner of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pruner| pruner.name() == name)
    }

    /// The pruner; `max_steps` is how many steps a whole trial has, where that is known.
    pub fn build(self, max_steps: Option<u64>) -> Box<dyn Pruner> {
        match self {
            Self::None => Box::new(NopPruner),
            Self::Median => Box::new(PercentilePruner::median()),
            Self::Percentile25 => Box::new(PercentilePruner::new(25.0)),
            Self::Asha => Box::new(SuccessiveHalvingPruner::default()),
            Self::Hyperband => Box::new(HyperbandPruner {
                max_resource: max_steps,
                ..HyperbandPruner::default()
            }),
            Self::PatientMedian => Box::new(PatientPruner {
                wrapped: Some(Box::new(PercentilePruner::median())),
                patience: 3,
                min_delta: 0.0,
            }),
        }
    }
}
