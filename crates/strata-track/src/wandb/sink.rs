//! The sink: a run that begins with the first thing told.

use std::path::PathBuf;

use super::WandbError;
use super::history::Placement;
use super::json::Json;
use super::run::OfflineRun;
use super::settings::{RunMode, Settings};
use crate::{Event, Init, Row, RunRecord, RunState, Sink, SinkError};

/// Keeps a run in `wandb/offline-run-…`, from where `wandb sync` sends it to the server.
///
/// The run begins with the first event or row, so that [`Event::Init`] can say who it is. A row of a
/// [step](Row::step) stays open for further values until one of a higher step comes, as in wandb; only
/// that row is lost when the process is killed. Nothing is written in the mode `disabled`.
#[derive(Debug)]
pub struct WandbSink {
    directory: PathBuf,
    settings: Settings,
    record: RunRecord,
    state: State,
}

#[derive(Debug)]
enum State {
    Waiting,
    Running(Box<OfflineRun>),
    Ended,
}

impl WandbSink {
    /// A run whose `wandb/` is made in `directory`, unless the settings name another.
    pub fn new(directory: PathBuf, settings: Settings, record: RunRecord) -> Self {
        let state = match settings.mode {
            RunMode::Disabled => State::Ended,
            RunMode::Online | RunMode::Offline => State::Waiting,
        };
        Self {
            directory,
            settings,
            record,
            state,
        }
    }

    /// The run, begun if need be; `None` when it is over.
    fn run(&mut self, init: &Init) -> Result<Option<&mut OfflineRun>, WandbError> {
        if matches!(self.state, State::Waiting) {
            // A run that cannot begin is told once, not tried again with every row.
            self.state = State::Ended;
            let run = OfflineRun::start(&self.directory, &self.settings, &self.record, init)?;
            self.state = State::Running(Box::new(run));
        }
        Ok(match &mut self.state {
            State::Running(run) => Some(run),
            State::Waiting | State::Ended => None,
        })
    }

    fn end(&mut self, exit_code: i32) -> Result<(), SinkError> {
        if let Some(run) = self.run(&Init::default())? {
            run.finish(exit_code)?;
        }
        self.state = State::Ended;
        Ok(())
    }
}

impl Sink for WandbSink {
    fn name(&self) -> &'static str {
        "wandb"
    }

    fn log(&mut self, row: &Row) -> Result<(), SinkError> {
        let Some(run) = self.run(&Init::default())? else {
            return Ok(());
        };
        let epoch = row.epoch.and_then(|epoch| i64::try_from(epoch).ok());
        let epoch = epoch.map(|epoch| (vec!["epoch".to_owned()], Json::Integer(epoch)));
        let values = row.values.iter();
        let values = values.map(|(name, value)| (vec![name.clone()], Json::Number(*value)));
        let placement = Placement {
            step: Some(row.step),
            commit: None,
            time_s: row.time_s,
        };
        Ok(run.log(epoch.into_iter().chain(values), placement)?)
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        match event {
            Event::Finish { exit_code } => self.end(*exit_code),
            Event::Init(init) if matches!(self.state, State::Waiting) => {
                self.run(init)?;
                Ok(())
            }
            event => match self.run(&Init::default())? {
                Some(run) => Ok(run.take(event)?),
                None => Ok(()),
            },
        }
    }

    /// Exit codes are those of a Python program: 1 for an error, 255 for an interruption.
    fn finish(&mut self, state: RunState) -> Result<(), SinkError> {
        self.end(match state {
            RunState::Finished | RunState::Running => 0,
            RunState::Failed => 1,
            RunState::Interrupted => 255,
        })
    }
}
