//! Running what has changed.
//!
//! 1. [`plan`] finds the stages and their order.
//! 2. [`schedule`] decides which of them is looked at next, and what a failure means for the others.
//! 3. [`attempt`] does what one stage needs: checks, restores, saves, writes the lock file.
//! 4. [`command`] runs its commands; [`interruption`] lets the user stop them.
//! 5. [`set_aside`] keeps previous outputs until they are not needed any more; [`abandoned`] clears up after a
//!    reproduction that was killed.
//!
//! Commands run side by side in threads of their own. All else is done by one thread under the project's lock, which is
//! let go while that thread has nothing to do but wait.

mod abandoned;
mod attempt;
mod command;
mod interruption;
mod plan;
mod schedule;
mod set_aside;

use std::io::Read;
use std::num::NonZeroUsize;

use self::abandoned::Workplace;
pub use self::interruption::{Interruption, StopSignal, Stopping};
use self::plan::plan;
use self::schedule::Run;
use super::graph::Graph;
use super::index::Project;
use crate::error::PipelineError;
use crate::remote::Cloud;

/// What happens when a stage fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnError {
    /// Nothing more is run.
    #[default]
    Stop,
    /// Stages that need it are left out, the others are run.
    KeepGoing,
    /// All are run.
    Ignore,
}

/// Which of the stages around the targets are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// Those that the targets depend on.
    #[default]
    Upstream,
    /// The targets alone.
    Single,
    /// All that are connected with the targets.
    Pipeline,
    /// The targets and those that depend on them.
    Downstream,
    /// All stages of the project.
    Everything,
}

/// What is to be reproduced, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// As they were typed; none for the `dvc.yaml` of the current folder.
    pub targets: Vec<String>,
    /// Targets may be folders, which stand for all stages in them.
    pub recursive: bool,
    /// Names of stages in targets are patterns.
    pub glob: bool,
    /// Which stages around them.
    pub reach: Reach,
    /// How many commands may run at the same time.
    pub jobs: NonZeroUsize,
    /// Stages run even if nothing has changed.
    pub force: bool,
    /// Stages that depend on one that ran are run too.
    pub force_downstream: bool,
    /// Nothing is run or written.
    pub dry: bool,
    /// What happens when a stage fails.
    pub on_error: OnError,
    /// The outputs that a failed stage had before are put back.
    pub restore_on_failure: bool,
    /// Kept runs are not used.
    pub no_run_cache: bool,
    /// Outputs do not go to the cache.
    pub no_commit: bool,
    /// Missing data do not make a stage a changed one.
    pub allow_missing: bool,
    /// Missing data are brought from the remote.
    pub pull: bool,
    /// The user is asked before each stage.
    pub interactive: bool,
    /// It is said why a stage runs.
    pub verbose: bool,
}

impl Default for Request {
    /// What has changed of the current folder's `dvc.yaml`, one stage after the other.
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            recursive: false,
            glob: false,
            reach: Reach::default(),
            jobs: NonZeroUsize::MIN,
            force: false,
            force_downstream: false,
            dry: false,
            on_error: OnError::default(),
            restore_on_failure: false,
            no_run_cache: false,
            no_commit: false,
            allow_missing: false,
            pull: false,
            interactive: false,
            verbose: false,
        }
    }
}

/// What is told while stages run.
pub trait Progress {
    /// A line for people and scripts, as DVC prints it.
    fn say(&mut self, line: &str);
    /// A question; whether the answer is yes.
    fn confirm(&mut self, question: &str) -> bool;
    /// What commands wrote that ran beside others.
    fn output(&mut self, stdout: &mut dyn Read, stderr: &mut dyn Read);
}

/// Reproduces; gives how many stages ran, and tells `progress` what happens.
///
/// With one job the order of stages, lines and lock entries is DVC's. With more, a stage starts when all stages before it
/// in that order that it depends on are done; the lock file is the same in the end.
///
/// # Errors
/// A target that is none; a stage that failed, unless failures are ignored; [`PipelineError::Interrupted`].
pub fn reproduce(
    project: &mut Project,
    request: &Request,
    command_line: &str,
    interruption: &Interruption,
    progress: &mut dyn Progress,
) -> Result<usize, PipelineError> {
    let lock = project.repository.lock()?;
    // A stage alone can be run whatever the others are like.
    let graph = match request.reach {
        Reach::Single => Graph::unchecked(project),
        _ => Graph::of(project)?,
    };
    let order = plan(project, &graph, request)?;
    if request.pull && !request.no_run_cache && !request.dry {
        Cloud::open(project, None, None, interruption)?.fetch(&[], true)?;
    }
    let path_locks = project.repository.path_locks(command_line);
    let workplace = if request.dry {
        None
    } else {
        Some(Workplace::open(project, &path_locks, interruption)?)
    };
    let run = Run::new(
        project,
        request,
        (lock, &path_locks),
        (interruption, workplace.as_ref()),
        progress,
    );
    let done = run.all(&graph, &order);
    project.repository.save_state();
    done
}
