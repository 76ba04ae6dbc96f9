//! What a task leaves on disk: how it ended, and how often it was queued again.

use std::path::Path;

use crate::task::TaskState;

/// How a batch script ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    /// What that makes the task.
    pub(super) state: TaskState,
    /// Whether the task ended by itself. If Slurm ended the job, it may yet queue it again by its own decision.
    pub(super) is_by_itself: bool,
}

/// The file `<id>_0_exit`, which the batch script renames into place as its last deed; none if it is not there (yet), or
/// says nothing that a batch script of ours would have written.
pub(super) fn trace(path: &Path) -> Option<Trace> {
    parse(&fs_err::read_to_string(path).ok()?)
}

fn parse(line: &str) -> Option<Trace> {
    let (code, ending) = line.trim().split_once(' ')?;
    let code: i32 = code.parse().ok()?;
    let stopped = match ending {
        "ended" => TaskState::of_shell_exit_code(code),
        "cancelled" => TaskState::Cancelled,
        "timeout" => TaskState::TimedOut,
        "preempted" => TaskState::Preempted,
        _ => return None,
    };
    Some(Trace {
        // One that was told to stop when it was done anyway has lost nothing.
        state: if code == 0 {
            TaskState::Completed
        } else {
            stopped
        },
        is_by_itself: ending == "ended",
    })
}

/// The lines of `<id>_0_requeues`.
pub(super) fn requeues(path: &Path) -> u32 {
    let text = fs_err::read_to_string(path).unwrap_or_default();
    u32::try_from(text.lines().count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_batch_script_becomes_a_state() {
        let state = |line| parse(line).map(|trace| (trace.state.to_string(), trace.is_by_itself));
        let read = |words: &str, by_itself| Some((words.to_owned(), by_itself));
        assert_eq!(state("0 ended\n"), read("completed", true));
        assert_eq!(state("3 ended\n"), read("failed with exit code 3", true));
        assert_eq!(state("137 ended\n"), read("killed by signal 9", true));
        assert_eq!(state("130 cancelled\n"), read("cancelled", false));
        assert_eq!(state("130 timeout\n"), read("out of time", false));
        assert_eq!(
            state("130 preempted\n"),
            read("stopped early, and can go on later", false)
        );
        assert_eq!(state("0 cancelled\n"), read("completed", false));
        assert_eq!(state(""), None);
        assert_eq!(state("0 done"), None);
    }
}
