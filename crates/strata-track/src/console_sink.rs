//! Progress on the console: a bar in a terminal, plain lines elsewhere.

use indexmap::IndexMap;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{JobLog, Row, RunState, Sink, SinkError};

/// Between two plain lines within an epoch there are at least this many seconds.
const LINE_INTERVAL_S: f64 = 10.0;

/// The name of the sink's lines in the log.
const LOGGER: &str = "strata.progress";

/// How much work a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Epochs to train.
    pub epochs: u64,
    /// Optimiser steps of an epoch.
    pub steps_per_epoch: u64,
    /// Images of an epoch.
    pub images_per_epoch: u64,
}

/// Tells how the run goes.
///
/// * A row with `validation/…` or `test/…` values is a line in the log (file and console); an epoch
///   without one gets a line with its last `train/…` values once the next one begins.
/// * In a terminal a bar shows the last `train/loss` and `train/accuracy`, images/s and the remaining time.
/// * Elsewhere other rows are plain lines on the console, at most one in ten seconds, not in the file.
///
/// Lines of an epoch leave out what is only of one batch (`train/batch_…`), norms, the learning rate, top-5
/// accuracies, calibration errors and times. Rows must come with an epoch to be told per epoch. Speed is counted between the first row and the last.
pub struct ConsoleSink {
    log: JobLog,
    plan: Plan,
    bar: Option<ProgressBar>,
    begin: Option<(u64, f64)>,
    last_line_s: f64,
    epoch: Option<u64>,
    epoch_told: bool,
    train: IndexMap<String, f64>,
    /// Whether rows are only taken in.
    silent: bool,
}

impl ConsoleSink {
    /// A sink that prints through `log` and on its console.
    pub fn new(log: JobLog, plan: Plan) -> Self {
        let bar = log.console().is_terminal().then(|| {
            let steps = plan.epochs.saturating_mul(plan.steps_per_epoch);
            let style =
                ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} steps, {eta} left")
                    .unwrap_or_else(|_| ProgressStyle::default_bar());
            log.console()
                .add_bar(ProgressBar::new(steps).with_style(style))
        });
        Self {
            log,
            plan,
            bar,
            begin: None,
            last_line_s: f64::NEG_INFINITY,
            epoch: None,
            epoch_told: true,
            train: IndexMap::new(),
            silent: false,
        }
    }

    /// Takes in a row that was logged before the run was interrupted, and was told then.
    pub fn replay(&mut self, row: &Row) {
        self.silent = true;
        self.take(row);
        self.silent = false;
    }

    fn take(&mut self, row: &Row) {
        self.turn_to(row.epoch);
        let is_train = |name: &String| name.starts_with("train/");
        self.train.extend(
            row.values
                .iter()
                .filter(|(name, _)| is_train(name))
                .map(|(name, value)| (name.clone(), *value)),
        );
        let evaluated =
            |name: &String| name.starts_with("validation/") || name.starts_with("test/");
        if row.values.keys().any(evaluated) {
            self.tell_evaluation(row);
        } else if !self.silent {
            self.tell_progress(row);
        }
    }

    /// A line of the log.
    fn tell(&self, line: &str) {
        if !self.silent {
            self.log.info(LOGGER, line);
        }
    }

    fn turn_to(&mut self, epoch: Option<u64>) {
        if epoch.is_none() || epoch == self.epoch {
            return;
        }
        self.tell_epoch();
        self.epoch = epoch;
        self.epoch_told = false;
        self.train.clear();
    }

    /// The line of an epoch that was not evaluated.
    fn tell_epoch(&mut self) {
        if self.epoch_told || self.train.is_empty() {
            return;
        }
        self.epoch_told = true;
        let headlines = self.train.iter().filter(|(name, _)| is_headline(name));
        let line = format!("{}{}", self.heading(self.epoch), listed(headlines));
        self.tell(&line);
    }

    fn heading(&self, epoch: Option<u64>) -> String {
        epoch.map_or_else(String::new, |epoch| {
            format!("epoch {epoch}/{}: ", self.plan.epochs)
        })
    }

    fn tell_evaluation(&mut self, row: &Row) {
        let validated = row
            .values
            .keys()
            .any(|name| name.starts_with("validation/"));
        let mut values = IndexMap::new();
        if !validated {
            self.tell_epoch();
        } else if !self.epoch_told {
            values.extend(self.train.iter());
            self.epoch_told = true;
        }
        values.extend(&row.values);
        values.retain(|name, _| is_headline(name));
        let line = format!("{}{}", self.heading(row.epoch), listed(values));
        self.tell(&line);
    }

    fn tell_progress(&mut self, row: &Row) {
        let speed = self.images_per_s(row);
        if let Some(bar) = &self.bar {
            bar.set_position(row.step);
            let shown = [
                ["train/batch_loss", "train/loss"],
                ["train/batch_accuracy", "train/accuracy"],
            ]
            .into_iter()
            .filter_map(|names| {
                names
                    .iter()
                    .find_map(|name| self.train.get_key_value(*name))
            });
            let speed = speed.map_or_else(String::new, |speed| format!("  {speed:.0} images/s"));
            bar.set_message(format!("{}{speed}", listed(shown)));
            return;
        }
        if row.time_s - self.last_line_s >= LINE_INTERVAL_S {
            self.last_line_s = row.time_s;
            self.log.console().line(&self.plain_line(row, speed));
        }
    }

    fn plain_line(&self, row: &Row, speed: Option<f64>) -> String {
        let steps = self.plan.epochs.saturating_mul(self.plan.steps_per_epoch);
        let line = format!(
            "{}step {}/{steps}, {}",
            self.heading(row.epoch),
            row.step,
            listed(&row.values)
        );
        let Some(speed) = speed else { return line };
        let images_per_step =
            self.plan.images_per_epoch as f64 / self.plan.steps_per_epoch.max(1) as f64;
        let left_s = steps.saturating_sub(row.step) as f64 * images_per_step / speed;
        format!("{line}, {speed:.0} images/s, {} left", clock(left_s))
    }

    fn images_per_s(&mut self, row: &Row) -> Option<f64> {
        let &mut (step, time_s) = self.begin.get_or_insert((row.step, row.time_s));
        let elapsed_s = row.time_s - time_s;
        let steps = row.step.saturating_sub(step);
        let images = steps as f64 * self.plan.images_per_epoch as f64
            / self.plan.steps_per_epoch.max(1) as f64;
        (elapsed_s > 0.0 && images > 0.0).then(|| images / elapsed_s)
    }
}

impl Sink for ConsoleSink {
    fn name(&self) -> &'static str {
        "console"
    }

    fn log(&mut self, row: &Row) -> Result<(), SinkError> {
        self.take(row);
        Ok(())
    }

    fn finish(&mut self, _state: RunState) -> Result<(), SinkError> {
        self.tell_epoch();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        Ok(())
    }
}

/// Whether a value is worth a place in the line of an epoch.
fn is_headline(name: &str) -> bool {
    const DETAILS: [&str; 7] = [
        "train/batch_",
        "train/grad_norm",
        "train/lr",
        "gradients/",
        "weights/",
        "generalization_gap/",
        "time/",
    ];
    let of_an_evaluation = name.ends_with("/top5_accuracy") || name.ends_with("/calibration_error");
    !of_an_evaluation && !DETAILS.iter().any(|start| name.starts_with(start))
}

/// `name value, name value`, with four significant digits or so: the exact ones are in `metrics.jsonl`.
fn listed<'a>(values: impl IntoIterator<Item = (&'a String, &'a f64)>) -> String {
    let parts: Vec<String> = values
        .into_iter()
        .map(|(name, &value)| {
            if value == 0.0 || (1e-3..1e6).contains(&value.abs()) {
                format!("{name} {value:.4}")
            } else {
                format!("{name} {value:.3e}")
            }
        })
        .collect();
    parts.join(", ")
}

/// Seconds as `1:02:03` or `2:03`.
fn clock(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_on_a_clock() {
        assert_eq!(clock(59.6), "1:00");
        assert_eq!(clock(3723.0), "1:02:03");
    }

    #[test]
    fn values_are_short() {
        let row = Row::new(0, None)
            .with("a", 0.123_456)
            .with("lr", 1e-5)
            .with("n", f64::NAN);
        assert_eq!(listed(&row.values), "a 0.1235, lr 1.000e-5, n NaN");
    }
}
