//! A trial as a storage keeps it.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use jiff::Timestamp;
use strata_json::Json;

use crate::Distribution;

/// Attributes by name.
pub type Attributes = IndexMap<String, Json>;

/// What a storage knows a trial by; unique in the storage, not only in the study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrialId(pub i64);

/// Where a trial stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialState {
    /// It is being evaluated.
    Running,
    /// It has its values.
    Complete,
    /// It was ended early, as not promising.
    Pruned,
    /// It has no value.
    Fail,
    /// It is to be evaluated.
    Waiting,
}

impl TrialState {
    /// All of them, in the order of the journal's numbers.
    pub const ALL: [Self; 5] = [
        Self::Running,
        Self::Complete,
        Self::Pruned,
        Self::Fail,
        Self::Waiting,
    ];

    /// Whether nothing changes any more.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Complete | Self::Pruned | Self::Fail)
    }

    /// Optuna's name: `RUNNING`, `COMPLETE`, `PRUNED`, `FAIL`, `WAITING`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Complete => "COMPLETE",
            Self::Pruned => "PRUNED",
            Self::Fail => "FAIL",
            Self::Waiting => "WAITING",
        }
    }

    /// The state of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// What it was drawn from.
    pub distribution: Arc<Distribution>,
    /// Its internal number, see [`Distribution`].
    pub internal: f64,
}

impl Param {
    /// The value itself.
    pub fn value(&self) -> Json {
        self.distribution.value(self.internal)
    }
}

/// A trial as a storage keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// What the storage knows it by.
    pub id: TrialId,
    /// Its number in the study, from 0.
    pub number: u64,
    /// Where it stands.
    pub state: TrialState,
    /// One value for each direction once it is complete; a pruned one may have that of its last step. May be
    /// infinite, never NaN.
    pub values: Vec<f64>,
    /// The parameters, in the order in which they were asked for.
    pub params: IndexMap<String, Param>,
    /// What was reported at each step; may be NaN.
    pub intermediate_values: BTreeMap<i64, f64>,
    /// What users keep with it.
    pub user_attrs: Attributes,
    /// What samplers and pruners keep with it.
    pub system_attrs: Attributes,
    /// When it began; none while it waits.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub completed: Option<Timestamp>,
}

impl Trial {
    /// A trial without anything; storages give it its identity.
    pub fn new(state: TrialState) -> Self {
        let now = Timestamp::now();
        Self {
            id: TrialId(-1),
            number: 0,
            state,
            values: Vec::new(),
            params: IndexMap::new(),
            intermediate_values: BTreeMap::new(),
            user_attrs: Attributes::new(),
            system_attrs: Attributes::new(),
            started: (state != TrialState::Waiting).then_some(now),
            completed: state.is_finished().then_some(now),
        }
    }

    /// The last step that was reported, and its value.
    pub fn last_step(&self) -> Option<(i64, f64)> {
        let last = self.intermediate_values.last_key_value();
        last.map(|(step, value)| (*step, *value))
    }
}
