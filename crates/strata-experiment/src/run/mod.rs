//! A run from its directory to its last figure.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::json;
use strata_config::{Composition, Value};
use strata_data::{Events, Normalizer, Splits};
use strata_nn::{EpochReport, Evaluation, Mlp, StepReport, Trainer};
use strata_track::{
    ConsoleSink, JobLog, Mode, Plan, Row, RunDirectory, RunRecord, RunState, Tracker,
};

use crate::artifact::{self, BEST_MODEL, ModelCard};
use crate::config::{ExperimentConfig, SweepMode, WandbMode};
use crate::engine;
use crate::error::{ExperimentError, write_file};
use crate::figures;
use crate::job_log;
use crate::load::load_splits;
use crate::samples::Images;

/// What a run is started with.
pub struct Launch {
    /// The composed configuration, for `.hydra/`.
    pub composition: Composition,
    /// The same, typed and checked.
    pub config: ExperimentConfig,
    /// Where the tree came from, for `run.json`.
    pub config_source: String,
}

/// How a run ended in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// All epochs are done.
    Finished,
    /// The user stopped it.
    Interrupted,
}

/// How a run failed.
#[derive(Debug)]
pub enum RunFailure {
    /// There was no log yet to say it in, or none that anybody sees.
    BeforeTheLog(ExperimentError),
    /// The log, and with it the console, says why.
    Logged,
}

const LOGGER: &str = "strata.train";

/// Trains from a configuration and leaves a run directory, whatever happens.
///
/// `interrupted` is read after each batch; once it is true the run ends in order.
///
/// # Errors
/// The directory cannot be made, the data cannot be had, or training cannot go on. Once there is a
/// directory the reason stands in its `run.json` and its log.
pub fn run(launch: Launch, interrupted: &AtomicBool) -> Result<RunEnd, RunFailure> {
    let cwd = std::env::current_dir();
    let ended = run_in_its_folder(launch, interrupted);
    // `hydra.job.chdir` may have led away; whoever called goes on where they were.
    if let Ok(cwd) = cwd {
        std::env::set_current_dir(&cwd)
            .map_err(|source| ExperimentError::ChangeDirectory { path: cwd, source })
            .map_err(RunFailure::BeforeTheLog)?;
    }
    ended
}

fn run_in_its_folder(mut launch: Launch, interrupted: &AtomicBool) -> Result<RunEnd, RunFailure> {
    let directory = make_directory(&mut launch).map_err(RunFailure::BeforeTheLog)?;
    let log = job_log::open(&launch.composition).map_err(|error| {
        // The run ends here; if its record cannot be written either, the log's error is the first.
        let _ = directory.finish(RunState::Failed, Some(&error.to_string()));
        RunFailure::BeforeTheLog(error)
    })?;
    log.info(
        LOGGER,
        &format!("run directory {}", directory.path().display()),
    );
    let job = Job {
        config: &launch.config,
        directory: &directory,
        log: &log,
        interrupted,
    };
    let ended = match job.run() {
        Err(ExperimentError::Interrupted) => Ok(RunEnd::Interrupted),
        ended => ended,
    };
    let (state, error) = match &ended {
        Ok(RunEnd::Finished) => (RunState::Finished, None),
        Ok(RunEnd::Interrupted) => (RunState::Interrupted, None),
        Err(error) => (RunState::Failed, Some(error.to_string())),
    };
    if let Err(error) = directory.finish(state, error.as_deref()) {
        log.error(LOGGER, &error.to_string());
        return Err(RunFailure::Logged);
    }
    let folder = directory.path().display();
    match &ended {
        Ok(RunEnd::Finished) => log.info(LOGGER, &format!("finished: {folder}")),
        Ok(RunEnd::Interrupted) => log.warning(
            LOGGER,
            &format!("interrupted; what there is is in {folder}"),
        ),
        Err(error) => log.error(LOGGER, &error.to_string()),
    }
    ended.map_err(|error| {
        if log.console().is_silent() {
            RunFailure::BeforeTheLog(error)
        } else {
            RunFailure::Logged
        }
    })
}

/// The run directory with `run.json` and `.hydra/`.
fn make_directory(launch: &mut Launch) -> Result<RunDirectory, ExperimentError> {
    let cwd = std::env::current_dir().unwrap_or_default();
    let chdir = launch.composition.select("hydra.job.chdir")?;
    let chdir = chdir.is_some_and(|node| node.value == Value::Bool(true));
    let wanted = launch.composition.run_dir()?;
    // From within the directory its relative path would lead elsewhere.
    let wanted = if chdir { cwd.join(wanted) } else { wanted };
    let mut record = RunRecord::begin(env!("CARGO_PKG_VERSION"));
    record.seed = Some(launch.config.training.seed);
    record.config_source = Some(launch.config_source.clone());
    record.threads = Some(engine::threads(launch.config.training.threads) as u64);
    record.other.insert("cwd".to_owned(), json!(cwd));
    let directory = if launch.composition.run_dir_is_of_its_time()? {
        RunDirectory::create_unique(&wanted, &record)?
    } else {
        RunDirectory::create(&wanted, &record)?
    };
    launch
        .composition
        .set_output_dir(&cwd.join(directory.path()));
    // Once more, since some values name the directory that exists only now.
    launch.config = ExperimentConfig::from_composition(&launch.composition)?;
    directory.update(|record| {
        record
            .other
            .insert("config".to_owned(), json!(launch.config));
    })?;
    if let Some(subdir) = launch.composition.output_subdir()? {
        for (name, text) in launch.composition.hydra_files()? {
            write_file(&directory.path().join(&subdir).join(name), text.as_bytes())?;
        }
    }
    if chdir {
        std::env::set_current_dir(directory.path()).map_err(|source| {
            ExperimentError::ChangeDirectory {
                path: directory.path().to_owned(),
                source,
            }
        })?;
    }
    Ok(directory)
}

/// A run whose directory exists.
struct Job<'a> {
    config: &'a ExperimentConfig,
    directory: &'a RunDirectory,
    log: &'a JobLog,
    interrupted: &'a AtomicBool,
}

impl Job<'_> {
    fn run(&self) -> Result<RunEnd, ExperimentError> {
        self.say_what_is_not_used();
        let splits = self.load()?;
        let mut trainer = self.trainer(&splits)?;
        if self.config.logging.matplotlib.enabled {
            let png = figures::first_batch(self.config, &splits)?;
            write_file(&self.directory.figure_path("samples_epoch0.png"), &png)?;
        }
        let mut tracker = self.tracker(&splits)?;
        let ended = self.train(&splits, &mut trainer, &mut tracker);
        tracker.finish(match &ended {
            Ok(RunEnd::Finished) => RunState::Finished,
            Ok(RunEnd::Interrupted) | Err(ExperimentError::Interrupted) => RunState::Interrupted,
            Err(_) => RunState::Failed,
        });
        ended
    }

    /// Keys that are accepted for the command lines of the Python stack.
    fn say_what_is_not_used(&self) {
        let training = &self.config.training;
        if training.use_cuda || training.mixed_precision {
            self.log.info(LOGGER, "the CPU engine is used, in float32: training.use_cuda and training.mixed_precision change nothing");
        }
        let wandb = &self.config.logging.wandb;
        if wandb.enabled && wandb.mode != WandbMode::Disabled {
            self.log.info(
                LOGGER,
                "nothing is sent to W&B: the run is kept in its directory",
            );
        }
    }

    fn load(&self) -> Result<Splits, ExperimentError> {
        let started = Instant::now();
        let threads = engine::threads(self.config.training.threads);
        let mut events = LoadEvents {
            log: self.log,
            interrupted: self.interrupted,
            told: Instant::now(),
        };
        let loaded = load_splits(
            &self.config.data,
            self.config.training.seed,
            threads,
            &mut events,
        );
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(ExperimentError::Interrupted);
        }
        let splits = loaded?;
        self.check_fit(&splits)?;
        self.log.info(
            LOGGER,
            &format!(
                "{}: {} training, {} validation, {} test images in {:.2} s",
                splits.source,
                splits.train.len(),
                splits.validation.len(),
                splits.test.len(),
                started.elapsed().as_secs_f64()
            ),
        );
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
        self.log.info(
            LOGGER,
            &format!(
                "network {:?}, {} parameters, {} on {} threads with {}",
                network.dims(),
                mlp.parameter_count(),
                self.config.training.optimizer.name,
                training.threads,
                training.instruction_set.name(),
            ),
        );
        if splits.train.is_empty() {
            return Err(strata_nn::TrainError::NoSamples.into());
        }
        Ok(Trainer::new(mlp, training))
    }

    fn tracker(&self, splits: &Splits) -> Result<Tracker, ExperimentError> {
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
        let mut tracker = Tracker::new(self.log.clone());
        tracker.add(self.directory.metrics_sink()?);
        tracker.add(
            self.directory
                .summary_sink(Some((sweep.metric.clone(), mode))),
        );
        tracker.add(ConsoleSink::new(self.log.clone(), plan));
        Ok(tracker)
    }

    fn train(
        &self,
        splits: &Splits,
        trainer: &mut Trainer,
        tracker: &mut Tracker,
    ) -> Result<RunEnd, ExperimentError> {
        let normalization = &self.config.data.normalization;
        let normalizer = Normalizer::new(normalization.mean, normalization.std);
        let images = |subset| Images {
            subset,
            normalizer: &normalizer,
        };
        let (train, validation) = (images(&splits.train), images(&splits.validation));
        let training = &self.config.training;
        let mut best = Best::new(self, splits);
        let mut step = 0;
        for epoch in 1..=training.epochs {
            let report = trainer.train_epoch(&train, epoch, &mut |report| {
                step = report.step;
                self.log_step(tracker, report);
                if self.interrupted.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
            let evaluated = report.completed
                && (epoch % training.eval_interval == 0 || epoch == training.epochs);
            let mut row = epoch_row(step, epoch, &report);
            if evaluated {
                let started = Instant::now();
                if !splits.validation.is_empty() {
                    row = with_evaluation(row, "validation", trainer.evaluate(&validation));
                }
                if training.eval_train {
                    row = with_evaluation(row, "train_eval", trainer.evaluate(&train));
                }
                row = row.with("time/evaluation_s", started.elapsed().as_secs_f64());
            }
            tracker.log(&row);
            if evaluated {
                best.offer(trainer.mlp(), epoch as u64, &row)?;
            }
            if !report.completed
                || (self.interrupted.load(Ordering::Relaxed) && epoch < training.epochs)
            {
                best.offer_unevaluated(trainer.mlp(), epoch as u64)?;
                return Ok(RunEnd::Interrupted);
            }
        }
        if training.eval_test && !splits.test.is_empty() {
            tracker.log(&tested(
                splits,
                &normalizer,
                best.mlp(trainer),
                trainer,
                step,
            ));
        }
        Ok(RunEnd::Finished)
    }

    fn log_step(&self, tracker: &mut Tracker, report: &StepReport) {
        if !report
            .step
            .is_multiple_of(self.config.training.log_interval)
        {
            return;
        }
        tracker.log(
            &Row::new(report.step, Some(report.epoch as u64))
                .with("train/batch_loss", report.loss)
                .with(
                    "train/batch_accuracy",
                    report.correct as f64 / report.batch_size as f64,
                )
                .with("train/grad_norm", report.grad_norm)
                .with("train/lr", report.lr),
        );
    }
}

/// The best model's figures on the test set.
fn tested(splits: &Splits, normalizer: &Normalizer, mlp: Mlp, trainer: &Trainer, step: u64) -> Row {
    let mut tester = Trainer::new(mlp, trainer.config().clone());
    let evaluation = tester.evaluate(&Images {
        subset: &splits.test,
        normalizer,
    });
    with_evaluation(Row::new(step, None), "test", evaluation)
}

fn epoch_row(step: u64, epoch: usize, report: &EpochReport) -> Row {
    Row::new(step, Some(epoch as u64))
        .with("train/loss", report.loss)
        .with("train/accuracy", report.accuracy)
        .with("train/lr", report.lr)
        .with("time/train_s", report.seconds)
        .with("time/images_per_s", report.images as f64 / report.seconds)
}

fn with_evaluation(row: Row, of: &str, evaluation: Evaluation) -> Row {
    row.with(format!("{of}/loss"), evaluation.loss)
        .with(format!("{of}/accuracy"), evaluation.accuracy)
}

/// The best model so far, kept on disk whenever there is a better one.
struct Best<'a> {
    job: &'a Job<'a>,
    splits: &'a Splits,
    value: Option<f64>,
    parameters: Option<Mlp>,
}

impl<'a> Best<'a> {
    fn new(job: &'a Job<'a>, splits: &'a Splits) -> Self {
        Self {
            job,
            splits,
            value: None,
            parameters: None,
        }
    }

    /// Keeps the model if the sweep's metric is better than before; of equal ones the first.
    fn offer(&mut self, mlp: &Mlp, epoch: u64, row: &Row) -> Result<(), ExperimentError> {
        let sweep = &self.job.config.training.sweep;
        let value = row.values.get(&sweep.metric).copied().unwrap_or(f64::NAN);
        let better = match (self.value, sweep.mode) {
            (None, _) => true,
            (Some(best), SweepMode::Max) => value > best || best.is_nan(),
            (Some(best), SweepMode::Min) => value < best || best.is_nan(),
        };
        if !better {
            return Ok(());
        }
        self.value = Some(value);
        let metrics = row
            .values
            .iter()
            .filter(|(name, _)| !name.starts_with("time/"));
        self.keep(
            mlp,
            epoch,
            metrics
                .map(|(name, value)| (name.clone(), *value))
                .collect(),
        )
    }

    /// Keeps the model of a run that was stopped before its first evaluation.
    fn offer_unevaluated(&mut self, mlp: &Mlp, epoch: u64) -> Result<(), ExperimentError> {
        if self.parameters.is_some() {
            Ok(())
        } else {
            self.keep(mlp, epoch, BTreeMap::new())
        }
    }

    fn keep(
        &mut self,
        mlp: &Mlp,
        epoch: u64,
        metrics: BTreeMap<String, f64>,
    ) -> Result<(), ExperimentError> {
        let config = self.job.config;
        let mut data = config.data.clone();
        data.root = absolute(&data.root);
        let card = ModelCard {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            epoch,
            model: config.model.clone(),
            data,
            seed: config.training.seed,
            data_fingerprint: self.splits.fingerprint.clone(),
            class_names: self.splits.class_names.clone(),
            metrics,
        };
        artifact::write(&self.job.directory.artifact_path(BEST_MODEL), mlp, &card)?;
        self.parameters = Some(mlp.clone());
        Ok(())
    }

    /// The best model, or the last one where none was kept.
    fn mlp(self, trainer: &Trainer) -> Mlp {
        self.parameters.unwrap_or_else(|| trainer.mlp().clone())
    }
}

fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// What happens while data are loaded, told in the log.
struct LoadEvents<'a> {
    log: &'a JobLog,
    interrupted: &'a AtomicBool,
    told: Instant,
}

impl Events for LoadEvents<'_> {
    fn notice(&mut self, line: &str) {
        self.log.info("strata.data", line);
    }

    fn progress(&mut self, done_bytes: u64, total_bytes: Option<u64>) {
        if self.told.elapsed().as_secs() < 5 {
            return;
        }
        self.told = Instant::now();
        let total = total_bytes
            .map(|total| format!(" of {}", total / 1_000_000))
            .unwrap_or_default();
        self.log
            .console()
            .line(&format!("downloaded {}{total} MB", done_bytes / 1_000_000));
    }

    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
