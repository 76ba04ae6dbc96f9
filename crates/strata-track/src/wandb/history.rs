//! Rows: values gathered at a step until it is complete.

use super::WandbError;
use super::json::Json;
use super::leaves::{Leaves, Path};

/// A row as it goes to the file, `_step`, `_timestamp` and `_runtime` included.
#[derive(Debug)]
pub(super) struct CommittedRow {
    pub(super) step: u64,
    pub(super) leaves: Leaves,
}

/// When values belong to and whether the row is complete with them; as the arguments of wandb's `log`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placement {
    /// Absent for the open step.
    pub(super) step: Option<u64>,
    /// Absent: complete, unless a step is given.
    pub(super) commit: Option<bool>,
    /// Seconds since 1970-01-01 UTC.
    pub(super) time_s: f64,
}

/// The open row and its step.
///
/// Steps count from 0. A higher step completes the row that is open, an equal one adds to it, a lower one
/// is refused, as the server can only append.
#[derive(Debug)]
pub(super) struct Rows {
    step: u64,
    open: Option<OpenRow>,
    started_s: f64,
    /// Steps below were written before the run was interrupted.
    known_until: u64,
}

#[derive(Debug)]
struct OpenRow {
    leaves: Leaves,
    time_s: f64,
}

impl Rows {
    /// None yet; `started_s` is what `_runtime` counts from, in seconds since 1970-01-01 UTC.
    pub(super) fn new(started_s: f64) -> Self {
        Self {
            step: 0,
            open: None,
            started_s,
            known_until: 0,
        }
    }

    /// Goes on behind a row that is written already. Rows up to there come again when a run is resumed from a
    /// checkpoint; as they are the same, they are let go.
    pub(super) fn go_on_after(&mut self, step: u64) {
        self.step = step.saturating_add(1);
        self.known_until = self.step;
    }

    /// The step that values without one go to.
    pub(super) fn step(&self) -> u64 {
        self.step
    }

    /// Refuses a step that is over.
    pub(super) fn check(&self, placement: Placement) -> Result<(), WandbError> {
        match placement.step {
            Some(step) if step < self.step && step >= self.known_until => {
                Err(WandbError::LowerStep {
                    step,
                    current: self.step,
                })
            }
            _ => Ok(()),
        }
    }

    /// Adds values and returns the rows that are complete by that: none, one or two.
    pub(super) fn log(
        &mut self,
        values: impl IntoIterator<Item = (Path, Json)>,
        placement: Placement,
    ) -> Result<Vec<CommittedRow>, WandbError> {
        self.check(placement)?;
        if placement.step.is_some_and(|step| step < self.known_until) {
            return Ok(Vec::new());
        }
        let mut committed = Vec::new();
        if let Some(step) = placement.step.filter(|&step| step > self.step) {
            committed.extend(self.close());
            self.step = step;
        }
        let open = self.open.get_or_insert_with(|| OpenRow {
            leaves: Leaves::default(),
            time_s: placement.time_s,
        });
        open.time_s = placement.time_s;
        for (path, value) in values {
            open.leaves.put(path, value);
        }
        if placement.commit.unwrap_or(placement.step.is_none()) {
            committed.extend(self.close());
            self.step = self.step.saturating_add(1);
        }
        Ok(committed)
    }

    /// Completes the open row, if there is one.
    pub(super) fn close(&mut self) -> Option<CommittedRow> {
        let OpenRow { mut leaves, time_s } = self.open.take()?;
        let step = Json::Integer(i64::try_from(self.step).unwrap_or(i64::MAX));
        let runtime = Json::Number((time_s - self.started_s).max(0.0));
        leaves.put(vec!["_timestamp".to_owned()], Json::Number(time_s));
        leaves.put(vec!["_runtime".to_owned()], runtime);
        leaves.put(vec!["_step".to_owned()], step);
        Some(CommittedRow {
            step: self.step,
            leaves,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(rows: &mut Rows, name: &str, step: Option<u64>, commit: Option<bool>) -> Vec<u64> {
        let placement = Placement {
            step,
            commit,
            time_s: 1.0,
        };
        let values = [(vec![name.to_owned()], Json::Integer(1))];
        let committed = rows.log(values, placement).expect("the step is not lower");
        committed.iter().map(|row| row.step).collect()
    }

    /// The calls and steps of a script that ran under wandb 0.31.0.
    #[test]
    fn steps_open_merge_and_close_rows_as_in_wandb() {
        let mut rows = Rows::new(0.0);
        assert_eq!(log(&mut rows, "a", None, None), [0]);
        assert!(log(&mut rows, "a", None, Some(false)).is_empty());
        assert_eq!(log(&mut rows, "b", None, None), [1]);
        assert!(log(&mut rows, "z", Some(20), None).is_empty());
        assert!(log(&mut rows, "y", Some(20), None).is_empty());
        assert_eq!(log(&mut rows, "y", Some(21), Some(true)), [20, 21]);
        assert_eq!(log(&mut rows, "y", None, None), [22]);
        assert!(rows.close().is_none());
    }

    #[test]
    fn a_lower_step_is_refused_and_changes_nothing() {
        let mut rows = Rows::new(0.0);
        log(&mut rows, "a", Some(5), None);
        let placement = Placement {
            step: Some(4),
            commit: None,
            time_s: 2.0,
        };
        let error = rows.log([], placement).expect_err("4 is lower than 5");
        assert!(matches!(
            error,
            WandbError::LowerStep {
                step: 4,
                current: 5
            }
        ));
        assert_eq!(rows.close().expect("the row at 5 is open").step, 5);
    }
}
