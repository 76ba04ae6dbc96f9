//! What `squeue` says of the tasks of a job.

use std::collections::BTreeMap;

use crate::task::TaskState;

/// A job as the queue knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listed {
    /// It waits, for this reason.
    Pending(String),
    /// It runs, or is about to have run.
    Active,
    /// It has ended.
    Ended(TaskState),
}

/// Reads lines `%i|%T|%r`, and gives each task's id what the queue says of it.
///
/// With `--array` every task should have a line of its own; a line `4711_[0-3,7%2]` for several is understood too.
pub(super) fn listing(text: &str) -> BTreeMap<String, Listed> {
    let mut listed = BTreeMap::new();
    for line in text.lines() {
        let mut fields = line.trim().splitn(3, '|');
        if let (Some(id), Some(state)) = (fields.next(), fields.next()) {
            let state = state_of(state, fields.next().unwrap_or_default());
            for id in ids(id) {
                listed.insert(id, state.clone());
            }
        }
    }
    listed
}

/// The states are those of `squeue(1)`.
fn state_of(state: &str, reason: &str) -> Listed {
    match state {
        "PENDING" | "CONFIGURING" | "REQUEUED" | "REQUEUE_FED" | "REQUEUE_HOLD"
        | "RESV_DEL_HOLD" | "SPECIAL_EXIT" => Listed::Pending(reason.to_owned()),
        "COMPLETED" => Listed::Ended(TaskState::Completed),
        "CANCELLED" | "REVOKED" => Listed::Ended(TaskState::Cancelled),
        "TIMEOUT" | "DEADLINE" => Listed::Ended(TaskState::TimedOut),
        "PREEMPTED" => Listed::Ended(TaskState::Preempted),
        "FAILED" | "NODE_FAIL" | "BOOT_FAIL" | "OUT_OF_MEMORY" => {
            Listed::Ended(TaskState::Failed {
                exit_code: None,
                signal: None,
                reason: match reason {
                    "" | "None" => format!("Slurm says {state}"),
                    reason => format!("Slurm says {state}, {reason}"),
                },
            })
        }
        // RUNNING, COMPLETING, SUSPENDED, SIGNALING, STAGE_OUT, RESIZING, STOPPED, and what later versions think of.
        _ => Listed::Active,
    }
}

/// `4711`, `4711_3`, or `4711_[0-3,7%2]` spelt out.
fn ids(id: &str) -> Vec<String> {
    let Some((job, ranges)) = id.split_once("_[") else {
        return vec![id.to_owned()];
    };
    let ranges = ranges.trim_end_matches(']');
    let ranges = ranges.split('%').next().unwrap_or_default();
    let indices = ranges.split(',').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (last, step) = last.split_once(':').unwrap_or((last, "1"));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        Some((first..=last).step_by(step.parse::<usize>().ok()?.max(1)))
    });
    indices
        .flatten()
        .map(|index| format!("{job}_{index}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_has_what_its_line_says() {
        let listed = listing(
            "8_0|RUNNING|None\n8_1|COMPLETING|None\n8_2|PENDING|JobArrayTaskLimit\n8_3|COMPLETED|None\n\
             8_4|FAILED|JobLaunchFailure\n8_5|OUT_OF_MEMORY|None\n8_6|TIMEOUT|TimeLimit\n8_7|CANCELLED|None\n",
        );
        let states: Vec<_> = listed.into_values().collect();
        let failed = |reason: &str| {
            Listed::Ended(TaskState::Failed {
                exit_code: None,
                signal: None,
                reason: reason.to_owned(),
            })
        };
        assert_eq!(
            states,
            [
                Listed::Active,
                Listed::Active,
                Listed::Pending("JobArrayTaskLimit".to_owned()),
                Listed::Ended(TaskState::Completed),
                failed("Slurm says FAILED, JobLaunchFailure"),
                failed("Slurm says OUT_OF_MEMORY"),
                Listed::Ended(TaskState::TimedOut),
                Listed::Ended(TaskState::Cancelled),
            ]
        );
    }

    #[test]
    fn a_line_may_stand_for_several_tasks() {
        let names = |id| ids(id).join(" ");
        assert_eq!(names("12"), "12");
        assert_eq!(names("12_3"), "12_3");
        assert_eq!(names("12_[0-2,7%2]"), "12_0 12_1 12_2 12_7");
        assert_eq!(names("12_[0-6:3]"), "12_0 12_3 12_6");
        assert_eq!(names("12_[4]"), "12_4");
    }

    #[test]
    fn lines_that_are_none_are_passed_over() {
        assert_eq!(
            listing("\nslurm is tired\n12_[x]|RUNNING|None\n"),
            BTreeMap::new()
        );
    }
}
