//! Running what has changed.

use std::path::Path;
use std::process::Command as Process;

use super::graph::Graph;
use super::index::{PIPELINE_FILE, Project};
use super::lock_file;
use crate::definition::Command;
use crate::error::PipelineError;
use crate::lock::{PathLocks, RepositoryLock};
use crate::remote::{Cloud, Unwatched};
use crate::stage::Stage;
use crate::stage::changes::Missing;

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
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// As they were typed; none for the `dvc.yaml` of the current folder.
    pub targets: Vec<String>,
    /// Which stages around them.
    pub reach: Reach,
    /// Stages run even if nothing has changed.
    pub force: bool,
    /// Stages that depend on one that ran are run too.
    pub force_downstream: bool,
    /// Nothing is run or written.
    pub dry: bool,
    /// What happens when a stage fails.
    pub on_error: OnError,
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
}

/// What is told while stages run.
pub trait Progress {
    /// A line for people and scripts, as DVC prints it.
    fn say(&mut self, line: &str);
    /// A question; whether the answer is yes.
    fn confirm(&mut self, question: &str) -> bool;
}

/// One reproduction.
struct Run<'a> {
    project: &'a mut Project,
    request: &'a Request,
    lock: RepositoryLock,
    path_locks: PathLocks,
    progress: &'a mut dyn Progress,
}

/// Reproduces; gives how many stages ran, and tells `progress` what happens.
///
/// # Errors
/// A target that is none; a stage that failed, unless failures are ignored.
pub fn reproduce(
    project: &mut Project,
    request: &Request,
    command_line: &str,
    progress: &mut dyn Progress,
) -> Result<usize, PipelineError> {
    let lock = project.repository.lock()?;
    // A stage alone can be run whatever the others are like.
    let graph = match request.reach {
        Reach::Single => Graph::unchecked(project),
        _ => Graph::of(project)?,
    };
    let order = plan(project, &graph, request)?;
    let path_locks = project.repository.path_locks(command_line);
    let mut run = Run {
        project,
        request,
        lock,
        path_locks,
        progress,
    };
    let done = run.all(&graph, &order);
    run.project.repository.save_state();
    done
}

/// Stages in the order in which they are looked at.
fn plan(project: &Project, graph: &Graph, request: &Request) -> Result<Vec<usize>, PipelineError> {
    let all = vec![true; project.stages.len()];
    // What a frozen stage depends on is of no consequence.
    let active = graph.without_makers_of(|stage| {
        project.stages[stage].is_frozen && !project.stages[stage].is_data()
    });
    if request.reach == Reach::Everything {
        return Ok(active.order(&all));
    }
    let default = [PIPELINE_FILE.to_owned()];
    let targets = if request.targets.is_empty() {
        &default[..]
    } else {
        &request.targets
    };
    let mut stages = Vec::new();
    for target in targets {
        for stage in project.stages_of_target(target)? {
            if !stages.contains(&stage) {
                stages.push(stage);
            }
        }
    }
    let chosen = match request.reach {
        Reach::Single => return Ok(stages),
        Reach::Upstream | Reach::Everything => active.upstream(&stages),
        Reach::Pipeline => active.connected(&stages),
        Reach::Downstream => active.downstream(&stages),
    };
    Ok(active.order(&chosen))
}

impl Run<'_> {
    fn all(&mut self, graph: &Graph, order: &[usize]) -> Result<usize, PipelineError> {
        let mut ran = 0;
        let mut ran_before = false;
        let mut failed: Vec<String> = Vec::new();
        let mut skipped = vec![false; self.project.stages.len()];
        let mut forced = vec![self.request.force; self.project.stages.len()];
        for &index in order {
            if skipped[index] {
                continue;
            }
            if ran_before {
                self.progress.say("");
            }
            match self.stage(index, forced[index]) {
                Ok(has_run) => {
                    ran += usize::from(has_run);
                    ran_before = has_run;
                    if self.request.force_downstream && (has_run || forced[index]) {
                        for reader in graph.readers(index) {
                            forced[reader] = true;
                        }
                    }
                }
                Err(error) => {
                    let name = self.name(index);
                    if self.request.on_error == OnError::Stop {
                        return Err(reproduce_error(name, error));
                    }
                    ran_before = false;
                    self.tell_failure(graph, index, &error, &mut skipped);
                    failed.push(name);
                }
            }
        }
        if self.request.on_error == OnError::KeepGoing && !failed.is_empty() {
            let names: Vec<String> = failed.iter().map(|name| format!("'{name}'")).collect();
            return Err(PipelineError::ReproduceSeveral {
                stages: names.join(", "),
            });
        }
        Ok(ran)
    }

    fn name(&self, index: usize) -> String {
        self.project
            .display_address(&self.project.stages[index].address)
    }

    fn tell_failure(
        &mut self,
        graph: &Graph,
        index: usize,
        error: &PipelineError,
        skipped: &mut [bool],
    ) {
        let name = self.name(index);
        if self.request.on_error == OnError::Ignore {
            let text = format!("failed to reproduce '{name}': {error} (ignored)");
            return self.project.warn(&text);
        }
        let mut left_out = graph.downstream(&[index]);
        left_out[index] = false;
        let names: Vec<String> = (0..left_out.len())
            .filter(|&stage| left_out[stage])
            .map(|stage| format!("'{}'", self.name(stage)))
            .collect();
        for (skipped, left_out) in skipped.iter_mut().zip(left_out) {
            *skipped |= left_out;
        }
        let which = match names.as_slice() {
            [] => String::new(),
            [one] => format!("\nStage {one} will be skipped due to this failure"),
            many => format!(
                "\nStages {} will be skipped due to this failure",
                many.join(", ")
            ),
        };
        let text = format!("failed to reproduce '{name}': {error}{which}");
        self.project.warn(&text);
    }

    /// Gives whether the stage ran.
    fn stage(&mut self, index: usize, force: bool) -> Result<bool, PipelineError> {
        let mut stage = self.project.stages[index].clone();
        let name = self.name(index);
        if stage.is_frozen {
            let kind = if stage.is_data() { "" } else { "stage: " };
            let text = format!(
                "{kind}'{name}' is frozen. Its dependencies are not going to be reproduced."
            );
            self.project.warn(&text);
        }
        let missing = if self.request.allow_missing {
            Missing::IsAllowed
        } else {
            Missing::Counts
        };
        let texts = |paths: Vec<&Path>| {
            paths
                .iter()
                .map(|path| path.display().to_string())
                .collect()
        };
        let reads = stage.deps.iter().map(|dep| dep.at.as_path());
        let reads = reads.chain(stage.params.iter().map(|params| params.at.as_path()));
        let reads: Vec<String> = texts(reads.collect());
        let writes: Vec<String> = texts(stage.outs.iter().map(|out| out.at.as_path()).collect());
        let path_locks = self.path_locks.clone();
        let _guard = path_locks.mark(reads, writes)?;
        if !force && !stage.has_changed(self.project, missing)? {
            let text = if stage.is_data() {
                format!("'{name}' didn't change, skipping")
            } else {
                format!("Stage '{name}' didn't change, skipping")
            };
            self.progress.say(&text);
            return Ok(false);
        }
        if self.request.pull && !self.request.dry {
            if !force && !stage.has_changed(self.project, Missing::IsAllowed)? {
                self.progress
                    .say(&format!("Pulling data for stage: '{name}'"));
                self.bring(index)?;
                return Ok(false);
            }
            self.bring_deps(&stage)?;
        }
        if self.request.interactive {
            let question = format!("Going to reproduce {name}. Are you sure you want to continue?");
            if !self.progress.confirm(&question) {
                return Err(PipelineError::Aborted);
            }
        }
        self.run(&mut stage, &name, force)?;
        if !self.request.dry {
            lock_file::write(self.project, &stage, &mut |line| self.progress.say(line))?;
            self.project.stages[index] = stage;
        }
        Ok(true)
    }

    fn run(&mut self, stage: &mut Stage, name: &str, force: bool) -> Result<(), PipelineError> {
        let dry = self.request.dry;
        match stage.command.clone() {
            Some(command) if !stage.is_frozen => {
                if dry {
                    // As DVC does, which shows the command even if the outputs would be restored. Inputs that are not
                    // made yet are no reason to stop.
                    if !force {
                        let _ = self.restore(stage, name);
                    }
                    self.announce(name, &command);
                    return Ok(());
                }
                stage.remove_outs(self.project)?;
                self.project.forget();
                if force || !self.restore(stage, name)? {
                    stage.save_deps(self.project, self.request.allow_missing)?;
                    self.announce(name, &command);
                    self.lock.release();
                    let done = run_command(self.project, stage, name, &command);
                    self.project.forget();
                    self.lock.take()?;
                    done?;
                }
            }
            _ if dry => return Ok(()),
            _ => {
                let what = if stage.is_data() {
                    format!("data sources in stage: '{name}'")
                } else {
                    format!("outputs in frozen stage: '{name}'")
                };
                self.progress.say(&format!("Verifying {what}"));
                self.check_data(stage)?;
            }
        }
        stage.save_deps(self.project, self.request.allow_missing || stage.is_frozen)?;
        let saved = stage.save_outs(self.project, self.request.allow_missing)?;
        stage.locked_command = stage.command.as_ref().map(Command::to_value);
        if self.request.no_commit {
            return Ok(());
        }
        stage.commit(self.project, &saved)?;
        let uncached = |out: &crate::stage::Output| {
            !out.is_cached && out.kind == crate::definition::OutKind::Out
        };
        if !stage.outs.iter().any(uncached) {
            stage.keep_run(self.project)?;
        }
        Ok(())
    }

    /// Brings a stage's outputs from the remote into the workspace.
    fn bring(&mut self, index: usize) -> Result<(), PipelineError> {
        Cloud::open(self.project, None, None, &Unwatched)?.fetch(&[index], false)?;
        for out in self.project.stages[index]
            .outs
            .iter()
            .filter(|out| out.is_cached)
        {
            out.checkout(self.project)?;
        }
        self.project.forget();
        Ok(())
    }

    /// Brings dependencies that are not there and that other stages have made.
    fn bring_deps(&mut self, stage: &Stage) -> Result<(), PipelineError> {
        let is_missing =
            |at: &Path| !at.exists() && stage.deps.iter().any(|dep| dep.at.starts_with(at));
        let makers = self.project.stages.iter().enumerate();
        let makers = makers.filter(|(_, maker)| maker.outs.iter().any(|out| is_missing(&out.at)));
        let makers: Vec<usize> = makers.map(|(index, _)| index).collect();
        for maker in makers {
            self.bring(maker)?;
        }
        Ok(())
    }

    /// What a frozen stage or a `.dvc` file stands for must be there.
    fn check_data(&self, stage: &Stage) -> Result<(), PipelineError> {
        let missing = stage.outs.iter().filter(|out| !out.at.exists());
        let missing: Vec<String> = missing.map(|out| self.project.display(&out.at)).collect();
        if missing.is_empty() || self.request.allow_missing {
            return Ok(());
        }
        Err(PipelineError::MissingData {
            paths: missing.join(", "),
        })
    }

    fn announce(&mut self, name: &str, command: &Command) {
        self.progress.say(&format!("Running stage '{name}':"));
        for line in lines_of(command) {
            self.progress.say(&format!("> {line}"));
        }
    }

    /// Takes the outputs from the cache, if they are there for these inputs; gives whether they were.
    fn restore(&mut self, stage: &mut Stage, name: &str) -> Result<bool, PipelineError> {
        if !stage.is_kept(self.project)? {
            return Ok(false);
        }
        let same_inputs = !stage.has_changed_command()
            && stage.locked_command.is_some()
            && !stage.has_changed_deps(self.project, Missing::Counts)?
            && stage.outs.iter().all(|out| out.locked.is_some());
        let outs = if same_inputs {
            let outs = stage.outs.iter();
            let locked = outs.filter_map(|out| Some((out.path.clone(), out.locked.clone()?)));
            let locked: Vec<_> = locked.collect();
            let mut all_there = true;
            for (_, info) in &locked {
                all_there &= self.project.repository.cache.has_all(&info.md5)?;
            }
            if !all_there {
                return Ok(false);
            }
            locked
        } else {
            if self.request.no_run_cache {
                return Ok(false);
            }
            // Looking on, DVC compares with what the stage ran with the last time.
            if !self.request.dry {
                stage.save_deps(self.project, self.request.allow_missing)?;
            }
            match stage.kept_run(self.project)? {
                Some(outs) => outs,
                None => return Ok(false),
            }
        };
        self.progress.say(&format!(
            "Stage '{name}' is cached - skipping run, checking out outputs"
        ));
        if self.request.dry {
            return Ok(true);
        }
        for out in &mut stage.outs {
            let info = outs.iter().find(|(path, _)| *path == out.path);
            if let Some((_, info)) = info {
                out.locked = Some(info.clone());
                out.checkout(self.project)?;
            }
        }
        self.project.forget();
        Ok(true)
    }
}

fn reproduce_error(stage: String, source: PipelineError) -> PipelineError {
    match source {
        PipelineError::Aborted => PipelineError::Aborted,
        source => PipelineError::Reproduce {
            stage,
            source: Box::new(source),
        },
    }
}

/// The commands of a stage: DVC gives each line of a text a shell of its own.
fn lines_of(command: &Command) -> Vec<String> {
    match command {
        Command::Text(text) => text.lines().map(str::to_owned).collect(),
        Command::List(items) => items.clone(),
    }
}

fn run_command(
    project: &Project,
    stage: &Stage,
    name: &str,
    command: &Command,
) -> Result<(), PipelineError> {
    let shell = std::env::var("SHELL")
        .ok()
        .filter(|shell| !shell.is_empty());
    let shell = shell.unwrap_or_else(|| "/bin/sh".to_owned());
    let flags: &[&str] = match shell.rsplit('/').next() {
        Some("zsh") => &["--no-rcs"],
        Some("bash") => &["--noprofile", "--norc"],
        _ => &[],
    };
    // The folder may be one that the stage makes files in for the first time.
    if !stage.folder.is_dir() {
        fs_err::create_dir_all(&stage.folder)?;
    }
    for line in lines_of(command) {
        let mut process = Process::new(&shell);
        process
            .args(flags)
            .arg("-c")
            .arg(&line)
            .current_dir(&stage.folder)
            .env("DVC_ROOT", &project.repository.root)
            .env("DVC_STAGE", name)
            .env("PATH", path_with_own_folder());
        let status = process.status().map_err(|error| {
            std::io::Error::new(
                error.kind(),
                format!("cannot start the shell '{shell}': {error}"),
            )
        })?;
        if !status.success() {
            use std::os::unix::process::ExitStatusExt as _;
            let code = status
                .code()
                .or_else(|| status.signal().map(|signal| -signal));
            return Err(PipelineError::CommandFailed {
                command: line,
                code: code.unwrap_or(1),
            });
        }
    }
    Ok(())
}

/// A stage that calls `strata` gets this very program.
fn path_with_own_folder() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::current_exe().ok();
    let own = own.as_deref().and_then(Path::parent).map(Path::to_owned);
    let folders = own.into_iter().chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap_or(path)
}
