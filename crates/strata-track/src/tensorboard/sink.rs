//! The sink: rows and events to summaries.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::event_file::{EventFile, now_s, signed};
use super::image::ImageError;
use super::layout::Charts;
use super::messages::{
    DataClass, DataType, Dimension, Event as FileEvent, PluginData, Summary, SummaryData,
    SummaryMetadata, SummaryValue, TensorProto, TensorShape, What,
};
use super::{histogram, hparams, image};
use crate::flat::{flattened, scalar};
use crate::step_counter::StepCounter;
use crate::{Event, Fields, Image, Logged, Row, RunState, Sink, SinkError, Value};

/// Why a value did not get into an events file.
#[derive(Debug, thiserror::Error)]
pub enum TensorBoardError {
    /// A picture could not be read.
    #[error("`{tag}`: {source}")]
    Image {
        /// The value's name.
        tag: String,
        /// What is wrong with the file.
        source: ImageError,
    },
    /// A histogram of nothing.
    #[error("`{tag}`: a histogram needs a finite value, or counts and one more edges than counts")]
    EmptyHistogram {
        /// The value's name.
        tag: String,
    },
    /// TensorBoard keeps the first hyperparameters of a run.
    #[error("the run has told its hyperparameters already; TensorBoard keeps the first")]
    SecondHyperParameters,
}

/// Writes a run's folder of event files, which TensorBoard follows.
///
/// * Numbers and truth values are scalars (32 bits, as the page shows them), names are tags; nested maps are
///   flattened with `/`. Texts and strings are texts, pictures of one name are shown together, histograms
///   have `SummaryWriter`'s bins. Lists, tables, null and what concerns only W&B are left out.
/// * Steps may come in any order; but of points of one tag that go backwards TensorBoard's fast reader keeps
///   only the last.
/// * Every file begins with a session start at its first step, so that a run that goes on in the same folder
///   replaces what was logged from there on. The file is made with the first value.
/// * Hyperparameters bring the session's end with its status when the run is over. Their metrics that have
///   no points yet become a point at step 0, as `SummaryWriter.add_hparams` has it.
/// * A metric with the parts `train/`, `validation/` and `test/` is a chart of the custom scalars tab.
///
/// Each event costs one `write(2)` and reaches the file at once.
#[derive(Debug)]
pub struct TensorBoardSink {
    folder: PathBuf,
    file: Option<EventFile>,
    steps: StepCounter,
    tags: HashSet<String>,
    charts: Charts,
    /// Hyperparameters that wait for the file, whose first step is not known yet.
    waiting: Option<(Fields, Fields)>,
    has_session: bool,
    is_held: bool,
}

impl TensorBoardSink {
    /// A sink to the folder of one run; the folder is made when something is logged.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            file: None,
            steps: StepCounter::default(),
            tags: HashSet::new(),
            charts: Charts::default(),
            waiting: None,
            has_session: false,
            is_held: false,
        }
    }

    /// The file, begun at `step` if there is none.
    fn file_at(&mut self, step: u64) -> Result<&mut EventFile, SinkError> {
        if self.file.is_none() {
            self.begin(step)?;
        }
        Ok(self.file.as_mut().expect("it was begun above"))
    }

    fn flush_before_the_next_file(&mut self) -> Result<(), SinkError> {
        self.file.as_mut().map_or(Ok(()), EventFile::flush)
    }

    fn begin(&mut self, step: u64) -> Result<(), SinkError> {
        self.flush_before_the_next_file()?;
        let mut file = EventFile::create(&self.folder, step)?;
        if self.is_held {
            file.hold();
        }
        self.file = Some(file);
        if let Some((hparams, metrics)) = self.waiting.take() {
            self.tell_hyper_parameters(&hparams, &metrics)?;
        }
        Ok(())
    }

    /// One event with all `values`.
    fn write(
        &mut self,
        values: Vec<SummaryValue>,
        step: u64,
        wall_time: f64,
    ) -> Result<(), SinkError> {
        if values.is_empty() {
            return Ok(());
        }
        self.file_at(step)?.write(&FileEvent {
            wall_time,
            step: signed(step),
            what: Some(What::Summary(Summary { value: values })),
            source_metadata: None,
        })
    }

    fn log_values(&mut self, logged: &Logged) -> Result<(), SinkError> {
        let step = self.steps.step_of(logged);
        let mut values = Vec::with_capacity(logged.values.len());
        let mut failure = None;
        for (tag, value) in flattened(&logged.values) {
            match summary_of(&tag, value) {
                Ok(summary) => values.extend(summary),
                // The others of the step are not to be lost with it.
                Err(error) => failure = failure.or(Some(SinkError::Other(error.into()))),
            }
        }
        let charts_changed = self.learn(&values);
        self.write(values, step, now_s())?;
        if charts_changed {
            self.tell_charts()?;
        }
        failure.map_or(Ok(()), Err)
    }

    /// Takes in the tags of scalars; whether there is a new chart.
    fn learn(&mut self, values: &[SummaryValue]) -> bool {
        let mut changed = false;
        for value in values {
            let is_scalar = matches!(value.data, Some(SummaryData::SimpleValue(_)));
            if is_scalar && !self.tags.contains(&value.tag) {
                self.tags.insert(value.tag.clone());
                changed |= self.charts.add(&value.tag);
            }
        }
        changed
    }

    fn tell_charts(&mut self) -> Result<(), SinkError> {
        let layout = prost::Message::encode_to_vec(&self.charts.layout());
        let value = strings("custom_scalars__config__", "custom_scalars", vec![layout]);
        self.write(vec![value], 0, now_s())
    }

    fn tell_hyper_parameters(
        &mut self,
        hparams: &Fields,
        metrics: &Fields,
    ) -> Result<(), SinkError> {
        let now_s = now_s();
        let points: Vec<SummaryValue> = flattened(metrics)
            .into_iter()
            .filter(|(tag, _)| !self.tags.contains(tag.as_ref()))
            .filter_map(|(tag, value)| scalar(value).map(|value| scalar_summary(&tag, value)))
            .collect();
        self.learn(&points);
        self.has_session = true;
        self.write(hparams::start(hparams, metrics, now_s), 0, now_s)?;
        self.write(points, 0, now_s)
    }

    fn take_hyper_parameters(
        &mut self,
        hparams: &Fields,
        metrics: &Fields,
    ) -> Result<(), SinkError> {
        if self.has_session || self.waiting.is_some() {
            return Err(SinkError::Other(
                TensorBoardError::SecondHyperParameters.into(),
            ));
        }
        if self.file.is_some() {
            return self.tell_hyper_parameters(hparams, metrics);
        }
        self.waiting = Some((hparams.clone(), metrics.clone()));
        Ok(())
    }
}

impl Sink for TensorBoardSink {
    fn name(&self) -> &'static str {
        "tensorboard"
    }

    fn log(&mut self, row: &Row) -> Result<(), SinkError> {
        let values: Vec<SummaryValue> = row
            .values
            .iter()
            .map(|(tag, &value)| scalar_summary(tag, value))
            .collect();
        let charts_changed = self.learn(&values);
        self.write(values, row.step, row.time_s)?;
        if charts_changed {
            self.tell_charts()?;
        }
        Ok(())
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        match event {
            Event::Log(logged) => self.log_values(logged),
            Event::HyperParameters { hparams, metrics } => {
                self.take_hyper_parameters(hparams, metrics)
            }
            Event::PurgeStep(step) => {
                self.steps.turn_to(*step);
                self.begin(*step)
            }
            _ => Ok(()),
        }
    }

    fn hold(&mut self) {
        self.is_held = true;
        if let Some(file) = &mut self.file {
            file.hold();
        }
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.is_held = false;
        self.file.as_mut().map_or(Ok(()), EventFile::flush)
    }

    fn finish(&mut self, state: RunState) -> Result<(), SinkError> {
        if self.waiting.is_some() {
            self.begin(0)?;
        }
        if self.has_session {
            let now_s = now_s();
            let end = hparams::end(state, now_s);
            self.write(end.into_iter().collect(), 0, now_s)?;
        }
        self.file.as_mut().map_or(Ok(()), EventFile::sync)
    }
}

/// The summary of a value; none for what TensorBoard has no place for.
fn summary_of(tag: &str, value: &Value) -> Result<Option<SummaryValue>, TensorBoardError> {
    if let Some(value) = scalar(value) {
        return Ok(Some(scalar_summary(tag, value)));
    }
    let unreadable = |source| TensorBoardError::Image {
        tag: tag.to_owned(),
        source,
    };
    Ok(match value {
        Value::String(text) | Value::Text(text) => Some(strings(
            &format!("{tag}/text_summary"),
            "text",
            vec![text.clone().into_bytes()],
        )),
        Value::Image(picture) => {
            let picture = image::read(&picture.file).map_err(unreadable)?;
            Some(plain(tag, SummaryData::Image(picture)))
        }
        Value::Images(pictures) => together(tag, pictures).map_err(unreadable)?,
        Value::Histogram(values) => {
            let message = histogram::message(values);
            let message = message.ok_or_else(|| TensorBoardError::EmptyHistogram {
                tag: tag.to_owned(),
            })?;
            Some(plain(tag, SummaryData::Histogram(message)))
        }
        _ => None,
    })
}

fn scalar_summary(tag: &str, value: f64) -> SummaryValue {
    plain(tag, SummaryData::SimpleValue(value as f32))
}

/// A value whose place readers know by its kind.
fn plain(tag: &str, data: SummaryData) -> SummaryValue {
    SummaryValue {
        tag: tag.to_owned(),
        data: Some(data),
        metadata: None,
    }
}

/// Pictures of one step: width and height of the first, then the files (`tensorboard.summary.v2.image`).
fn together(tag: &str, pictures: &[Image]) -> Result<Option<SummaryValue>, ImageError> {
    let mut parts = Vec::with_capacity(pictures.len() + 2);
    for picture in pictures {
        let picture = image::read(&picture.file)?;
        if parts.is_empty() {
            parts.push(picture.width.to_string().into_bytes());
            parts.push(picture.height.to_string().into_bytes());
        }
        parts.push(picture.encoded);
    }
    if parts.is_empty() {
        return Ok(None);
    }
    let mut value = strings(tag, "images", parts);
    if let Some(metadata) = &mut value.metadata {
        metadata.data_class = DataClass::BlobSequence.into();
    }
    Ok(Some(value))
}

/// A tensor of strings for a plugin.
fn strings(tag: &str, plugin_name: &str, items: Vec<Vec<u8>>) -> SummaryValue {
    let shape = TensorShape {
        dim: vec![Dimension {
            size: items.len() as i64,
        }],
    };
    SummaryValue {
        tag: tag.to_owned(),
        data: Some(SummaryData::Tensor(TensorProto {
            dtype: DataType::String.into(),
            tensor_shape: Some(shape),
            string_val: items,
        })),
        metadata: Some(SummaryMetadata {
            plugin_data: Some(PluginData {
                plugin_name: plugin_name.to_owned(),
                content: Vec::new(),
            }),
            data_class: DataClass::Unknown.into(),
        }),
    }
}
