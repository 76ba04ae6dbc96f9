//! `strata runs tail`.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use strata_track::runs::Fact;
use strata_track::{Row, RunDirectory};

use super::runs_below;
use crate::exit::{Ended, Failure};
use crate::{interrupt, output};

/// How often a run that goes on is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata runs tail                      the last rows of the newest run
  strata runs tail runs/first -n 3
  strata runs tail --follow             and those to come, until the run ends")]
pub(super) struct TailArgs {
    /// The run's directory [default: the newest run below runs and multirun]
    run: Option<PathBuf>,

    /// Rows
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    lines: usize,

    /// Go on with new rows until the run ends
    #[arg(short, long)]
    follow: bool,
}

pub(super) fn run(args: &TailArgs) -> Result<Ended, Failure> {
    let interrupted = interrupt::flag()?;
    let path = match &args.run {
        Some(path) => path.clone(),
        None => newest()?,
    };
    let directory = RunDirectory::open(&path).map_err(anyhow::Error::from)?;
    let metrics = directory.metrics_path();
    let mut lines = match fs_err::File::open(&metrics) {
        Ok(file) => Lines::new(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !args.follow => {
            return Err(Failure::Work(anyhow!(
                "`{}` has no rows yet",
                path.display()
            )));
        }
        Err(error) => return Err(Failure::Work(error.into())),
    };
    let mut last = VecDeque::new();
    while let Some(line) = lines.next_line()? {
        last.push_back(line);
        if last.len() > args.lines {
            last.pop_front();
        }
    }
    for line in &last {
        output::print(&shown(line, &metrics)?)?;
    }
    if !args.follow {
        return Ok(Ended::Done);
    }
    loop {
        let was_alive = directory.is_alive();
        while let Some(line) = lines.next_line()? {
            output::print(&shown(&line, &metrics)?)?;
        }
        if !was_alive {
            return Ok(Ended::Done);
        }
        if interrupted.load(Ordering::Relaxed) {
            return Ok(Ended::Interrupted);
        }
        thread::sleep(LOOK_AGAIN);
    }
}

fn newest() -> Result<PathBuf, Failure> {
    let runs = runs_below(&[])?;
    let newest = runs.into_iter().max_by_key(|run| run.record.started);
    let newest = newest.ok_or_else(|| anyhow!("there is no run below runs or multirun"))?;
    Ok(newest.path)
}

/// Whole lines of a file that may grow.
struct Lines {
    reader: BufReader<fs_err::File>,
    begun: Vec<u8>,
}

impl Lines {
    fn new(file: fs_err::File) -> Self {
        Self {
            reader: BufReader::new(file),
            begun: Vec::new(),
        }
    }

    /// The next line that has its end.
    fn next_line(&mut self) -> anyhow::Result<Option<String>> {
        self.reader
            .read_until(b'\n', &mut self.begun)
            .context("cannot read the rows")?;
        if self.begun.last() != Some(&b'\n') {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&self.begun).into_owned();
        self.begun.clear();
        Ok(Some(line))
    }
}

fn shown(line: &str, path: &Path) -> anyhow::Result<String> {
    let row: Row = serde_json::from_str(line)
        .with_context(|| format!("{}: a line is not a row", path.display()))?;
    let mut text = format!("step {}", row.step);
    if let Some(epoch) = row.epoch {
        write!(text, "  epoch {epoch}")?;
    }
    for (name, value) in &row.values {
        write!(text, "  {name} {}", Fact::Number(*value))?;
    }
    text.push('\n');
    Ok(text)
}
