//! Which stage is looked at next, and what becomes of the others when one fails.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
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
    /// Held while anything is done but waiting for commands; stages are looked at only under it.
    lock: RepositoryLock,
    /// For each stage that is added to a lock file by this run, its place in the order.
    added: Vec<(usize, Address)>,
    /// The places of the stages in the order.
    places: Vec<usize>,
}

/// The stages of the plan by their places in the order, and which of them can be looked at.
#[derive(Debug)]
struct Queue {
    ready: BTreeSet<usize>,
    /// For each stage how many before it must be over; none where it is over itself: done, failed or left out.
    waits_for: Vec<Option<usize>>,
    /// For each stage those that wait for it.
    waiting: Vec<Vec<usize>>,
}

/// What is known of the stages while the run goes on.
struct Board<'a> {
    /// What depends on what, without what frozen stages depend on; none where stages are run alone.
    readers: Option<Graph>,
    order: &'a [usize],
    queue: Queue,
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
            queue: Queue::new(order.len(), &self.conflicts(graph, order)),
            order,
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
                    && self.lock.is_held()
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

    /// Pairs of places whose stages may not run at the same time: what one reads, the other writes. In other cases than
    /// a sequence of targets this is that one depends on the other.
    fn conflicts(&self, graph: &Graph, order: &[usize]) -> Vec<(usize, usize)> {
        if self.request.jobs.get() == 1 {
            return Vec::new();
        }
        let mut pairs = Vec::new();
        for (place, &index) in order.iter().enumerate() {
            let makers = graph.makers(index).iter().map(|&maker| self.places[maker]);
            pairs.extend(makers.map(|maker| (place, maker)));
        }
        if self.request.reach == Reach::Single {
            let outs = order.iter().enumerate().flat_map(|(place, &index)| {
                let outs = self.project.stages[index].outs.iter();
                outs.map(move |out| (out.at.as_path(), place))
            });
            let mut makers: HashMap<&Path, Vec<usize>> = HashMap::new();
            for (out, place) in outs.clone() {
                makers.entry(out).or_default().push(place);
            }
            for (out, place) in outs {
                let around = out
                    .ancestors()
                    .filter_map(|path| makers.get(path))
                    .flatten();
                pairs.extend(around.map(|&other| (place, other)));
            }
        }
        pairs.retain(|&(_, maker)| maker < order.len());
        pairs
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
        let made = match self.begin(index, board.forced[index]) {
            Ok(Begun::Unchanged) => Ok(false),
            Ok(Begun::Made) => Ok(true),
            Ok(Begun::Command(attempt, job)) if is_sequential => {
                let end = self.run_here(&attempt.name, &job);
                self.close(*attempt, end).map(|()| true)
            }
            Ok(Begun::Command(attempt, job)) => match Captured::new() {
                Ok(captured) => {
                    self.announce(&attempt.name);
                    for line in job.lines() {
                        self.progress.say(&format!("> {line}"));
                    }
                    let (interruption, sender) = (self.interruption, running.sender.clone());
                    scope.spawn(move || {
                        let end =
                            JobEnd::of(|| job.run(interruption, Some(&captured), &mut |_| ()));
                        // The receiver waits for all that were started.
                        let _ = sender.send((index, (end, captured)));
                    });
                    running.attempts.push(*attempt);
                    return;
                }
                Err(error) => Err(self.give_up(*attempt, error.into())),
            },
            Err(error) => Err(error),
        };
        self.settle(index, made, board, &running.names());
    }

    /// Runs commands while nothing else goes on, connected with the terminal.
    fn run_here(&mut self, name: &str, job: &Job) -> JobEnd {
        self.announce(name);
        self.lock.release();
        let progress = &mut self.progress;
        job.run(self.interruption, None, &mut |line| {
            progress.say(&format!("> {line}"));
        })
    }

    /// Takes the lock after a command, however long another process holds it. Ctrl-C ends the waiting; the one that the
    /// command was to end by does not.
    pub(super) fn take_lock(&mut self) -> Result<(), PipelineError> {
        let (interruption, project) = (self.interruption, &*self.project);
        let was_requested = interruption.is_requested();
        let gives_up = || !was_requested && interruption.is_requested();
        let taken = self.lock.wait(gives_up, |holder| {
            project.warn(&format!(
                "a command has ended; waiting for the project's lock, which another process holds{holder}. \
                 Ctrl-C stops waiting."
            ));
        })?;
        if taken {
            return Ok(());
        }
        Err(PipelineError::Interrupted {
            details: String::new(),
        })
    }

    fn wait_for_one(&mut self, board: &mut Board<'_>, running: &mut Running<'a>) {
        self.lock.release();
        let received = running.receiver.recv();
        let (index, (end, mut captured)) = received.expect("a sender is kept beside the receiver");
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
            JobEnd::Failed { .. } | JobEnd::Shell(_) | JobEnd::Panicked => "Failed",
        };
        self.progress
            .say(&format!("{word} stage '{}':", attempt.name));
        if captured.rewind().is_ok() {
            self.progress
                .output(&mut captured.stdout, &mut captured.stderr);
        }
        let made = self.close(attempt, end).map(|()| true);
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
        board.queue.end(self.places[index]);
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
        // Without the lock not all stages have been looked at.
        let is_ignored = self.request.on_error == OnError::Ignore && self.lock.is_held();
        if board.failed.is_empty() || is_ignored {
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

impl Queue {
    /// Of so many stages; of the two places of a conflict the later one waits for the earlier.
    fn new(length: usize, conflicts: &[(usize, usize)]) -> Self {
        let mut waiting = vec![Vec::new(); length];
        for &(one, other) in conflicts.iter().filter(|(one, other)| one != other) {
            waiting[one.min(other)].push(one.max(other));
        }
        let mut waits_for = vec![0; length];
        for later in &mut waiting {
            later.sort_unstable();
            later.dedup();
            for &place in later.iter() {
                waits_for[place] += 1;
            }
        }
        Self {
            ready: (0..length).filter(|&place| waits_for[place] == 0).collect(),
            waits_for: waits_for.into_iter().map(Some).collect(),
            waiting,
        }
    }

    /// Those that wait for a stage need not any longer.
    fn end(&mut self, place: usize) {
        if self.waits_for[place].take().is_none() {
            return;
        }
        self.ready.remove(&place);
        for later in std::mem::take(&mut self.waiting[place]) {
            if let Some(number) = &mut self.waits_for[later] {
                *number -= 1;
                if *number == 0 {
                    self.ready.insert(later);
                }
            }
        }
    }
}

impl Board<'_> {
    /// The place of the first stage that can be looked at.
    fn next(&mut self) -> Option<usize> {
        if self.stops {
            return None;
        }
        self.queue.ready.pop_first()
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
            if places[stage] < self.order.len() {
                self.queue.end(places[stage]);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_ready_when_all_are_over_that_it_waits_for() {
        let mut queue = Queue::new(5, &[(2, 0), (0, 2), (2, 1), (1, 4), (3, 2), (1, 1)]);
        let ready = |queue: &Queue| queue.ready.iter().copied().collect::<Vec<_>>();
        assert_eq!(ready(&queue), [0, 1]);
        assert_eq!(queue.ready.pop_first(), Some(0));
        queue.end(0);
        queue.end(0);
        assert_eq!(ready(&queue), [1]);
        // One that is left out frees the others, and does not come back.
        queue.end(2);
        assert_eq!(ready(&queue), [1, 3]);
        queue.end(1);
        assert_eq!(ready(&queue), [3, 4]);
    }
}
