//! The sink: a run that begins with the first thing told.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::WandbError;
use super::history::Placement;
use super::json::Json;
use super::run::RunWriter;
use super::server::Client;
use super::settings::{RunMode, Settings};
use super::system_stats::SystemStats;
use super::upload::{Notices, Online, OnlineOptions};
use crate::{Event, Init, Row, RunRecord, RunState, Sink, SinkError};

/// Keeps a run in `wandb/`, as the real client does, and sends it to the server while it goes on if it is online.
///
/// The run begins with the first event or row, so that [`Event::Init`] can say who it is. A row of a
/// [step](Row::step) stays open for further values until one of a higher step comes, as in wandb; only
/// that row is lost when the process is killed. Nothing is written in the mode `disabled`.
///
/// The file is the truth: a server that is away, refuses or is slow never holds the run up, and what it does not have
/// in the end `strata sync` sends later. Online without a key the run is offline.
pub struct WandbSink {
    directory: PathBuf,
    settings: Settings,
    record: RunRecord,
    notices: Notices,
    /// The run was interrupted and goes on in its folder.
    goes_on: bool,
    state: State,
}

enum State {
    Waiting,
    Running(Box<Running>),
    Ended,
}

struct Running {
    writer: RunWriter,
    online: Option<Online>,
    stats: Option<SystemStats>,
}

impl WandbSink {
    /// A run whose `wandb/` is made in `directory`, unless the settings name another. `notices` gets lines for the
    /// user: where the run is to be seen, and what happened to it.
    pub fn new(
        directory: PathBuf,
        settings: Settings,
        record: RunRecord,
        notices: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        let state = match settings.mode {
            RunMode::Disabled => State::Ended,
            RunMode::Online | RunMode::Offline => State::Waiting,
        };
        Self {
            directory,
            settings,
            record,
            notices: std::sync::Arc::new(notices),
            goes_on: false,
            state,
        }
    }

    /// The run of the id that [`Event::Init`] names was interrupted: it goes on in its folder, behind its last row. Rows
    /// that it has already are let go.
    #[must_use]
    pub fn going_on(mut self) -> Self {
        self.goes_on = true;
        self
    }

    /// The run, begun if need be; `None` when it is over.
    fn run(&mut self, init: &Init) -> Result<Option<&mut Running>, WandbError> {
        if matches!(self.state, State::Waiting) {
            // A run that cannot begin is told once, not tried again with every row.
            self.state = State::Ended;
            self.state = State::Running(Box::new(self.start(init)?));
        }
        Ok(match &mut self.state {
            State::Running(run) => Some(run),
            State::Waiting | State::Ended => None,
        })
    }

    fn start(&self, init: &Init) -> Result<Running, WandbError> {
        let settings = &self.settings;
        let client = match settings.mode {
            RunMode::Online => self.client(),
            RunMode::Offline | RunMode::Disabled => None,
        };
        let reopened = match &init.id {
            Some(id) if self.goes_on => RunWriter::reopen(&self.directory, settings, id)?,
            _ => None,
        };
        let is_online = client.is_some();
        let writer = match reopened {
            Some(writer) => writer,
            None => RunWriter::start(&self.directory, is_online, settings, &self.record, init)?,
        };
        // A run that was kept offline stays so: its folder is where `strata sync` looks for it.
        let client = client.filter(|_| writer.is_online());
        let log = writer.log_path();
        let start = |client| {
            let options = OnlineOptions {
                client,
                interval: settings.server.transmit_interval,
                finish_timeout: settings.finish_timeout,
                resume: init.resume.clone().or_else(|| settings.resume.clone()),
                app_url: settings.server.app_url.clone(),
                notices: std::sync::Arc::clone(&self.notices),
            };
            Online::start(&log, options).map_err(|source| WandbError::Write {
                path: log.clone(),
                source,
            })
        };
        let online = client.map(start).transpose()?;
        let mut running = Running {
            writer,
            online,
            stats: settings.stats_interval.map(SystemStats::new),
        };
        running.sample_machine()?;
        running.tell_uploader();
        Ok(running)
    }

    /// Who may send the run; a line says why nobody may.
    fn client(&self) -> Option<Client> {
        let problem = match self.settings.key() {
            Ok(Some(key)) => return Some(Client::new(self.settings.server.clone(), &key)),
            Ok(None) => "there is no key".to_owned(),
            Err(error) => error.to_string(),
        };
        (self.notices)(&format!(
            "W&B: {problem}: the run is kept offline; after `strata wandb login`, `strata sync` sends it"
        ));
        None
    }

    fn end(&mut self, exit_code: i32) -> Result<(), SinkError> {
        let Some(run) = self.run(&Init::default())? else {
            return Ok(());
        };
        let written = run.writer.finish(exit_code);
        run.tell_uploader();
        let told = run.online.as_mut().and_then(Online::finish);
        if let Some(line) = told {
            (self.notices)(&format!("W&B: the server does not answer; {line}"));
        }
        self.state = State::Ended;
        Ok(written?)
    }
}

impl Running {
    /// Writes what the machine is doing, if it is time to.
    fn sample_machine(&mut self) -> Result<(), WandbError> {
        let sample = self
            .stats
            .as_mut()
            .and_then(|stats| stats.sample(Instant::now()));
        sample.map_or(Ok(()), |sample| self.writer.write_stats(sample))
    }

    fn tell_uploader(&self) {
        if let Some(online) = &self.online {
            online.written(self.writer.length());
        }
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
        let logged = run.writer.log(epoch.into_iter().chain(values), placement);
        run.tell_uploader();
        Ok(logged?)
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        match event {
            Event::Finish { exit_code } => self.end(*exit_code),
            Event::Init(init) if matches!(self.state, State::Waiting) => {
                self.run(init)?;
                Ok(())
            }
            event => match self.run(&Init::default())? {
                Some(run) => {
                    let taken = run.writer.take(event);
                    run.tell_uploader();
                    Ok(taken?)
                }
                None => Ok(()),
            },
        }
    }

    fn hold(&mut self) {
        if let State::Running(run) = &mut self.state {
            run.writer.hold();
        }
    }

    fn pulse(&self) -> Option<Duration> {
        self.settings.stats_interval
    }

    fn beat(&mut self) -> Result<(), SinkError> {
        if let State::Running(run) = &mut self.state {
            let sampled = run.sample_machine();
            run.tell_uploader();
            sampled?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        if let State::Running(run) = &mut self.state {
            let flushed = run.writer.flush();
            run.tell_uploader();
            flushed?;
        }
        Ok(())
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
