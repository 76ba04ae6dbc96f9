//! The loop over epochs: train, evaluate, keep the best, write checkpoints, stop in time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Instant;

use serde_json::json;
use strata_data::transforms::Augmenter;
use strata_data::{Normalizer, Splits};
use strata_nn::{
    EpochReport, Evaluation, SchedulerConfig, StepReport, TensorHistogram, Trainer, Watch,
};
use strata_track::{Event, Row, Tracker};

use super::best::{Best, is_better};
use super::checkpoint::{self, Checkpoint, RunProgress};
use super::job::Job;
use super::{LOGGER, Report, RunEnd, rows, tracking};
use crate::artifact::EVALUATION;
use crate::config::{CheckpointInterval, SweepMode};
use crate::error::{ExperimentError, write_file};
use crate::evaluate::EvaluatedPart;
use crate::samples::{Augmentation, Images};
use crate::standing::evaluations;

/// The training of a run.
pub(super) struct Training<'a> {
    job: &'a Job<'a>,
    splits: &'a Splits,
    normalizer: Normalizer,
    augmenter: Option<Augmenter>,
    trainer: &'a mut Trainer,
    tracker: &'a mut Tracker,
    best: Best<'a>,
    epochs_done: usize,
    stopped_early: bool,
    without_improvement: u64,
    improved_to: Option<f64>,
    interval: CheckpointInterval,
    /// When the last checkpoint was written, and after which step.
    written: (Instant, u64),
}

impl<'a> Training<'a> {
    pub(super) fn new(
        job: &'a Job<'a>,
        splits: &'a Splits,
        trainer: &'a mut Trainer,
        tracker: &'a mut Tracker,
        from: Option<Checkpoint>,
    ) -> Result<Self, ExperimentError> {
        let config = job.config;
        let normalization = &config.data.normalization;
        let interval = config.training.checkpoint.interval();
        let augmenter = config.data.augmentations.augmenter();
        let mut training = Self {
            normalizer: Normalizer::new(normalization.mean, normalization.std),
            augmenter: augmenter.expect("checked with the configuration"),
            best: Best::new(job, splits),
            epochs_done: 0,
            stopped_early: false,
            without_improvement: 0,
            improved_to: None,
            interval: interval.expect("checked with the configuration"),
            written: (Instant::now(), trainer.steps()),
            job,
            splits,
            trainer,
            tracker,
        };
        if let Some(Checkpoint { progress, best, .. }) = from {
            training.epochs_done = progress.epochs_done;
            training.stopped_early = progress.stopped_early;
            training.without_improvement = progress.without_improvement;
            training.improved_to = progress.improved_to;
            if let Some(record) = progress.best {
                training.best.restore(record, &best, training.trainer)?;
            }
        }
        Ok(training)
    }

    /// All epochs that are left, and the test set.
    pub(super) fn run(mut self) -> Result<RunEnd, ExperimentError> {
        let training = &self.job.config.training;
        if self.is_given_up()? {
            self.tell_best();
            return Ok(RunEnd::Pruned);
        }
        while self.epochs_done < training.epochs && !self.stopped_early {
            let epoch = self.epochs_done + 1;
            let report = self.train(epoch)?;
            if !report.completed {
                self.checkpoint()?;
                let names = self.trainer.mlp().weight_names();
                self.tracker.log(&rows::of_epoch(
                    self.trainer.steps(),
                    epoch,
                    &report,
                    &names,
                ));
                self.best
                    .offer_unevaluated(self.trainer.mlp(), epoch as u64)?;
                return Ok(RunEnd::Interrupted);
            }
            let going = self.conclude_epoch(epoch, &report)?;
            let over = self.epochs_done == training.epochs || self.stopped_early;
            let stopped = self.is_interrupted() && !over;
            let pruned = going.is_break() && !over;
            if stopped || pruned || self.is_due_after_epoch(over) {
                self.checkpoint()?;
            }
            if pruned {
                self.tell_best();
                return Ok(RunEnd::Pruned);
            }
            if stopped {
                self.best
                    .offer_unevaluated(self.trainer.mlp(), epoch as u64)?;
                return Ok(RunEnd::Interrupted);
            }
        }
        self.test()?;
        self.tell_best();
        Ok(RunEnd::Finished)
    }

    /// Asks once more about the epoch after which the checkpoint was written: the process may have been killed between
    /// the two.
    fn is_given_up(&self) -> Result<bool, ExperimentError> {
        let training = &self.job.config.training;
        if self.epochs_done == 0 || self.epochs_done == training.epochs || self.stopped_early {
            return Ok(false);
        }
        let metric = &training.sweep.metric;
        let evaluated = evaluations(self.job.directory, metric)?;
        let last = evaluated
            .last()
            .filter(|(epoch, _)| *epoch == self.epochs_done as u64);
        Ok(last.is_some_and(|(_, value)| self.hears(self.epochs_done, *value).is_break()))
    }

    fn hears(&self, epoch: usize, value: f64) -> ControlFlow<()> {
        self.job.supervision.hears(&Report {
            epoch,
            epochs: self.job.config.training.epochs,
            value,
        })
    }

    /// One epoch, or the part of it before the user stopped it.
    fn train(&mut self, epoch: usize) -> Result<EpochReport, ExperimentError> {
        loop {
            let samples = Images {
                subset: &self.splits.train,
                normalizer: &self.normalizer,
                augmentation: self.augmenter.as_ref().map(|augmenter| Augmentation {
                    augmenter,
                    seed: self.job.config.training.seed,
                }),
            };
            let (written, interval) = (self.written, self.interval);
            let is_due = |step: u64| match interval {
                CheckpointInterval::Steps(steps) => step - written.1 >= steps,
                CheckpointInterval::Minutes(m) => written.0.elapsed().as_secs_f64() >= 60.0 * m,
                CheckpointInterval::Epochs(_) | CheckpointInterval::Never => false,
            };
            let (tracker, job) = (RefCell::new(&mut *self.tracker), self.job);
            let log_interval = job.config.training.log_interval;
            let mut on_step = |report: &StepReport| {
                if report.step.is_multiple_of(log_interval) {
                    tracker.borrow_mut().log(&rows::of_step(report));
                }
                if job.supervision.is_interrupted() || is_due(report.step) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            let mut told = |step: u64, histograms: Vec<TensorHistogram>| {
                let event = tracking::histograms(step, histograms);
                tracker.borrow_mut().take(&event);
            };
            let watch = tracking::watched(job.config).map(|watched| Watch {
                told: &mut told,
                every: watched.every,
                gradients: watched.gradients,
                parameters: watched.parameters,
            });
            let report = self
                .trainer
                .train_epoch_watched(&samples, epoch, &mut on_step, watch)?;
            if report.completed || self.is_interrupted() {
                return Ok(report);
            }
            self.checkpoint()?;
        }
    }

    /// Evaluation and the epoch's row, and whether to go on.
    fn conclude_epoch(
        &mut self,
        epoch: usize,
        report: &EpochReport,
    ) -> Result<ControlFlow<()>, ExperimentError> {
        let training = &self.job.config.training;
        let names = self.trainer.mlp().weight_names();
        let mut row = rows::of_epoch(self.trainer.steps(), epoch, report, &names);
        let evaluated = epoch.is_multiple_of(training.eval_interval) || epoch == training.epochs;
        if evaluated {
            row = self.evaluated(row);
        }
        self.tracker.log(&row);
        self.tell_scheduler(&row);
        if evaluated {
            self.best.offer(self.trainer.mlp(), epoch as u64, &row)?;
            self.mind_improvement(epoch, &row);
        }
        self.epochs_done = epoch;
        if !evaluated {
            return Ok(ControlFlow::Continue(()));
        }
        let value = row.values.get(&training.sweep.metric).copied();
        Ok(self.hears(epoch, value.unwrap_or(f64::NAN)))
    }

    fn evaluated(&mut self, row: Row) -> Row {
        let started = Instant::now();
        let mut row = row;
        let validation =
            (!self.splits.validation.is_empty()).then(|| self.evaluate(&self.splits.validation));
        if let Some(validation) = &validation {
            row = rows::with_evaluation(row, "validation", validation);
        }
        if self.job.config.training.eval_train {
            let train = self.evaluate(&self.splits.train);
            row = rows::with_evaluation(row, "train_eval", &train);
            if let Some(validation) = &validation {
                row = rows::with_gap(row, &train, validation);
            }
        }
        row.with("time/evaluation_s", started.elapsed().as_secs_f64())
    }

    fn evaluate(&mut self, subset: &strata_data::Subset) -> Evaluation {
        self.trainer.evaluate(&Images {
            subset,
            normalizer: &self.normalizer,
            augmentation: None,
        })
    }

    /// `ReduceLROnPlateau` watches the validation set, the loss or, with `mode: max`, the accuracy; the
    /// training set where there is no validation.
    fn tell_scheduler(&mut self, row: &Row) {
        let Some(SchedulerConfig::ReduceLROnPlateau(plateau)) = &self.trainer.config().scheduler
        else {
            return;
        };
        if self.job.config.training.scheduler_steps_by_step() {
            return;
        }
        let figure = if plateau.maximize { "accuracy" } else { "loss" };
        let found = ["validation", "train"]
            .iter()
            .find_map(|part| row.values.get(&format!("{part}/{figure}")).copied());
        // Epochs without evaluation say nothing about the validation set.
        let unevaluated = !self.splits.validation.is_empty()
            && !row.values.contains_key(&format!("validation/{figure}"));
        if let (Some(value), false) = (found, unevaluated) {
            self.trainer.observe(value);
        }
    }

    fn mind_improvement(&mut self, epoch: usize, row: &Row) {
        let training = &self.job.config.training;
        let Some(patience) = training.early_stopping.patience else {
            return;
        };
        let metric = &training.sweep.metric;
        let value = row.values.get(metric).copied().unwrap_or(f64::NAN);
        let least = training.early_stopping.min_delta;
        let improved = match (self.improved_to, training.sweep.mode) {
            (None, _) => !value.is_nan(),
            (Some(best), SweepMode::Max) => is_better(SweepMode::Max, value, best + least),
            (Some(best), SweepMode::Min) => is_better(SweepMode::Min, value, best - least),
        };
        if improved {
            self.improved_to = Some(value);
            self.without_improvement = 0;
            return;
        }
        self.without_improvement += 1;
        if self.without_improvement >= patience && epoch < training.epochs {
            self.stopped_early = true;
            let told = format!(
                "stopped early after epoch {epoch}: {} evaluations without a better {metric}",
                self.without_improvement
            );
            self.job.log.info(LOGGER, &told);
        }
    }

    fn is_interrupted(&self) -> bool {
        self.job.supervision.is_interrupted()
    }

    fn is_due_after_epoch(&self, over: bool) -> bool {
        match self.interval {
            CheckpointInterval::Epochs(epochs) => over || self.epochs_done.is_multiple_of(epochs),
            CheckpointInterval::Steps(steps) => {
                over || self.trainer.steps() - self.written.1 >= steps
            }
            CheckpointInterval::Minutes(minutes) => {
                over || self.written.0.elapsed().as_secs_f64() >= 60.0 * minutes
            }
            CheckpointInterval::Never => false,
        }
    }

    fn checkpoint(&mut self) -> Result<(), ExperimentError> {
        let state = self.trainer.state();
        let metrics = self.job.directory.metrics_path();
        let length = std::fs::File::open(&metrics).and_then(|file| {
            // What the checkpoint counts on must be on disk before it is.
            file.sync_all()?;
            file.metadata()
        });
        let metrics_bytes = length.map_or(0, |file| file.len());
        let best = self.best.found();
        let progress = RunProgress {
            epochs_done: self.epochs_done,
            stopped_early: self.stopped_early,
            without_improvement: self.without_improvement,
            improved_to: self.improved_to,
            best: best.map(|(record, _)| record.clone()),
            metrics_bytes,
            log_bytes: self.job.log.length(),
            data_fingerprint: self.splits.training_fingerprint.clone(),
            trainer: state.progress,
        };
        let best = best.map(|(_, mlp)| mlp.parameters()).unwrap_or_default();
        checkpoint::write(self.job.directory, &progress, &state.tensors, &best)?;
        self.written = (Instant::now(), self.trainer.steps());
        Ok(())
    }

    /// The best model for those who look at many runs.
    fn tell_best(&mut self) {
        let Some((record, _)) = self.best.found() else {
            return;
        };
        let config = self.job.config;
        let metric = &config.training.sweep.metric;
        self.tracker
            .take(&tracking::best_summary(metric, record.value, record.epoch));
        if config.logging.wandb.log_model {
            let artifact = tracking::best_model(self.job, record.value, record.epoch);
            self.tracker.take(&Event::Artifact(artifact));
        }
    }

    /// The best model's figures, in full for each class, and on the test set.
    fn test(&mut self) -> Result<(), ExperimentError> {
        if !self.job.config.training.eval_test || self.splits.test.is_empty() {
            return Ok(());
        }
        let config = self.trainer.config().clone();
        let mut tester = Trainer::new(self.best.mlp(self.trainer), config);
        let mut parts = BTreeMap::new();
        let mut row = Row::new(self.trainer.steps(), None);
        for (name, subset) in [
            ("validation", &self.splits.validation),
            ("test", &self.splits.test),
        ] {
            if subset.is_empty() {
                continue;
            }
            let evaluation = tester.evaluate(&Images {
                subset,
                normalizer: &self.normalizer,
                augmentation: None,
            });
            if name == "test" {
                row = rows::with_evaluation(row, name, &evaluation);
            }
            parts.insert(name, EvaluatedPart::new(evaluation));
        }
        self.tracker.log(&row);
        let found = self.best.found();
        let text = json!({
            "epoch": found.map(|(record, _)| record.epoch),
            "class_names": self.splits.class_names,
            "parts": parts,
        });
        let text = serde_json::to_string(&text).expect("plain data") + "\n";
        write_file(
            &self.job.directory.artifact_path(EVALUATION),
            text.as_bytes(),
        )
    }
}
