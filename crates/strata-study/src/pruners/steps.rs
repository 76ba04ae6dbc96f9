//! At which steps a pruner looks.

use crate::trial::Trial;

/// The first steps are not looked at, and of the others one in each interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Steps {
    /// Nothing is pruned before this step.
    pub(super) n_warmup_steps: i64,
    /// Of so many steps the first that is reported is looked at; at least 1.
    pub(super) interval_steps: i64,
}

impl Steps {
    /// Whether the last step of the trial is looked at, and which it is.
    pub(super) fn looked_at(self, trial: &Trial) -> Option<i64> {
        let mut steps = trial.intermediate_values.keys().rev();
        let last = *steps.next()?;
        if last < self.n_warmup_steps {
            return None;
        }
        let before = steps.next().copied().unwrap_or(-1).max(-1);
        let passed = last - self.n_warmup_steps;
        let interval = self.interval_steps.max(1);
        let first_of_interval = passed / interval * interval + self.n_warmup_steps;
        (before < first_of_interval).then_some(last)
    }
}
