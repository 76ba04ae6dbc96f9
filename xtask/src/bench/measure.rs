//! Seconds of processes, by the clock and of the processor.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};

/// The kernel tells processor time in hundredths of a second, whatever its own clock ticks at.
const TICKS_PER_SECOND: f64 = 100.0;

/// Runs a command whose output only matters if it fails.
pub(crate) fn run_silently(command: &mut Command) -> anyhow::Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?} ended with {}:\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// What several runs of one command took, each the mean over calls in a row.
#[derive(Default)]
pub(crate) struct Seconds {
    wall: Vec<f64>,
    cpu: Vec<f64>,
}

impl Seconds {
    /// Runs a command `calls` times in a row; `command` makes it anew for each.
    pub(crate) fn measure(
        &mut self,
        calls: u32,
        mut command: impl FnMut() -> Command,
    ) -> anyhow::Result<()> {
        let (before, start) = (children_cpu(), Instant::now());
        for _ in 0..calls {
            run_silently(&mut command())?;
        }
        self.wall
            .push(start.elapsed().as_secs_f64() / f64::from(calls));
        if let (Some(before), Some(after)) = (before, children_cpu()) {
            self.cpu.push((after - before) / f64::from(calls));
        }
        Ok(())
    }

    /// Median and least seconds by the clock.
    pub(crate) fn wall(&self) -> (f64, f64) {
        (median(&self.wall), least(&self.wall))
    }

    /// Median and least seconds of the processor, where the system tells them.
    pub(crate) fn cpu(&self) -> Option<(f64, f64)> {
        (!self.cpu.is_empty()).then(|| (median(&self.cpu), least(&self.cpu)))
    }
}

/// Processor time of the children waited for so far, user and system; Linux alone tells it to safe code.
///
/// One number is good to a hundredth of a second, but the kernel adds up in nanoseconds: several short calls between two
/// readings are measured better than that.
fn children_cpu() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses, which may hold blanks.
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some((ticks(13)? + ticks(14)?) / TICKS_PER_SECOND)
}

/// The middle of some values, or the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    }
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}
