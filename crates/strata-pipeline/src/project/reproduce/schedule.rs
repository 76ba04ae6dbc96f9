//! Which stage is looked at next, and what becomes of the others when one fails.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, Scope};

use super::abandoned::Workplace;
use super::attempt::{Attempt, Begun};
use super::command::{Captured, Job, JobEnd};
use super::interruption::Interruption;
use super::plan::active;
use super::{OnError, Progress, Reach, Request};
use crate::error::PipelineError;
use crate::lock::{PathLocks, RepositoryLock};
use crate::progress::Stop as _;
use crate::project::graph::Graph;
use crate::project::index::Project;
use crate::project::lock_file;
use crate::stage::{Address, Stage};

/// One reproduction.
pub(super) struct Run<'a> {
    pub(super) project: &'a mut Project,
    pub(super) request: &'a Request,
    pub(super) path_locks: &'a PathLocks,
    pub(super) progress: &'a mut dyn Progress,
    /// None where nothing is to be written.
    pub(super) workplace: Option<&'a Workplace>,
    pub(super) interruption: &'a Interruption,
    lock: RepositoryLock,
    /// For each stage that is added to a lock file by this run, its place in the order.
    added: Vec<(usize, Address)>,
    /// The places of the stages in the order.
    places: Vec<usize>,
}

/// Where a stage of the plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waits,
    Runs,
    /// Done, failed or left out: those that wait for it need not any longer.
    Over,
}

/// What is known of the stages while the run goes on.
struct Board<'a> {
    /// What depends on what, without what frozen stages depend on; none where stages are run alone.
    readers: Option<Graph>,
    order: &'a [usize],
    states: Vec<State>,
    /// For each stage of the order the places of those before it that must be over.
    waits_for: Vec<Vec<usize>>,
    forced: Vec<bool>,
    failed: Vec<(String, PipelineError)>,
    ran: usize,
    /// The stage before has run: DVC leaves a line empty.
    ran_before: bool,
    stops: bool,
}

/// A command that runs in a thread of its own.
type Ended = (JobEnd, Captured);

/// Stages whose commands run in threads of their own.
struct Running<'a> {
    attempts: Vec<Attempt<'a>>,
    sender: Sender<(usize, Ended)>,
    receiver: Receiver<(usize, Ended)>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        project: &'a mut Project,
        request: &'a Request,
        (lock, path_locks): (RepositoryLock, &'a PathLocks),
        (interruption, workplace): (&'a Interruption, Option<&'a Workplace>),
        progress: &'a mut dyn Progress,
    ) -> Self {
        Self {
            project,
            request,
            path_locks,
            progress,
            workplace,
            interruption,
            lock,
            added: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Gives how many stages ran.
    pub(super) fn all(mut self, graph: &Graph, order: &[usize]) -> Result<usize, PipelineError> {
        self.places = vec![order.len(); self.project.stages.len()];
        for (place, &index) in order.iter().enumerate() {
            self.places[index] = place;
        }
        let mut board = Board {
            readers: (self.request.reach != Reach::Single).then(|| active(self.project, graph)),
            waits_for: self.waits_for(graph, order),
            order,
            states: vec![State::Waits; order.len()],
            forced: vec![self.request.force; self.project.stages.len()],
            failed: Vec::new(),
            ran: 0,
            ran_before: false,
            stops: false,
        };
        thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel();
            let mut running = Running {
                attempts: Vec::new(),
                sender,
                receiver,
            };
            loop {
                while running.attempts.len() < self.request.jobs.get()
                    && !self.interruption.is_requested()
                    && let Some(place) = board.next()
                {
                    self.look_at(place, &mut board, scope, &mut running);
                }
                if running.attempts.is_empty() {
                    break;
                }
                self.wait_for_one(&mut board, &mut running);
            }
        });
        self.outcome(board)
    }

    /// Stages that may not run at the same time as an earlier one: what one reads, the other writes. In other cases than
    /// a sequence of targets this is that one depends on the other.
    fn waits_for(&self, graph: &Graph, order: &[usize]) -> Vec<Vec<usize>> {
        if self.request.jobs.get() == 1 {
            return vec![Vec::new(); order.len()];
        }
        let stages = &self.project.stages;
        let overlap = |a: usize, b: usize| {
            let outs = &stages[b].outs;
            stages[a].outs.iter().any(|out| {
                outs.iter()
                    .any(|other| out.at.starts_with(&other.at) || other.at.starts_with(&out.at))
            })
        };
        let conflict = |a: usize, b: usize| {
            graph.makers(a).contains(&b)
                || graph.makers(b).contains(&a)
                || self.request.reach == Reach::Single && overlap(a, b)
        };
        let before = |place: usize| {
            let earlier = (0..place).filter(|&earlier| conflict(order[place], order[earlier]));
            earlier.collect()
        };
        (0..order.len()).map(before).collect()
    }

    fn look_at<'scope>(
        &mut self,
        place: usize,
        board: &mut Board<'_>,
        scope: &'scope Scope<'scope, '_>,
        running: &mut Running<'a>,
    ) where
        'a: 'scope,
    {
        let index = board.order[place];
        let is_sequential = self.request.jobs.get() == 1;
        if board.ran_before && is_sequential {
            self.progress.say("");
        }
        board.states[place] = State::Runs;
        let made = match self.begin(index, board.forced[index]) {
            Ok(Begun::Unchanged) => Ok(false),
            Ok(Begun::Made) => Ok(true),
            Ok(Begun::Command(attempt, job)) if is_sequential => {
                let ended = self.run_here(&attempt.name, &job);
                self.finish(*attempt, ended).map(|()| true)
            }
            Ok(Begun::Command(attempt, job)) => match Captured::new() {
                Ok(captured) => {
                    self.announce(&attempt.name);
                    for line in job.lines() {
                        self.progress.say(&format!("> {line}"));
                    }
                    let (interruption, sender) = (self.interruption, running.sender.clone());
                    scope.spawn(move || {
                        let end = job.run(interruption, Some(&captured), &mut |_| ());
                        // The receiver waits for all that were started.
                        let _ = sender.send((index, (end, captured)));
                    });
                    running.attempts.push(*attempt);
                    return;
                }
                Err(error) => self.finish(*attempt, Err(error.into())).map(|()| true),
            },
            Err(error) => Err(error),
        };
        self.settle(index, made, board, &running.names());
    }

    /// Runs commands while nothing else goes on, connected with the terminal.
    fn run_here(&mut self, name: &str, job: &Job) -> Result<(), PipelineError> {
        self.announce(name);
        self.lock.release();
        let progress = &mut self.progress;
        let ended = job.run(self.interruption, None, &mut |line| {
            progress.say(&format!("> {line}"));
        });
        self.project.forget();
        self.lock.take()?;
        ended.into_result()
    }

    fn wait_for_one(&mut self, board: &mut Board<'_>, running: &mut Running<'a>) {
        self.lock.release();
        let received = running.receiver.recv();
        let (index, (end, mut captured)) = received.expect("a sender is kept beside the receiver");
        self.project.forget();
        let taken = self.lock.take().map_err(PipelineError::from);
        let position = running
            .attempts
            .iter()
            .position(|attempt| attempt.index == index);
        let attempt = running
            .attempts
            .swap_remove(position.expect("it was started"));
        let word = match end {
            JobEnd::Done => "Finished",
            JobEnd::Interrupted => "Interrupted",
            JobEnd::Failed { .. } | JobEnd::Shell(_) => "Failed",
        };
        self.progress
            .say(&format!("{word} stage '{}':", attempt.name));
        if captured.rewind().is_ok() {
            self.progress
                .output(&mut captured.stdout, &mut captured.stderr);
        }
        let ended = end.into_result().and(taken);
        let made = self.finish(attempt, ended).map(|()| true);
        self.settle(index, made, board, &running.names());
    }

    /// Takes down how a stage went; `others` are running still.
    fn settle(
        &mut self,
        index: usize,
        made: Result<bool, PipelineError>,
        board: &mut Board<'_>,
        others: &[String],
    ) {
        board.states[self.places[index]] = State::Over;
        board.ran_before = false;
        match made {
            Ok(has_run) => {
                board.ran += usize::from(has_run);
                board.ran_before = has_run;
                if self.request.force_downstream
                    && (has_run || board.forced[index])
                    && let Some(readers) = &board.readers
                {
                    for reader in readers.readers(index) {
                        board.forced[reader] = true;
                    }
                }
            }
            Err(error) => {
                self.tell_failure(index, &error, board, others);
                board.failed.push((self.name(index), error));
            }
        }
    }

    fn tell_failure(
        &mut self,
        index: usize,
        error: &PipelineError,
        board: &mut Board<'_>,
        others: &[String],
    ) {
        let text = format!("failed to reproduce '{}': {error}", self.name(index));
        match self.request.on_error {
            OnError::Ignore => self.project.warn(&format!("{text} (ignored)")),
            OnError::KeepGoing => {
                let left_out = board.leave_out_readers(index, &self.places);
                let names: Vec<String> = left_out.iter().map(|&stage| self.name(stage)).collect();
                let which = match names.as_slice() {
                    [] => String::new(),
                    [one] => format!("\nStage '{one}' will be skipped due to this failure"),
                    many => format!(
                        "\nStages {} will be skipped due to this failure",
                        listed(many)
                    ),
                };
                self.project.warn(&(text + &which));
            }
            OnError::Stop => {
                board.stops = true;
                // The first of several is told when it happens, the only one in the end.
                if !others.is_empty() || !board.failed.is_empty() {
                    let waits = match others {
                        [] => String::new(),
                        _ => format!("\nNothing more is started; waiting for {}", listed(others)),
                    };
                    self.project.warn(&(text + &waits));
                }
            }
        }
    }

    fn outcome(&self, mut board: Board<'_>) -> Result<usize, PipelineError> {
        if self.interruption.is_requested() {
            let failed = board.failed.iter();
            let details = failed.map(|(name, error)| match error {
                PipelineError::Interrupted { details } => {
                    format!("\n'{name}' did not come to its end{details}")
                }
                error => format!("\nfailed to reproduce '{name}': {error}"),
            });
            return Err(PipelineError::Interrupted {
                details: details.collect(),
            });
        }
        if board.failed.is_empty() || self.request.on_error == OnError::Ignore {
            return Ok(board.ran);
        }
        if self.request.on_error == OnError::Stop && board.failed.len() == 1 {
            let (stage, source) = board.failed.remove(0);
            return Err(match source {
                PipelineError::Aborted => PipelineError::Aborted,
                source => PipelineError::Reproduce {
                    stage,
                    source: Box::new(source),
                },
            });
        }
        let names: Vec<String> = board.failed.into_iter().map(|(name, _)| name).collect();
        let segment = if names.len() > 1 { "stages: " } else { "" };
        Err(PipelineError::ReproduceSeveral {
            stages: format!("{segment}{}", listed(&names)),
        })
    }

    pub(super) fn name(&self, index: usize) -> String {
        self.project
            .display_address(&self.project.stages[index].address)
    }

    /// Writes the entry of a stage. A new one gets the place that it would have if the stages had run one after the
    /// other.
    pub(super) fn write_lock_entry(
        &mut self,
        index: usize,
        stage: &Stage,
    ) -> Result<(), PipelineError> {
        let place = self.places[index];
        let later = self
            .added
            .iter()
            .filter(|(other, address)| *other > place && address.file == stage.address.file);
        let later: Vec<&str> = later
            .filter_map(|(_, address)| address.name.as_deref())
            .collect();
        let progress = &mut self.progress;
        let is_new = lock_file::write(self.project, stage, &later, &mut |line| {
            progress.say(line);
        })?;
        if is_new {
            self.added.push((place, stage.address.clone()));
        }
        Ok(())
    }
}

impl Board<'_> {
    /// The place of the first stage that can be looked at.
    fn next(&self) -> Option<usize> {
        if self.stops {
            return None;
        }
        let is_over = |&place: &usize| self.states[place] == State::Over;
        (0..self.order.len()).find(|&place| {
            self.states[place] == State::Waits && self.waits_for[place].iter().all(is_over)
        })
    }

    /// Leaves out what depends on a stage, also over stages that are not looked at; gives all of it.
    fn leave_out_readers(&mut self, index: usize, places: &[usize]) -> Vec<usize> {
        let Some(readers) = &self.readers else {
            return Vec::new();
        };
        let mut left_out = readers.downstream(&[index]);
        left_out[index] = false;
        let left_out: Vec<usize> = (0..left_out.len())
            .filter(|&stage| left_out[stage])
            .collect();
        for &stage in &left_out {
            if let Some(state) = self.states.get_mut(places[stage]) {
                *state = State::Over;
            }
        }
        left_out
    }
}

impl Running<'_> {
    fn names(&self) -> Vec<String> {
        self.attempts
            .iter()
            .map(|attempt| attempt.name.clone())
            .collect()
    }
}

/// `'a', 'b' and 'c'`, as DVC writes it.
fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    match quoted.as_slice() {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => quoted.concat(),
    }
}
