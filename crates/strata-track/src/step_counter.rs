//! Which step values belong to when they do not say so.

use crate::Logged;

/// Counts steps as W&B does: what comes without a step belongs to the current one, which is complete then.
#[derive(Debug, Default)]
pub(crate) struct StepCounter {
    current: u64,
}

impl StepCounter {
    /// The step of `logged`; a step given may be lower than the last.
    pub(crate) fn step_of(&mut self, logged: &Logged) -> u64 {
        let step = logged.step.unwrap_or(self.current);
        let complete = logged.commit.unwrap_or(logged.step.is_none());
        self.current = if complete {
            step.saturating_add(1)
        } else {
            step
        };
        step
    }

    /// Goes on from `step`.
    pub(crate) fn turn_to(&mut self, step: u64) {
        self.current = step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_count_up_and_open_ones_stay() {
        let mut counter = StepCounter::default();
        let mut step_of = |step, commit| {
            counter.step_of(&Logged {
                step,
                commit,
                ..Logged::default()
            })
        };
        assert_eq!(step_of(None, None), 0);
        assert_eq!(step_of(None, None), 1);
        assert_eq!(step_of(None, Some(false)), 2);
        assert_eq!(step_of(None, None), 2);
        assert_eq!(step_of(Some(7), None), 7);
        assert_eq!(step_of(None, None), 7);
        assert_eq!(step_of(Some(4), Some(true)), 4);
        assert_eq!(step_of(None, None), 5);
    }
}
