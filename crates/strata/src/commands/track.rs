//! `strata track`: a run of any program, told line by line.

use std::io::{BufRead, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use strata_track::wandb::{Settings, WandbSink};
use strata_track::{
    Event, JsonlSink, RunRecord, RunState, Sink, SinkError, TensorBoardSink, parse_event,
};

use crate::exit::{Ended, Failure};
use crate::interrupt;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ./train.sh | strata track --sink wandb --sink tensorboard
  Rscript fit.R | strata track --sink tensorboard --sink jsonl --dir runs/r --run fit-1
  echo '{\"log\": {\"train/loss\": 0.5}, \"step\": 1}' | strata track --sink tensorboard

A line is one JSON object; NaN, Infinity and -Infinity may stand for numbers:
  {\"log\": {NAME: VALUE, …}, \"step\": N, \"commit\": true}     step and commit may be absent
  {\"hparams\": {…}, \"metrics\": {…}}    {\"purge_step\": N}    {\"finish\": {\"exit_code\": 0}}
  {\"init\": {\"name\": …, \"config\": {…}}}    {\"config\": {…}}    {\"summary\": {…}}    {\"update\": {…}}
  {\"define_metric\": {\"name\": …}}    {\"print\": TEXT}    {\"stderr\": TEXT}    {\"alert\": {\"title\": …}}
A VALUE is a number, a string, true or false, null, a list, an object of values, or one of
  {\"_type\": \"image\", \"file\": PATH, \"caption\": TEXT}    {\"_type\": \"images\", \"items\": [image, …]}
  {\"_type\": \"histogram\", \"values\": […], \"bins\": 64}    {\"_type\": \"histogram\", \"counts\": […], \"edges\": […]}
  {\"_type\": \"table\", \"columns\": […], \"data\": [[…], …]}    {\"_type\": \"text\", \"text\": TEXT}

A line that is wrong is told with its number, and the run goes on. The end of the input is the end of the run.")]
pub(crate) struct TrackArgs {
    /// Where the run goes; may be given several times
    #[arg(long, value_name = "SINK", required = true)]
    sink: Vec<SinkName>,

    /// Folder that gets `wandb/`, `tensorboard/` and `metrics.jsonl` [default: .]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Leave out the statistics of the machine that W&B shows
    #[arg(long)]
    no_system_stats: bool,

    /// Folder of the run below `tensorboard/`, the run's name there
    #[arg(long, value_name = "NAME", value_parser = run_name)]
    run: Option<PathBuf>,
}

/// The sinks by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SinkName {
    /// A run of Weights & Biases
    Wandb,
    /// Event files that TensorBoard shows
    Tensorboard,
    /// A line for each step; numbers only
    Jsonl,
}

impl SinkName {
    fn open(self, args: &TrackArgs) -> anyhow::Result<Box<dyn Sink>> {
        let directory = args.directory();
        Ok(match self {
            Self::Wandb => Box::new(open_wandb(args)?),
            Self::Tensorboard => {
                let folder = directory.join("tensorboard");
                let run = args.run.as_ref().map(|run| folder.join(run));
                Box::new(TensorBoardSink::new(&run.unwrap_or(folder)))
            }
            Self::Jsonl => Box::new(JsonlSink::append(&directory.join("metrics.jsonl"))?),
        })
    }
}

impl TrackArgs {
    fn directory(&self) -> &Path {
        self.dir.as_deref().unwrap_or(Path::new("."))
    }
}

fn open_wandb(args: &TrackArgs) -> anyhow::Result<WandbSink> {
    let environment = std::env::vars().collect();
    let here = std::env::current_dir().context("the working directory")?;
    let mut settings = Settings::load(&environment, &here)?;
    if args.dir.is_some() {
        settings.directory = None;
    }
    if args.no_system_stats {
        settings.stats_interval = None;
    }
    let record = RunRecord::begin(env!("CARGO_PKG_VERSION"));
    let is_silent = settings.silent;
    let notices = move |line: &str| {
        if !is_silent {
            anstream::eprintln!("{line}");
        }
    };
    let directory = args.directory().to_owned();
    Ok(WandbSink::new(directory, settings, record, notices))
}

/// A name stays below the folder of all runs.
fn run_name(name: &str) -> Result<PathBuf, String> {
    let path = Path::new(name);
    let inside = |part| matches!(part, Component::Normal(_));
    if name.is_empty() || !path.components().all(inside) {
        return Err("a name is a folder below `tensorboard/`, such as `fit-1`".to_owned());
    }
    Ok(path.to_owned())
}

pub(crate) fn run(args: &TrackArgs) -> Result<Ended, Failure> {
    let interrupted = interrupt::flag()?;
    fs_err::create_dir_all(args.directory()).context("the folder of the run")?;
    let mut sinks = Vec::new();
    for (index, name) in args.sink.iter().enumerate() {
        if !args.sink[..index].contains(name) {
            let sink = name.open(args)?;
            sinks.push(Fed {
                sink,
                broken: false,
            });
        }
    }
    let state = feed(&mut std::io::stdin().lock(), &mut sinks, &interrupted);
    let mut whole = true;
    for fed in &mut sinks {
        let finished = fed.sink.finish(state);
        whole &= finished.is_ok() && !fed.broken;
        fed.tell("end of the run", finished);
    }
    if !whole {
        return Err(Failure::Work(anyhow!("the run is not written whole")));
    }
    Ok(match state {
        RunState::Interrupted => Ended::Interrupted,
        _ => Ended::Done,
    })
}

/// A sink and whether it has failed to write.
struct Fed {
    sink: Box<dyn Sink>,
    broken: bool,
}

impl Fed {
    /// Tells what is wrong with a value each time, but that files cannot be written only once.
    fn tell(&mut self, place: &str, result: Result<(), SinkError>) {
        let Err(error) = result else { return };
        let name = self.sink.name();
        let cannot_write = matches!(error, SinkError::Write { .. });
        if !cannot_write {
            anstream::eprintln!("warning: {place}: {name}: {error}");
        } else if !self.broken {
            self.broken = true;
            anstream::eprintln!(
                "warning: {place}: {name}: {error}; the run goes on, further failures to write are not told"
            );
        }
    }
}

/// Hands the events of all lines to the sinks; how the run ended.
fn feed(input: &mut dyn BufRead, sinks: &mut [Fed], interrupted: &AtomicBool) -> RunState {
    let mut state = None;
    let mut bytes = Vec::new();
    let mut number = 0u64;
    loop {
        bytes.clear();
        number += 1;
        let place = format!("line {number}");
        match input.read_until(b'\n', &mut bytes) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => {
                anstream::eprintln!("warning: {place}: cannot read standard input: {error}");
                return state.unwrap_or(RunState::Failed);
            }
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let event = match event_of(&bytes) {
            Ok(event) => event,
            Err(problem) => {
                anstream::eprintln!("warning: {place}: {problem}; the line is left out");
                // A program that is killed leaves half a line.
                if bytes.last() != Some(&b'\n') && state.is_none() {
                    state = Some(RunState::Failed);
                }
                continue;
            }
        };
        if state.is_some() {
            anstream::eprintln!(
                "warning: {place}: the run has told its end already; the line is left out"
            );
            continue;
        }
        if let Event::Finish { exit_code } = event {
            state = Some(if exit_code == 0 {
                RunState::Finished
            } else {
                RunState::Failed
            });
        }
        for fed in &mut *sinks {
            let taken = fed.sink.take(&event);
            fed.tell(&place, taken);
            let beaten = fed.sink.beat();
            fed.tell(&place, beaten);
        }
    }
    let interrupted = interrupted.load(Ordering::Relaxed);
    state.unwrap_or(if interrupted {
        RunState::Interrupted
    } else {
        RunState::Finished
    })
}

fn event_of(bytes: &[u8]) -> Result<Event, String> {
    let line = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    parse_event(line).map_err(|error| error.to_string())
}
