//! What is done for one stage, before and after its commands.

use std::fmt::Write as _;
use std::path::Path;

use super::abandoned::Workplace;
use super::command::{Job, JobEnd, lines_of};
use super::schedule::Run;
use super::set_aside::SetAside;
use crate::definition::{Command, OutKind};
use crate::error::PipelineError;
use crate::hash::HashInfo;
use crate::lock::PathsGuard;
use crate::project::Project;
use crate::remote::Cloud;
use crate::stage::changes::{Change, Missing};
use crate::stage::{Output, Stage};

/// A stage that is being made anew. Its paths are marked as read and written until it is dropped.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    pub(super) index: usize,
    pub(super) name: String,
    stage: Stage,
    previous: Previous,
    _marks: PathsGuard<'a>,
}

/// What comes of looking at a stage.
#[derive(Debug)]
pub(super) enum Begun<'a> {
    /// Nothing has changed, or its data have come from the remote.
    Unchanged,
    /// It was made anew without its commands.
    Made,
    /// Its commands are to be run.
    Command(Box<Attempt<'a>>, Job),
}

/// The outputs that a stage had before.
#[derive(Debug, Default)]
struct Previous {
    aside: Option<SetAside>,
    /// They were removed, and the cache has what the lock file says.
    is_in_cache: bool,
    /// They were removed, and the cache does not have them.
    lost: Vec<String>,
    /// New ones are in their places, whatever becomes of saving those.
    is_replaced: bool,
}

impl<'a> Run<'a> {
    /// Looks at a stage, and does all but running its commands.
    pub(super) fn begin(&mut self, index: usize, force: bool) -> Result<Begun<'a>, PipelineError> {
        let mut stage = self.project.stages[index].clone();
        let name = self.name(index);
        if stage.is_frozen {
            let kind = if stage.is_data() { "" } else { "stage: " };
            let text = format!(
                "{kind}'{name}' is frozen. Its dependencies are not going to be reproduced."
            );
            self.project.warn(&text);
        }
        if !force && !stage.has_changed(self.project, self.missing())? {
            let text = if stage.is_data() {
                format!("'{name}' didn't change, skipping")
            } else {
                format!("Stage '{name}' didn't change, skipping")
            };
            self.progress.say(&text);
            return Ok(Begun::Unchanged);
        }
        if self.request.verbose {
            self.say_why(&stage, &name, force)?;
        }
        if self.request.pull && !self.request.dry {
            if !force && !stage.has_changed(self.project, Missing::IsAllowed)? {
                self.progress
                    .say(&format!("Pulling data for stage: '{name}'"));
                self.bring(index)?;
                return Ok(Begun::Unchanged);
            }
            self.bring_deps(&stage)?;
        }
        if self.request.interactive {
            let question = format!("Going to reproduce {name}. Are you sure you want to continue?");
            if !self.progress.confirm(&question) {
                return Err(PipelineError::Aborted);
            }
        }
        if self.request.dry {
            self.show(&mut stage, &name, force);
            return Ok(Begun::Made);
        }
        let mut attempt = Attempt {
            index,
            previous: Previous::default(),
            _marks: self.path_locks.mark(
                texts(
                    stage
                        .deps
                        .iter()
                        .map(|dep| dep.at.as_path())
                        .chain(stage.params.iter().map(|params| params.at.as_path())),
                ),
                texts(stage.outs.iter().map(|out| out.at.as_path())),
            )?,
            stage,
            name,
        };
        match self.prepare(&mut attempt, force) {
            Ok(Some(job)) => Ok(Begun::Command(Box::new(attempt), job)),
            Ok(None) => self.finish(attempt, Ok(())).map(|()| Begun::Made),
            Err(error) => self.finish(attempt, Err(error)).map(|()| Begun::Made),
        }
    }

    /// Gives the commands, unless the stage can do without.
    fn prepare(
        &mut self,
        attempt: &mut Attempt<'_>,
        force: bool,
    ) -> Result<Option<Job>, PipelineError> {
        let Attempt {
            index,
            name,
            stage,
            previous,
            ..
        } = attempt;
        let Some(command) = stage.command.clone().filter(|_| !stage.is_frozen) else {
            let what = if stage.is_data() {
                format!("data sources in stage: '{name}'")
            } else {
                format!("outputs in frozen stage: '{name}'")
            };
            self.progress.say(&format!("Verifying {what}"));
            self.check_data(stage)?;
            return Ok(None);
        };
        let workplace = self.workplace.filter(|_| self.request.restore_on_failure);
        *previous = Previous::take(self.project, workplace, *index, stage)?;
        stage.remove_outs(self.project)?;
        self.project.forget();
        if !force && self.restore(stage, name)? {
            previous.look_for_new(&stage.outs)?;
            return Ok(None);
        }
        stage.save_deps(self.project, self.request.allow_missing)?;
        Ok(Some(Job::new(self.project, stage, name, &command)))
    }

    /// Takes down what the commands have made, under the lock that they ran without: hours of work must not be lost
    /// because another process holds it for long.
    pub(super) fn close(
        &mut self,
        mut attempt: Attempt<'_>,
        end: JobEnd,
    ) -> Result<(), PipelineError> {
        self.project.forget();
        let mut ended = end.into_result();
        if ended.is_ok() {
            ended = attempt.previous.look_for_new(&attempt.stage.outs);
        }
        match self.take_lock() {
            Ok(()) => self.finish(attempt, ended),
            Err(error) => Err(self.give_up(attempt, ended.err().unwrap_or(error))),
        }
    }

    /// Takes down what has been made, or puts back what was there before; an error says what has become of that. The
    /// project's lock must be held.
    fn finish(
        &mut self,
        mut attempt: Attempt<'_>,
        made: Result<(), PipelineError>,
    ) -> Result<(), PipelineError> {
        match made.and_then(|()| self.save(&mut attempt)) {
            Ok(()) => {
                if let Some(aside) = attempt.previous.aside.take() {
                    aside.discard()?;
                }
                self.project.stages[attempt.index] = attempt.stage;
                Ok(())
            }
            Err(error) => Err(self.give_up(attempt, error)),
        }
    }

    /// Puts back what was there before, unless new outputs are in its place.
    pub(super) fn give_up(&mut self, attempt: Attempt<'_>, error: PipelineError) -> PipelineError {
        let advice = attempt.previous.after_failure(self.project, &attempt.name);
        self.project.forget();
        error.with_advice(advice)
    }

    fn save(&mut self, attempt: &mut Attempt<'_>) -> Result<(), PipelineError> {
        let Attempt {
            stage, previous, ..
        } = attempt;
        let allow_missing = self.request.allow_missing;
        stage.save_deps(self.project, allow_missing || stage.is_frozen)?;
        if !self.request.no_commit {
            stage.take_in_outs(self.project)?;
        }
        let saved = stage.save_outs(self.project, allow_missing)?;
        previous.replaced()?;
        stage.locked_command = stage.command.as_ref().map(Command::to_value);
        if !self.request.no_commit {
            stage.commit(self.project, &saved)?;
            let uncached = |out: &Output| !out.is_cached && out.kind == OutKind::Out;
            if !stage.outs.iter().any(uncached) {
                stage.keep_run(self.project)?;
            }
        }
        self.write_lock_entry(attempt.index, &attempt.stage)
    }

    fn missing(&self) -> Missing {
        if self.request.allow_missing {
            Missing::IsAllowed
        } else {
            Missing::Counts
        }
    }

    fn say_why(&mut self, stage: &Stage, name: &str, force: bool) -> Result<(), PipelineError> {
        let changes = stage.changes(self.project)?;
        let paths = |paths: &[(String, Change)], what: &str| -> Vec<String> {
            let one =
                |(path, change): &(String, Change)| format!("{what} '{path}' is {}", change.word());
            paths.iter().map(one).collect()
        };
        let mut why = paths(&changes.deps, "dependency");
        why.extend(paths(&changes.outs, "output"));
        if changes.command {
            why.push("its command is another one".to_owned());
        }
        if changes.always {
            why.push("it always counts as changed".to_owned());
        }
        if force && why.is_empty() {
            why.push("it is forced to".to_owned());
        }
        self.progress
            .say(&format!("Stage '{name}' runs because {}.", why.join(", ")));
        Ok(())
    }

    /// What would be run. DVC shows the command even if the outputs would be restored, and stops at inputs that are not
    /// made yet, which says nothing.
    fn show(&mut self, stage: &mut Stage, name: &str, force: bool) {
        let Some(command) = stage.command.clone().filter(|_| !stage.is_frozen) else {
            return;
        };
        if !force {
            let _ = self.restore(stage, name);
        }
        self.announce(name);
        for line in lines_of(&command) {
            self.progress.say(&format!("> {line}"));
        }
    }

    pub(super) fn announce(&mut self, name: &str) {
        self.progress.say(&format!("Running stage '{name}':"));
    }

    /// Brings a stage's outputs from the remote into the workspace.
    fn bring(&mut self, index: usize) -> Result<(), PipelineError> {
        Cloud::open(self.project, None, None, self.interruption)?.fetch(&[index], false)?;
        let outs = self.project.stages[index].outs.iter();
        for out in outs.filter(|out| out.is_cached) {
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
                let cache = self.project.repository.cache_of(info);
                all_there &= cache.has_all(&info.md5)?;
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

impl Previous {
    /// Looks at the outputs that are about to be removed, and sets them aside if they may be wanted back.
    fn take(
        project: &Project,
        workplace: Option<&Workplace>,
        index: usize,
        stage: &Stage,
    ) -> Result<Self, PipelineError> {
        if let Some(workplace) = workplace {
            let aside = SetAside::take(
                workplace.folder_for(index),
                &project.repository.root,
                &stage.outs,
            )?;
            return Ok(Self {
                aside: Some(aside),
                ..Self::default()
            });
        }
        let mut previous = Self::default();
        for out in stage.outs.iter().filter(|out| !out.is_persistent) {
            if out.at.symlink_metadata().is_err() {
                continue;
            }
            let locked = out.locked.as_ref().filter(|_| out.is_cached);
            let is_there = |info: &HashInfo| {
                let cache = project.repository.cache_of(info);
                cache.has(&info.md5).unwrap_or(false)
            };
            if locked.is_some_and(is_there) {
                previous.is_in_cache = true;
            } else {
                previous
                    .lost
                    .push(format!("'{}'", project.display(&out.at)));
            }
        }
        Ok(previous)
    }

    /// The commands have ended well: if all outputs are there, those of before are not wanted any more.
    fn look_for_new(&mut self, outs: &[Output]) -> Result<(), PipelineError> {
        if outs.iter().all(|out| out.at.exists()) {
            self.replaced()?;
        }
        Ok(())
    }

    fn replaced(&mut self) -> Result<(), PipelineError> {
        self.is_replaced = true;
        if let Some(aside) = &mut self.aside {
            aside.outdate()?;
        }
        Ok(())
    }

    /// Puts them back if they are there and no new ones are; gives what the user should know of them.
    fn after_failure(self, project: &Project, name: &str) -> String {
        if self.is_replaced {
            // What cannot be removed now is by the next reproduction.
            let _ = self.aside.map(SetAside::discard);
            return format!(
                "\nThe new outputs of '{name}' are in their places: when this is mended, `strata commit -f {name}` takes them in."
            );
        }
        if let Some(aside) = self.aside {
            let mut back = Vec::new();
            let failure = aside.put_back(&mut back).err();
            let mut advice = String::new();
            if !back.is_empty() {
                let paths = back
                    .iter()
                    .map(|path| format!("'{}'", project.display(path)));
                let paths = paths.collect::<Vec<_>>().join(", ");
                let _ = write!(
                    advice,
                    "\nThe previous outputs of '{name}' are back: {paths}."
                );
            }
            if let Some(error) = failure {
                let _ = write!(
                    advice,
                    "\nPrevious outputs of '{name}' could not be put back; the next `strata repro` tries again: {error}"
                );
            }
            return advice;
        }
        let mut advice = String::new();
        if self.is_in_cache {
            let _ = write!(
                advice,
                "\nThe outputs of its last run were removed: `strata checkout {name}` takes them from the cache."
            );
        }
        if !self.lost.is_empty() {
            let _ = write!(
                advice,
                "\nRemoved, and not in the cache: {}. With `--restore-on-failure` they would be back.",
                self.lost.join(", ")
            );
        }
        advice
    }
}

fn texts<'p>(paths: impl Iterator<Item = &'p Path>) -> Vec<String> {
    paths.map(|path| path.display().to_string()).collect()
}
