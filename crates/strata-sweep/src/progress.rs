//! What a sweep says while it runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use strata_experiment::Report;
use strata_study::{Direction, Trial, TrialState, best_of};

use crate::results::params_in_words;

/// A line as Hydra's own logger writes it.
pub(crate) fn say(message: &str) {
    // Nobody reads a line that cannot be printed.
    let _ = std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!("{}\n", strata_track::hydra_line(message)),
    );
}

/// In a terminal a bar for each running trial and one for all of them; elsewhere a line when a trial ends.
pub(crate) struct Progress {
    bars: MultiProgress,
    is_terminal: bool,
    metric: String,
    n_trials: u64,
    began: Instant,
    /// Trials that ended here, for the time that is left.
    ended: Mutex<u64>,
    of_workers: Vec<ProgressBar>,
    overall: ProgressBar,
}

impl Progress {
    pub(crate) fn new(n_trials: u64, workers: usize, metric: &str) -> Self {
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        let target = if is_terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bars = MultiProgress::with_draw_target(target);
        let style =
            |template: &str| ProgressStyle::with_template(template).expect("the template is right");
        let of_workers = (0..workers).map(|_| {
            let bar = bars.add(ProgressBar::new(0));
            bar.set_style(style("{prefix} {bar:20} epoch {pos}/{len} {msg}"));
            bar
        });
        let of_workers = of_workers.collect();
        let overall = bars.add(ProgressBar::new(n_trials));
        overall.set_style(style("{bar:30} {pos}/{len} trials {msg}"));
        Self {
            bars,
            is_terminal,
            metric: metric.to_owned(),
            n_trials,
            began: Instant::now(),
            ended: Mutex::new(0),
            of_workers,
            overall,
        }
    }

    fn line(&self, text: &str) {
        if self.is_terminal {
            // As above.
            let _ = self.bars.println(strata_track::hydra_line(text));
        } else {
            say(text);
        }
    }

    pub(crate) fn begin(&self, worker: usize, number: usize, overrides: &[String]) {
        self.line(&format!("\t#{number} : {}", overrides.join(" ")));
        let bar = &self.of_workers[worker];
        bar.reset();
        bar.set_prefix(format!("trial {number:>3}"));
        bar.set_message("");
    }

    pub(crate) fn report(&self, worker: usize, report: &Report) {
        let bar = &self.of_workers[worker];
        bar.set_length(report.epochs as u64);
        bar.set_position(report.epoch as u64);
        bar.set_message(format!("{} {:.4}", self.metric, report.value));
    }

    pub(crate) fn failed(&self, number: u64, problem: &str) {
        self.line(&format!("trial {number} failed: {problem}"));
    }

    /// Tells how a trial ended, the best so far, and the time that is left.
    pub(crate) fn ended(&self, trials: &[Arc<Trial>], number: u64, direction: Direction) {
        let finished = trials
            .iter()
            .filter(|trial| trial.state.is_finished())
            .count();
        let mut here = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        *here += 1;
        let left = self.n_trials.saturating_sub(finished as u64);
        let each = self.began.elapsed().as_secs_f64() / *here as f64;
        let left = Duration::from_secs_f64(each * left as f64);
        let best = best_of(trials, direction);
        let best = best.map_or_else(
            || "none is complete yet".to_owned(),
            |best| {
                format!(
                    "best {} in trial {}: {}",
                    best.values[0],
                    best.number,
                    params_in_words(&best)
                )
            },
        );
        let trial = trials.iter().find(|trial| trial.number == number);
        let how = match trial.map(|trial| (trial.state, trial.values.first())) {
            Some((TrialState::Complete, Some(value))) => format!("{} = {value}", self.metric),
            Some((TrialState::Pruned, _)) => "pruned".to_owned(),
            _ => "failed".to_owned(),
        };
        self.line(&format!(
            "trial {number} ended, {how}; {best}; {} left",
            in_words(left)
        ));
        self.overall.set_position(finished as u64);
        self.overall
            .set_message(format!("{best}; {} left", in_words(left)));
    }

    pub(crate) fn clear(&self) {
        // As above.
        let _ = self.bars.clear();
    }
}

/// `2 h 5 min`, `3 min 10 s`, `12 s`.
fn in_words(time: Duration) -> String {
    let s = time.as_secs();
    match (s / 3600, s / 60 % 60, s % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, min, s) => format!("{min} min {s} s"),
        (h, min, _) => format!("{h} h {min} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_two_units_at_most() {
        let words = |s| in_words(Duration::from_secs(s));
        assert_eq!(
            [words(12), words(190), words(7500)],
            ["12 s", "3 min 10 s", "2 h 5 min"]
        );
    }
}
