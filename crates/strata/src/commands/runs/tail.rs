//! `strata runs tail`.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use strata_track::runs::{Fact, RunFacts};
use strata_track::{Row, RunDirectory};

use super::reading::{run_at, runs_below};
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
    let run = match &args.run {
        Some(path) => run_at(path)?,
        None => newest()?,
    };
    let directory = RunDirectory::open(&run.path).map_err(anyhow::Error::from)?;
    let mut lines = Lines::new(&directory.metrics_path());
    let mut last = VecDeque::new();
    while let Some(row) = lines.next_row()? {
        last.push_back(row);
        if last.len() > args.lines {
            last.pop_front();
        }
    }
    let mut layout = Layout::default();
    for row in &last {
        layout.widen(row);
    }
    for row in &last {
        output::print(&layout.line(row))?;
    }
    if !args.follow {
        if !lines.has_begun() {
            let path = run.path.display();
            return Err(Failure::Work(anyhow!(
                "`{path}` has no rows yet; `--follow` waits for them"
            )));
        }
        return Ok(Ended::Done);
    }
    loop {
        // Asked before the rows are read, so that none is missed that was written just before the end.
        let goes_on = run.goes_on_now();
        while let Some(row) = lines.next_row()? {
            layout.widen(&row);
            output::print(&layout.line(&row))?;
        }
        if !goes_on {
            return Ok(Ended::Done);
        }
        if interrupted.load(Ordering::Relaxed) {
            return Ok(Ended::Interrupted);
        }
        thread::sleep(LOOK_AGAIN);
    }
}

fn newest() -> Result<RunFacts, Failure> {
    let runs = runs_below(&[])?;
    let newest = runs.into_iter().max_by_key(RunFacts::started);
    newest.ok_or_else(|| Failure::Usage(anyhow!("name a run directory")))
}

/// The rows of a file that may grow, or come to be.
struct Lines {
    path: PathBuf,
    reader: Option<BufReader<fs_err::File>>,
    begun: Vec<u8>,
}

impl Lines {
    fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            reader: None,
            begun: Vec::new(),
        }
    }

    /// Whether there is a file.
    fn has_begun(&self) -> bool {
        self.reader.is_some()
    }

    /// The next row whose line has its end; a line that is no row is told and passed over.
    fn next_row(&mut self) -> anyhow::Result<Option<Row>> {
        if self.reader.is_none() {
            match fs_err::File::open(&self.path) {
                Ok(file) => self.reader = Some(BufReader::new(file)),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        let Some(reader) = &mut self.reader else {
            return Ok(None);
        };
        loop {
            reader
                .read_until(b'\n', &mut self.begun)
                .context("cannot read the rows")?;
            if self.begun.last() != Some(&b'\n') {
                return Ok(None);
            }
            let row = serde_json::from_slice(&self.begun);
            self.begun.clear();
            match row {
                Ok(row) => return Ok(Some(row)),
                Err(error) => {
                    let path = self.path.display();
                    anstream::eprintln!("warning: {path}: a line is not a row: {error}");
                }
            }
        }
    }
}

/// How wide numbers have been so far, by what they are: rows that follow are not known when the first is printed.
#[derive(Default)]
struct Layout {
    widths: HashMap<String, usize>,
}

impl Layout {
    fn widen(&mut self, row: &Row) {
        for (name, number) in cells(row) {
            let width = self.widths.entry(name).or_default();
            *width = number.len().max(*width);
        }
    }

    fn line(&self, row: &Row) -> String {
        let cells = cells(row).into_iter().map(|(name, number)| {
            let width = self.widths.get(&name).copied().unwrap_or(0);
            format!("{name} {number:>width$}")
        });
        let cells: Vec<String> = cells.collect();
        cells.join("  ") + "\n"
    }
}

fn cells(row: &Row) -> Vec<(String, String)> {
    let mut cells = vec![("step".to_owned(), row.step.to_string())];
    if let Some(epoch) = row.epoch {
        cells.push(("epoch".to_owned(), epoch.to_string()));
    }
    let values = row.values.iter().map(|(name, value)| {
        let number = Fact::Number(*value).rounded();
        (name.clone(), number.to_string())
    });
    cells.extend(values);
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_name_stand_below_each_other() {
        let rows = [
            Row::new(9, Some(1)).with("loss", 12.5),
            Row::new(10, Some(1)).with("loss", 1e-5),
        ];
        let mut layout = Layout::default();
        for row in &rows {
            layout.widen(row);
        }
        let lines = rows.map(|row| layout.line(&row));
        let expected = [
            "step  9  epoch 1  loss 12.5\n",
            "step 10  epoch 1  loss 1e-5\n",
        ];
        assert_eq!(lines, expected);
    }
}
