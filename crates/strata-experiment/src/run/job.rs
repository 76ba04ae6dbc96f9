//! The work of a run whose directory exists.

use std::time::Instant;

use strata_data::Splits;
use strata_nn::{Mlp, Trainer};
use strata_track::{ConsoleSink, JobLog, Mode, Plan, RunDirectory, RunState, Tracker};

use super::checkpoint::Checkpoint;
use super::events::LoadEvents;
use super::tracking::Tracking;
use super::training::Training;
use super::{LOGGER, RunEnd, Supervision};
use crate::config::{ExperimentConfig, SweepMode};
use crate::engine;
use crate::error::{ExperimentError, write_file};
use crate::figures;
use crate::load::load_splits;

/// A run whose directory exists.
pub(super) struct Job<'a> {
    pub(super) config: &'a ExperimentConfig,
    pub(super) directory: &'a RunDirectory,
    pub(super) log: &'a JobLog,
    pub(super) supervision: &'a Supervision<'a>,
    /// Whether the log has the lines of the beginning already.
    pub(super) resumed: bool,
}

impl Job<'_> {
    /// From the data to the last figure, from the beginning or from a checkpoint.
    pub(super) fn run(&self, from: Option<Checkpoint>) -> Result<RunEnd, ExperimentError> {
        self.tell(&format!(
            "run directory {}",
            self.directory.path().display()
        ));
        self.say_what_is_not_used();
        let splits = self.load()?;
        let mut trainer = self.trainer(&splits)?;
        let samples = self.directory.figure_path("samples_epoch0.png");
        if self.config.logging.matplotlib.enabled && !samples.exists() {
            let png = figures::first_batch(self.config, &splits)?;
            write_file(&samples, &png)?;
        }
        if let Some(checkpoint) = &from {
            checkpoint.check_data(&splits)?;
            trainer.restore(&checkpoint.trainer)?;
        }
        let mut tracker = self.tracker(&splits, from.as_ref())?;
        let ended = Training::new(self, &splits, &mut trainer, &mut tracker, from)?.run();
        self.log.end_listening();
        tracker.finish(match &ended {
            Ok(RunEnd::Finished | RunEnd::Pruned) => RunState::Finished,
            Ok(RunEnd::Interrupted) | Err(ExperimentError::Interrupted) => RunState::Interrupted,
            Err(_) => RunState::Failed,
        });
        ended
    }

    /// A line of the beginning, which a log that goes on has already.
    fn tell(&self, line: &str) {
        if self.resumed {
            self.log.console().line(line);
        } else {
            self.log.info(LOGGER, line);
        }
    }

    /// Keys that are accepted for the command lines of the Python stack.
    fn say_what_is_not_used(&self) {
        let training = &self.config.training;
        if training.use_cuda || training.mixed_precision {
            self.tell("the CPU engine is used, in float32: training.use_cuda and training.mixed_precision change nothing");
        }
    }

    fn load(&self) -> Result<Splits, ExperimentError> {
        let started = Instant::now();
        let threads = engine::threads(self.config.training.threads);
        let mut events = LoadEvents {
            log: self.log,
            resumed: self.resumed,
            interrupted: self.supervision.interrupted,
            told: Instant::now(),
        };
        let loaded = load_splits(
            &self.config.data,
            self.config.training.seed,
            threads,
            &mut events,
        );
        if self.supervision.is_interrupted() {
            return Err(ExperimentError::Interrupted);
        }
        let splits = loaded?;
        self.check_fit(&splits)?;
        self.tell(&format!(
            "{}: {} training, {} validation, {} test images in {:.2} s",
            splits.source,
            splits.train.len(),
            splits.validation.len(),
            splits.test.len(),
            started.elapsed().as_secs_f64()
        ));
        self.directory
            .update(|record| record.data_fingerprint = Some(splits.fingerprint.clone()))?;
        Ok(splits)
    }

    fn check_fit(&self, splits: &Splits) -> Result<(), ExperimentError> {
        let model = &self.config.model;
        if model.num_classes != splits.class_names.len() {
            return Err(ExperimentError::Mismatch {
                what: "the data set",
                found: splits.class_names.len(),
                unit: "classes",
                key: "model.num_classes",
                expected: model.num_classes,
            });
        }
        if model.input_dim != strata_data::PIXELS {
            return Err(ExperimentError::Mismatch {
                what: "an image",
                found: strata_data::PIXELS,
                unit: "pixels",
                key: "model.input_dim",
                expected: model.input_dim,
            });
        }
        let metric = &self.config.training.sweep.metric;
        let no_metric = |reason| {
            Err(ExperimentError::NoMetric {
                metric: metric.clone(),
                reason,
            })
        };
        if metric.starts_with("validation/") && splits.validation.is_empty() {
            return no_metric(
                "there are no validation images; set `data.val_split` above 0, or take `train/loss`",
            );
        }
        if metric.starts_with("train_eval/") && !self.config.training.eval_train {
            return no_metric("`training.eval_train` is false; set `training.eval_train=true`");
        }
        Ok(())
    }

    fn trainer(&self, splits: &Splits) -> Result<Trainer, ExperimentError> {
        let network =
            engine::mlp_config(&self.config.model).expect("checked with the configuration");
        let training = engine::trainer_config(self.config).expect("checked with the configuration");
        let mlp = Mlp::new(&network, self.config.training.seed);
        self.tell(&format!(
            "network {:?}, {} parameters, {} on {} threads with {}",
            network.dims(),
            mlp.parameter_count(),
            self.config.training.optimizer.name,
            training.threads,
            training.instruction_set.name(),
        ));
        if splits.train.is_empty() {
            return Err(strata_nn::TrainError::NoSamples.into());
        }
        Ok(Trainer::new(mlp, training))
    }

    fn tracker(
        &self,
        splits: &Splits,
        from: Option<&Checkpoint>,
    ) -> Result<Tracker, ExperimentError> {
        let sweep = &self.config.training.sweep;
        let mode = match sweep.mode {
            SweepMode::Max => Mode::Max,
            SweepMode::Min => Mode::Min,
        };
        let images = splits.train.len();
        let plan = Plan {
            epochs: self.config.training.epochs as u64,
            steps_per_epoch: images.div_ceil(self.config.data.batch_size) as u64,
            images_per_epoch: images as u64,
        };
        let mut summary = self
            .directory
            .summary_sink(Some((sweep.metric.clone(), mode)));
        let mut console = ConsoleSink::new(self.log.clone(), plan);
        let metrics = match from {
            None if !self.directory.metrics_path().exists() => self.directory.metrics_sink()?,
            from => {
                let length = from.map_or(0, |checkpoint| checkpoint.progress.metrics_bytes);
                let metrics = self.directory.reopen_metrics_sink(length)?;
                for row in self.directory.rows()? {
                    let row = row?;
                    summary.replay(&row);
                    console.replay(&row);
                }
                metrics
            }
        };
        let mut tracker = Tracker::new(self.log.clone());
        tracker.add(metrics);
        tracker.add(summary);
        tracker.add(console);
        Tracking::new(self, from)?.begin(&mut tracker)?;
        Ok(tracker)
    }
}
