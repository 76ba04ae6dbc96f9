//! A batch of a grid whose jobs run in processes of their own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use strata_launch::TaskState;

use super::{Outcome, Overrides, say_failure};
use crate::error::SweepError;
use crate::fleet::{Change, Fleet, Kills, MOST_KILLS, last_words, was_killed};
use crate::job::{Job, Known};
use crate::place::Elsewhere;
use crate::progress::say;
use crate::sweep::Sweep;
use crate::worker::Work;

/// Runs the jobs that are not done, each in a process.
pub(super) fn run_batch(
    sweep: &Sweep,
    jobs: &[(usize, &Overrides)],
    elsewhere: &Elsewhere,
    interrupted: &AtomicBool,
) -> Result<Outcome, SweepError> {
    let mut watch = Watch {
        sweep,
        overrides: jobs.iter().copied().collect(),
        fleet: Fleet::new(sweep, elsewhere),
        is_here: elsewhere.at_once_here.is_some(),
        kills: Kills::default(),
        outcome: Outcome::default(),
    };
    say(&format!(
        "Submitit '{}' sweep output dir : {}",
        elsewhere.name,
        sweep.directory.display()
    ));
    let mut works = Vec::new();
    for &(number, overrides) in jobs {
        say(&format!("\t#{number} : {}", overrides.join(" ")));
        match watch.known(number) {
            Ok(Known::Done) => say(&format!("\t#{number} was done before")),
            Ok(Known::FailedForGood(problem)) => watch.fail(number, &problem),
            Ok(Known::Open) => works.push((number, Work::Job(number))),
            Err(error) => watch.fail(number, &error.to_string()),
        }
    }
    if works.is_empty() {
        return Ok(watch.outcome);
    }
    watch.fleet.submit(works)?;
    say(&format!("the jobs run as {}", watch.fleet.name()));
    loop {
        let is_stopping = interrupted.load(Ordering::Relaxed);
        for change in watch.fleet.changes()? {
            watch.take(&change, is_stopping)?;
        }
        if is_stopping {
            watch.fleet.cancel()?;
        }
        if watch.fleet.is_over() {
            break;
        }
        watch.fleet.wait();
    }
    watch.fleet.disband();
    Ok(watch.outcome)
}

struct Watch<'a> {
    sweep: &'a Sweep,
    overrides: HashMap<usize, &'a Overrides>,
    fleet: Fleet<'a>,
    is_here: bool,
    kills: Kills,
    outcome: Outcome,
}

impl Watch<'_> {
    fn known(&self, number: usize) -> Result<Known, SweepError> {
        Job::compose(self.sweep, number, self.overrides[&number])?.known(self.sweep)
    }

    fn fail(&mut self, number: usize, problem: &str) {
        say_failure(number, self.overrides[&number]);
        self.outcome
            .failures
            .push(format!("job #{number}: {problem}"));
    }

    fn take(&mut self, change: &Change, is_stopping: bool) -> Result<(), SweepError> {
        let Change { number, state, log } = change;
        match state {
            TaskState::Running => say(&format!("\t#{number} is running")),
            // On this machine it waits for those before it, and for nothing else.
            TaskState::Pending { .. } if self.is_here => {}
            TaskState::Pending { .. } => say(&format!("\t#{number} is {state}")),
            TaskState::Completed => say(&format!("\t#{number} ended")),
            _ if was_killed(state) && !is_stopping => {
                if self.kills.may_go_on(*number as u64) {
                    say(&format!(
                        "\t#{number} was ended ({state}); it is started again"
                    ));
                    self.fleet.submit(vec![(*number, Work::Job(*number))])?;
                } else {
                    self.fail(*number, &format!("{state}, {MOST_KILLS} times"));
                }
            }
            TaskState::Failed { .. } if !is_stopping => {
                let words = last_words(log);
                self.fail(*number, &format!("{state}: {words} ({})", log.display()));
            }
            _ => {
                self.outcome.unfinished += 1;
                say(&format!("\t#{number} is {state}"));
            }
        }
        Ok(())
    }
}
