//! `strata stage list` and `add`.

use std::fmt::Write as _;
use std::sync::Arc;

use clap::{Args, Subcommand};
use strata_pipeline::definition::OutKind;
use strata_pipeline::project::reproduce::{Interruption, Reach, Request, reproduce};
use strata_pipeline::project::stage_add::{NewOutput, NewStage};
use strata_pipeline::project::targets::Extent;
use strata_pipeline::stage::Stage;
use strata_pipeline::{PipelineError, Project};

use super::repro::Lines;
use super::volume::Volume;
use super::{command_line, git_hint, open};
use crate::exit::{Ended, Failure};
use crate::interrupt;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct StageArgs {
    #[command(subcommand)]
    pub(crate) command: StageCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StageCommand {
    /// Write a stage into the dvc.yaml here
    Add(Box<AddStageArgs>),
    /// List the stages
    List(ListArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata stage list
  strata stage list --name-only sub/dvc.yaml
  strata stage list -R experiments")]
pub(crate) struct ListArgs {
    /// Stages, .dvc or dvc.yaml files; with -R folders; without any the dvc.yaml here
    targets: Vec<String>,
    /// All stages of the project
    #[arg(long)]
    all: bool,
    /// Taken for the sake of scripts: files that cannot be read are always errors
    #[arg(long, hide = true)]
    fail: bool,
    /// All stages below the folders
    #[arg(short = 'R', long)]
    recursive: bool,
    /// Names alone
    #[arg(long, alias = "names-only")]
    name_only: bool,
    #[command(flatten)]
    volume: Volume,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata stage add -n prepare -d raw.csv -o clean.csv python prepare.py raw.csv clean.csv
  strata stage add -n train -d clean.csv -p lr,epochs -o model.pt -M metrics.json 'python train.py > log'
  strata stage add -n train -p other.yaml:seed --force --run ./train.sh

Flags of the stage stand before its command. A word of the command with spaces is quoted; a command with `>`, `|`
or `$` goes in one word, quoted for the shell.")]
pub(crate) struct AddStageArgs {
    /// Its name
    #[arg(short, long)]
    name: String,
    /// Replace a stage of the same name
    #[arg(short, long)]
    force: bool,
    /// A file or folder that it reads
    #[arg(short, long, value_name = "PATH")]
    deps: Vec<String>,
    /// Parameters that it reads: of params.yaml, of another file, `FILE:` for all of one
    #[arg(short, long, value_name = "[FILE:]KEYS")]
    params: Vec<String>,
    /// A file or folder that it writes
    #[arg(short, long, value_name = "PATH")]
    outs: Vec<String>,
    /// One that the cache does not keep
    #[arg(short = 'O', long, value_name = "PATH")]
    outs_no_cache: Vec<String>,
    /// One that is not removed before the stage runs
    #[arg(long, value_name = "PATH")]
    outs_persist: Vec<String>,
    /// One that is not removed, and that the cache does not keep
    #[arg(long, value_name = "PATH")]
    outs_persist_no_cache: Vec<String>,
    /// A file of metrics that it writes
    #[arg(short, long, value_name = "PATH")]
    metrics: Vec<String>,
    /// One that the cache does not keep
    #[arg(short = 'M', long, value_name = "PATH")]
    metrics_no_cache: Vec<String>,
    /// A file of a plot that it writes
    #[arg(long, value_name = "PATH")]
    plots: Vec<String>,
    /// One that the cache does not keep
    #[arg(long, value_name = "PATH")]
    plots_no_cache: Vec<String>,
    /// Its folder; all paths are relative to it
    #[arg(short, long, value_name = "PATH")]
    wdir: Option<String>,
    /// Run it again each time
    #[arg(long)]
    always_changed: bool,
    /// A description
    #[arg(long, value_name = "TEXT")]
    desc: Option<String>,
    /// Run it at once
    #[arg(long)]
    run: bool,
    /// What it runs
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "COMMAND"
    )]
    command: Vec<String>,
    #[command(flatten)]
    volume: Volume,
}

pub(crate) fn run(args: &StageArgs) -> Result<Ended, Failure> {
    match &args.command {
        StageCommand::Add(args) => add(args),
        StageCommand::List(args) => list(args),
    }
}

fn add(args: &AddStageArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let mut project = open()?;
    let (name, mut files) = {
        let _lock = project.repository.lock()?;
        let added = project.add_stage(&args.new_stage(), args.force)?;
        let files: Vec<String> = added
            .files
            .iter()
            .map(|file| project.display(file))
            .collect();
        (project.display_address(&added.address), files)
    };
    output::print(&format!("Added stage '{name}' in 'dvc.yaml'\n"))?;
    if args.run {
        run_at_once(name)?;
        files.push("dvc.lock".to_owned());
    }
    output::print(&git_hint(&project, &files))?;
    Ok(Ended::Done)
}

/// Runs a stage that has just been written.
fn run_at_once(name: String) -> Result<(), Failure> {
    let interruption = Arc::new(Interruption::default());
    interrupt::stop_reproduction(Arc::clone(&interruption))?;
    let request = Request {
        targets: vec![name],
        reach: Reach::Single,
        ..Request::default()
    };
    let ran = reproduce(
        &mut open()?,
        &request,
        &command_line(),
        &interruption,
        &mut Lines,
    );
    // The stage has been named already.
    ran.map(drop).map_err(|error| match error {
        PipelineError::Reproduce { source, .. } => (*source).into(),
        other => other.into(),
    })
}

impl AddStageArgs {
    fn new_stage(&self) -> NewStage {
        // In the order in which DVC lets Git ignore them.
        let outs = [
            (&self.outs_persist, OutKind::Out, true, true),
            (&self.outs_persist_no_cache, OutKind::Out, false, true),
            (&self.metrics, OutKind::Metric, true, false),
            (&self.metrics_no_cache, OutKind::Metric, false, false),
            (&self.plots, OutKind::Plot, true, false),
            (&self.plots_no_cache, OutKind::Plot, false, false),
            (&self.outs_no_cache, OutKind::Out, false, false),
            (&self.outs, OutKind::Out, true, false),
        ];
        let outs = outs
            .into_iter()
            .flat_map(|(paths, kind, is_cached, is_persistent)| {
                paths.iter().map(move |path| NewOutput {
                    path: path.clone(),
                    kind,
                    is_cached,
                    is_persistent,
                })
            });
        NewStage {
            name: self.name.clone(),
            command: joined(&self.command),
            folder: self.wdir.clone(),
            deps: self.deps.clone(),
            params: self.params.clone(),
            outs: outs.collect(),
            description: self.desc.clone(),
            is_always_changed: self.always_changed,
        }
    }
}

/// The words of a command as one text, as DVC quotes them: one word is left alone, of several those with a space
/// and without a quotation mark are quoted.
fn joined(words: &[String]) -> String {
    let [_, _, ..] = words else {
        return words.concat();
    };
    let quoted = words.iter().map(|word| {
        if word.is_empty() || (word.contains(' ') && !word.contains('"')) {
            format!("\"{word}\"")
        } else {
            word.clone()
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

fn list(args: &ListArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let project = open()?;
    let here = ["dvc.yaml".to_owned()];
    let targets = match (args.all, args.targets.is_empty()) {
        (true, _) => &[][..],
        (_, true) => &here[..],
        _ => &args.targets,
    };
    let extent = Extent {
        recursive: args.recursive,
        ..Extent::default()
    };
    let stages = project.select(targets, extent)?;
    let rows = stages.iter().map(|&index| {
        let stage = &project.stages[index];
        let name = project.display_address(&stage.address);
        (name, description(&project, stage))
    });
    let rows: Vec<(String, String)> = rows.collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or(0);
    let mut text = String::new();
    for (name, description) in &rows {
        let _ = if args.name_only {
            writeln!(text, "{name}")
        } else {
            writeln!(text, "{name:width$}  {description}")
        };
    }
    output::print(&text)?;
    Ok(Ended::Done)
}

/// Longer descriptions end with an ellipsis.
const DESCRIPTION_LIMIT: usize = 80;

/// The stage's own, or what it reads and makes.
fn description(project: &Project, stage: &Stage) -> String {
    let text = match &stage.description {
        Some(text) => text.lines().next().unwrap_or_default().to_owned(),
        None => parts(project, stage),
    };
    if text.chars().count() <= DESCRIPTION_LIMIT {
        return text;
    }
    text.chars().take(DESCRIPTION_LIMIT - 1).collect::<String>() + "…"
}

fn parts(project: &Project, stage: &Stage) -> String {
    if stage.outs.is_empty() {
        let deps = stage.deps.iter().map(|dep| dep.path.clone());
        let params = stage
            .params
            .iter()
            .map(|params| params.request.path.clone());
        let read: Vec<String> = deps.chain(params).collect();
        return if read.is_empty() {
            "No outputs or dependencies".to_owned()
        } else {
            format!("Depends on {}", read.join(", "))
        };
    }
    let of = |is_report: bool| {
        let outs = stage.outs.iter();
        let outs = outs.filter(|out| (out.kind != OutKind::Out) == is_report);
        outs.map(|out| project.display(&out.at)).collect::<Vec<_>>()
    };
    let parts = [("Outputs", of(false)), ("Reports", of(true))];
    let parts = parts
        .iter()
        .filter(|(_, paths)| !paths.is_empty())
        .map(|(word, paths)| format!("{word} {}", paths.join(", ")));
    parts.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_spaces_are_quoted_unless_there_is_one_word() {
        let words = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            joined(&words)
        };
        assert_eq!(words(&["a > b 'c'"]), "a > b 'c'");
        assert_eq!(
            words(&["python", "a.py", "foo bar", "", "x\"y z"]),
            "python a.py \"foo bar\" \"\" x\"y z"
        );
        assert_eq!(words(&[]), "");
    }
}
