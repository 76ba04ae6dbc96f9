//! Where a run is told besides its own directory's `metrics.jsonl`: TensorBoard, W&B and `metrics.csv`.
//!
//! [`Tracking`] opens the sinks, each on a thread of its own, tells them who the run is, and lets W&B hear the log.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value as JsonValue;
use strata_nn::TensorHistogram;
use strata_track::wandb::{RunMode, Settings, WandbSink, random_id};
use strata_track::{
    Artifact, CsvSink, Event, Fields, Histogram, Image, Init, Logged, MetricDefinition, QueuedSink,
    Row, RunRecord, Sink, TensorBoardSink, Tracker, Value,
};

use super::LOGGER;
use super::checkpoint::Checkpoint;
use super::job::Job;
use super::tags::{Tagged, of_epoch};
use crate::artifact::{BEST_MODEL, BEST_MODEL_PT};
use crate::config::{ExperimentConfig, SweepMode, WandbMode};
use crate::error::ExperimentError;

/// Keys of `run.json`.
pub(super) const IDENTITY_KEY: &str = "tracking";
const WANDB: &str = "wandb";

/// Who the run is to those who look at many.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// `experiment_name`.
    pub(super) name: Option<String>,
    /// What the jobs of one sweep share.
    pub(super) group: Option<String>,
    /// The resolved configuration, with keys of the user's own.
    pub(super) config: JsonValue,
}

/// The sinks of a run beyond its directory.
pub(super) struct Tracking<'a> {
    job: &'a Job<'a>,
    record: RunRecord,
    identity: Identity,
    /// The run goes on.
    from: Option<&'a Checkpoint>,
}

impl<'a> Tracking<'a> {
    pub(super) fn new(
        job: &'a Job<'a>,
        from: Option<&'a Checkpoint>,
    ) -> Result<Self, ExperimentError> {
        let record = job.directory.record()?;
        let identity = record.other.get(IDENTITY_KEY).cloned().unwrap_or_default();
        Ok(Self {
            job,
            identity: serde_json::from_value(identity).unwrap_or_default(),
            record,
            from,
        })
    }

    /// Adds the sinks that the configuration asks for, and tells them how the run begins or goes on. One that cannot be
    /// opened is told and left out.
    pub(super) fn begin(&self, tracker: &mut Tracker) -> Result<(), ExperimentError> {
        let logging = &self.job.config.logging;
        let kept = self.kept_rows()?;
        if logging.csv.enabled {
            let path = self.job.directory.path().join("metrics.csv");
            self.add(tracker, replayed(CsvSink::new(&path), &kept, 0));
        }
        if logging.tensorboard.enabled {
            self.add(tracker, self.tensorboard(&kept));
        }
        if logging.wandb.enabled && logging.wandb.mode != WandbMode::Disabled {
            self.add_wandb(tracker, &kept);
        }
        if self.begun_as().is_none() {
            tracker.take(&Event::Init(self.init()?));
            for definition in definitions(self.job.config) {
                tracker.take(&Event::DefineMetric(definition));
            }
            self.tell_samples(tracker);
        }
        tracker.take(&self.hyper_parameters());
        Ok(())
    }

    /// The run's id in W&B, if it goes on there; one that was begun without W&B has none and begins now.
    fn begun_as(&self) -> Option<&String> {
        self.from?;
        self.record.tracker_ids.get(WANDB)
    }

    /// The rows that a run that goes on has logged up to its checkpoint.
    fn kept_rows(&self) -> Result<Vec<Row>, ExperimentError> {
        if self.from.is_none() {
            return Ok(Vec::new());
        }
        let rows = self.job.directory.rows()?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn add<S: Sink + 'static>(&self, tracker: &mut Tracker, sink: S) {
        let name = sink.name().to_owned();
        match QueuedSink::new(sink) {
            Ok(sink) => tracker.add(sink),
            Err(error) => self.left_out(&name, &error),
        }
    }

    fn left_out(&self, name: &str, problem: &dyn std::fmt::Display) {
        let told = format!("{name}: {problem}; the run goes on without it");
        self.job.log.warning(LOGGER, &told);
    }

    /// What was logged at the checkpoint's step and later is replaced: it may be a row of an epoch that was cut short.
    fn tensorboard(&self, kept: &[Row]) -> Tagged<TensorBoardSink> {
        let folder = &self.job.config.logging.tensorboard.log_dir;
        let mut sink = Tagged(TensorBoardSink::new(folder));
        let Some(from) = self.from else { return sink };
        let step = from.progress.trainer.steps;
        // What cannot be written now is told with the next row.
        let _ = sink.take(&Event::PurgeStep(step));
        replayed(sink, kept, step)
    }

    /// `wandb/` lies where `wandb.init` puts it and where `wandb sync` is typed: in the working directory.
    fn add_wandb(&self, tracker: &mut Tracker, kept: &[Row]) {
        let environment = std::env::vars().collect();
        let here = std::env::current_dir().unwrap_or_default();
        let mut settings = match Settings::load(&environment, &here) {
            Ok(settings) => settings,
            Err(error) => {
                self.left_out(WANDB, &error);
                return;
            }
        };
        // The configuration has read WANDB_MODE, and its word is the last.
        settings.mode = match self.job.config.logging.wandb.mode {
            WandbMode::Online => RunMode::Online,
            WandbMode::Offline => RunMode::Offline,
            WandbMode::Disabled => RunMode::Disabled,
        };
        // Not in the log, which is the same for a run that goes on as for one that was never interrupted.
        let console = self.job.log.console().clone();
        let is_silent = settings.silent;
        let notices = move |line: &str| {
            if !is_silent {
                console.line(line);
            }
        };
        let sink = WandbSink::new(here, settings, self.record.clone(), notices);
        let sink = if self.begun_as().is_some() {
            sink.going_on()
        } else {
            sink
        };
        match QueuedSink::new(Tagged(sink)) {
            Ok(mut sink) => {
                if let Some(id) = self.begun_as() {
                    let init = Init {
                        id: Some(id.clone()),
                        ..Init::default()
                    };
                    // What fails is told with the next row.
                    let _ = sink.take(&Event::Init(init));
                    // The last row before a kill was open still, and is in the run's own file only.
                    sink = replayed(sink, kept, 0);
                }
                let sender = sink.sender();
                self.job
                    .log
                    .listen(move |line| sender.tell(Event::Print(line.to_owned())));
                tracker.add(sink);
            }
            Err(error) => self.left_out(WANDB, &error),
        }
    }

    fn init(&self) -> Result<Init, ExperimentError> {
        let wandb = &self.job.config.logging.wandb;
        let set = |variable: &str| {
            std::env::var(variable)
                .ok()
                .filter(|value| !value.is_empty())
        };
        let id = match set("WANDB_RUN_ID") {
            Some(id) => Some(id),
            // Without random numbers the sink says so itself.
            None => random_id().ok(),
        };
        if let Some(id) = &id {
            self.job.directory.update(|record| {
                record.tracker_ids.insert(WANDB.to_owned(), id.clone());
            })?;
        }
        let config = match &self.identity.config {
            JsonValue::Object(_) => self.identity.config.clone(),
            _ => serde_json::json!(self.job.config),
        };
        Ok(Init {
            id,
            // What stands in the environment is for this one start, and goes before the configuration.
            name: set("WANDB_NAME").or_else(|| self.identity.name.clone()),
            project: set("WANDB_PROJECT").or_else(|| Some(wandb.project.clone())),
            entity: set("WANDB_ENTITY").or_else(|| wandb.entity.clone()),
            group: set("WANDB_RUN_GROUP")
                .or_else(|| wandb.group.clone())
                .or_else(|| self.identity.group.clone()),
            job_type: set("WANDB_JOB_TYPE").or_else(|| wandb.job_type.clone()),
            tags: if set("WANDB_TAGS").is_some() {
                Vec::new()
            } else {
                wandb.tags.clone()
            },
            notes: set("WANDB_NOTES").or_else(|| wandb.notes.clone()),
            config: fields(&config),
            resume: None,
        })
    }

    fn tell_samples(&self, tracker: &mut Tracker) {
        let file = self.job.directory.figure_path("samples_epoch0.png");
        if !file.exists() {
            return;
        }
        let image = Value::Image(Image {
            file,
            caption: None,
        });
        tracker.take(&Event::Log(Logged {
            values: Fields::from([("samples/train".to_owned(), image)]),
            step: Some(0),
            commit: None,
        }));
    }

    /// What decides the run's figures, for TensorBoard's HParams tab, and the figures to compare.
    fn hyper_parameters(&self) -> Event {
        let config = serde_json::json!(self.job.config);
        let mut hparams = Fields::new();
        for group in ["model", "data", "training"] {
            hparams.insert(group.to_owned(), value(&without_places(&config[group])));
        }
        let metric = of_epoch(&self.job.config.training.sweep.metric);
        let metrics = [metric, "test/accuracy".to_owned(), "test/loss".to_owned()];
        Event::HyperParameters {
            hparams,
            metrics: metrics.map(|name| (name, Value::Null)).into(),
        }
    }
}

/// A sink with the kept rows from a step on in it.
fn replayed<S: Sink>(mut sink: S, kept: &[Row], from_step: u64) -> S {
    sink.hold();
    for row in kept.iter().filter(|row| row.step >= from_step) {
        // What cannot be written now is told with the next row.
        let _ = sink.log(row);
    }
    let _ = sink.flush();
    sink
}

/// What of the network is watched, for those sinks that show histograms.
pub(super) struct Watched {
    pub(super) every: u64,
    pub(super) gradients: bool,
    pub(super) parameters: bool,
}

/// `logging.wandb.watch`, which TensorBoard shows as well.
pub(super) fn watched(config: &ExperimentConfig) -> Option<Watched> {
    let logging = &config.logging;
    let in_wandb = logging.wandb.enabled && logging.wandb.mode != WandbMode::Disabled;
    if !in_wandb && !logging.tensorboard.enabled {
        return None;
    }
    let watch = logging.wandb.watch.as_ref()?;
    let log = watch.log.as_deref()?;
    Some(Watched {
        every: watch.log_freq,
        gradients: matches!(log, "gradients" | "all"),
        parameters: matches!(log, "parameters" | "all"),
    })
}

/// The histograms of a step.
pub(super) fn histograms(step: u64, histograms: Vec<TensorHistogram>) -> Event {
    let values = histograms.into_iter().map(|histogram| {
        let (least, greatest) = (f64::from(histogram.least), f64::from(histogram.greatest));
        let bins = histogram.counts.len();
        let edge = |bin: usize| least + (greatest - least) * bin as f64 / bins as f64;
        let counts = Histogram::Counts {
            counts: histogram.counts.iter().copied().map(f64::from).collect(),
            edges: (0..=bins).map(edge).collect(),
        };
        (histogram.name, Value::Histogram(counts))
    });
    Event::Log(Logged {
        values: values.collect(),
        step: Some(step),
        commit: None,
    })
}

/// The best value so far, for whoever reads the run's summary.
pub(super) fn best_summary(metric: &str, value: Option<f64>, epoch: u64) -> Event {
    let mut summary = Fields::from([("best/epoch".to_owned(), Value::Integer(epoch as i64))]);
    if let Some(value) = value {
        summary.insert(format!("best/{metric}"), Value::Number(value));
    }
    Event::Summary(summary)
}

/// The best model, as safetensors and as a state dict of torch, under the experiment's name.
pub(super) fn best_model(job: &Job, value: Option<f64>, epoch: u64) -> Artifact {
    let record = job.directory.record().ok();
    let identity = record.and_then(|record| record.other.get(IDENTITY_KEY).cloned());
    let identity: Identity = identity
        .and_then(|identity| serde_json::from_value(identity).ok())
        .unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let name = identity.name.unwrap_or_else(|| "model".to_owned());
    let mut metadata = Fields::from([("epoch".to_owned(), Value::Integer(epoch as i64))]);
    if let Some(value) = value {
        let metric = job.config.training.sweep.metric.clone();
        metadata.insert(metric, Value::Number(value));
    }
    Artifact {
        name: name.replace(|c| !allowed(c), "-"),
        kind: "model".to_owned(),
        aliases: vec!["latest".to_owned(), "best".to_owned()],
        metadata,
        files: [BEST_MODEL, BEST_MODEL_PT]
            .map(|name| (name.to_owned(), job.directory.artifact_path(name)))
            .into_iter()
            .filter(|(_, path)| path.exists())
            .collect(),
    }
}

/// Figures of whole epochs are drawn against the epoch, and the summary keeps their best.
fn definitions(config: &ExperimentConfig) -> Vec<MetricDefinition> {
    let hidden = MetricDefinition {
        name: "epoch".to_owned(),
        hidden: true,
        ..MetricDefinition::default()
    };
    let by_epoch = |name: &str, summary: &[&str]| MetricDefinition {
        name: name.to_owned(),
        step_metric: Some("epoch".to_owned()),
        summary: summary.iter().map(|&kind| kind.to_owned()).collect(),
        ..MetricDefinition::default()
    };
    let metric = of_epoch(&config.training.sweep.metric);
    let good = match config.training.sweep.mode {
        SweepMode::Max => "max",
        SweepMode::Min => "min",
    };
    let mut definitions = vec![
        hidden,
        by_epoch("validation/*", &[]),
        by_epoch("train_epoch/*", &[]),
    ];
    for (name, kind) in [("validation/loss", "min"), ("validation/accuracy", "max")] {
        if name != metric {
            definitions.push(by_epoch(name, &[kind, "last"]));
        }
    }
    definitions.push(by_epoch(&metric, &[good, "last"]));
    definitions
}

/// Without what says only where things lie and how fast they go, and without what is not set.
fn without_places(config: &JsonValue) -> JsonValue {
    const PLACES: [&str; 9] = [
        "root",
        "synthetic_path",
        "download",
        "mirror",
        "url",
        "threads",
        "num_workers",
        "log_interval",
        "checkpoint",
    ];
    match config {
        JsonValue::Object(map) => {
            let kept = map
                .iter()
                .filter(|(name, value)| !PLACES.contains(&name.as_str()) && !value.is_null());
            JsonValue::Object(
                kept.map(|(name, value)| (name.clone(), without_places(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

fn fields(config: &JsonValue) -> Fields {
    match value(config) {
        Value::Map(fields) => fields,
        _ => Fields::new(),
    }
}

fn value(json: &JsonValue) -> Value {
    match json {
        JsonValue::Null => Value::Null,
        JsonValue::Bool(bool) => Value::Bool(*bool),
        JsonValue::Number(number) => match number.as_i64() {
            Some(integer) => Value::Integer(integer),
            None => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        },
        JsonValue::String(text) => Value::String(text.clone()),
        JsonValue::Array(list) => Value::List(list.iter().map(value).collect()),
        JsonValue::Object(map) => Value::Map(
            map.iter()
                .map(|(name, json)| (name.clone(), value(json)))
                .collect(),
        ),
    }
}

/// The group of a sweep's jobs: the end of its folder's name, which is date and time unless the user says otherwise.
pub(super) fn group_of(sweep_dir: &Path) -> Option<String> {
    let parts: Vec<_> = sweep_dir.iter().rev().take(2).collect();
    let parts: Vec<_> = parts
        .iter()
        .rev()
        .map(|part| part.to_string_lossy())
        .collect();
    (!parts.is_empty()).then(|| parts.join("_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_the_end_of_the_folder() {
        let group = |path: &str| group_of(Path::new(path));
        assert_eq!(
            group("multirun/2026-01-31/14-05-09").as_deref(),
            Some("2026-01-31_14-05-09")
        );
        assert_eq!(group("lr").as_deref(), Some("lr"));
        assert_eq!(group(""), None);
    }

    #[test]
    fn places_are_no_hyperparameters() {
        let config =
            serde_json::json!({"root": "/data", "batch_size": 32, "a": {"threads": 2, "b": 1}});
        let kept = serde_json::json!({"batch_size": 32, "a": {"b": 1}});
        assert_eq!(without_places(&config), kept);
    }
}
