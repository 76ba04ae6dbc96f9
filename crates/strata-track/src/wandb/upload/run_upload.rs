//! One run on its way to the server.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use prost::Message as _;
use serde_json::Value;

use super::artifacts;
use super::config::{RunConfig, metadata};
use super::console::{ConsoleLines, LineFormat};
use super::files::PendingFiles;
use super::lines::Lines;
use super::sync::SyncOptions;
use super::sync_state::{SyncState, mark_synced};
use super::tree::Tree;
use crate::wandb::json::push_string;
use crate::wandb::messages::{
    Alert, Artifact, Content, History, Item, Output, Record, Run, Stats, Timestamp, Update,
};
use crate::wandb::server::{
    AlertInput, Client, Patience, RemoteRun, RequestError, ResumeStatus, RunInput,
};
use crate::wandb::transaction_log::TransactionLogError;

/// A request of the file stream is not to be longer, and no more is kept in memory.
const BYTES_OF_A_REQUEST: usize = 4 << 20;
/// Without a word for so long the server takes a run for crashed.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Why a run, or a part of it, did not reach the server.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The server did not do as it was asked.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A file of the run's folder could not be read or written.
    #[error("`{}`: {source}", path.display())]
    Folder {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file was not taken.
    #[error("`{name}`: {source}")]
    File {
        /// Relative to `files/`.
        name: String,
        /// What the server said.
        source: RequestError,
    },
    /// The server gave no place for a file.
    #[error("the server gives no place for `{0}`")]
    NoPlace(String),
    /// The log names a file outside of the run's folder.
    #[error("`{0}` lies outside of the run's folder and is not sent")]
    Outside(String),
    /// There is no record of who the run is.
    #[error("the log does not say which run it is")]
    NoRun,
    /// The log cannot be read.
    #[error(transparent)]
    Log(TransactionLogError),
    /// A record that is no message of wandb's.
    #[error("a record is no message of wandb: {0}")]
    Record(prost::DecodeError),
    /// `resume` is `must`, and the server has no such run; or `never`, and it has one.
    #[error("{0}")]
    Resume(String),
}

/// The state of a run, and how much of it the server has.
pub(in crate::wandb) struct Upload<'a> {
    client: &'a Client,
    patience: &'a Patience,
    /// The transaction log.
    log: PathBuf,
    overrides: SyncOptions,
    /// `allow`, `must`, `never`; only for a run that is being written.
    resume: Option<String>,
    run: Option<Run>,
    remote: Option<RemoteRun>,
    config: RunConfig,
    config_changed: bool,
    summary: Tree,
    summary_changed: bool,
    history: Lines,
    events: Lines,
    output: Lines,
    console: ConsoleLines,
    line_format: LineFormat,
    files: PendingFiles,
    uploaded: Vec<String>,
    artifacts: Vec<Artifact>,
    alerts: Vec<Alert>,
    starting_step: u64,
    started: Option<Timestamp>,
    exit_code: Option<i32>,
    last_request: Option<Instant>,
    problems: Vec<UploadError>,
}

impl<'a> Upload<'a> {
    /// Of the run whose transaction log is `log`.
    pub(in crate::wandb) fn new(
        client: &'a Client,
        patience: &'a Patience,
        log: &Path,
        overrides: SyncOptions,
    ) -> Self {
        Self {
            client,
            patience,
            log: log.to_owned(),
            overrides,
            resume: None,
            run: None,
            remote: None,
            config: RunConfig::default(),
            config_changed: false,
            summary: Tree::default(),
            summary_changed: false,
            history: Lines::default(),
            events: Lines::default(),
            output: Lines::default(),
            console: ConsoleLines::default(),
            line_format: LineFormat::Structured,
            files: PendingFiles::default(),
            uploaded: Vec::new(),
            artifacts: Vec::new(),
            alerts: Vec::new(),
            starting_step: 0,
            started: None,
            exit_code: None,
            last_request: None,
            problems: Vec::new(),
        }
    }

    /// Whether the server has to know the run, or must not.
    pub(in crate::wandb) fn resume(&mut self, resume: Option<String>) {
        self.resume = resume;
    }

    /// The run as the server has it, once it does.
    pub(in crate::wandb) fn remote(&self) -> Option<&RemoteRun> {
        self.remote.as_ref()
    }

    /// What could not be sent of the run so far, though the rest was.
    pub(in crate::wandb) fn take_problems(&mut self) -> Vec<UploadError> {
        std::mem::take(&mut self.problems)
    }

    /// Takes the next record of the log; sends when there is much.
    pub(in crate::wandb) fn take(&mut self, record: &[u8]) -> Result<(), UploadError> {
        let record = Record::decode(record).map_err(UploadError::Record)?;
        let has_place = matches!(
            record.content,
            Some(
                Content::Summary(_) | Content::History(_) | Content::Stats(_) | Content::Output(_)
            )
        );
        // Where its step and lines begin, and how lines look, is for the server to say.
        if has_place && self.remote.is_none() {
            self.up_to_date_run()?;
        }
        match record.content {
            Some(Content::Run(run)) => self.take_run(run),
            Some(Content::Config(update)) => {
                self.config.update(&update);
                self.config_changed = true;
            }
            Some(Content::Summary(update)) => self.take_summary(&update),
            Some(Content::History(history)) => self.take_history(history),
            Some(Content::Stats(stats)) => self.take_stats(&stats),
            Some(Content::Output(output)) => self.take_output(&output),
            Some(Content::Files(files)) => {
                files
                    .files
                    .iter()
                    .for_each(|file| self.files.push(&file.path));
            }
            Some(Content::Artifact(artifact)) => self.artifacts.push(artifact),
            Some(Content::Alert(alert)) => self.alerts.push(alert),
            Some(Content::Metric(metric)) => {
                self.config.define(metric);
                self.config_changed = true;
            }
            Some(Content::Telemetry(telemetry)) => {
                self.config.tell(telemetry);
                self.config_changed = true;
            }
            Some(Content::Environment(environment)) => {
                self.config.place(environment);
                self.config_changed = true;
            }
            Some(Content::Exit(exit)) => self.exit_code = Some(exit.exit_code),
            Some(Content::Header(_)) | None => {}
        }
        let lines = [&self.history, &self.events, &self.output];
        let pending: usize = lines.iter().map(|lines| lines.pending_bytes()).sum();
        if pending > BYTES_OF_A_REQUEST {
            self.send()?;
        }
        Ok(())
    }

    fn take_run(&mut self, mut run: Run) {
        if let Some(config) = run.config.take() {
            self.config.update(&config);
        }
        let SyncOptions {
            entity,
            project,
            id,
        } = self.overrides.clone();
        run.entity = entity.unwrap_or(run.entity);
        run.project = project.unwrap_or(run.project);
        run.run_id = id.unwrap_or(run.run_id);
        self.started = self.started.or(run.start_time);
        self.config_changed = true;
        self.run = Some(run);
    }

    fn take_summary(&mut self, update: &Update) {
        for item in &update.update {
            match self.shifted(item) {
                Some(shifted) => self.summary.put(&shifted),
                None => self.summary.put(item),
            }
        }
        update
            .remove
            .iter()
            .for_each(|item| self.summary.remove(item));
        self.summary_changed = true;
    }

    fn take_history(&mut self, history: History) {
        let mut row = Tree::default();
        for item in &history.item {
            match self.shifted(item) {
                Some(shifted) => row.put(&shifted),
                None => row.put(item),
            }
        }
        if row.get("_step").is_none()
            && let Some(step) = history.step
        {
            let step = u64::try_from(step.num).unwrap_or(0) + self.starting_step;
            row.set("_step", step.to_string());
        }
        self.history.push(row.json());
    }

    /// `_step` of a run that goes on where another folder ended.
    fn shifted(&self, item: &Item) -> Option<Item> {
        let is_step = item.key == "_step" || item.nested_key == ["_step"];
        if !is_step || self.starting_step == 0 {
            return None;
        }
        let step: u64 = item.value_json.parse().ok()?;
        let mut item = item.clone();
        item.value_json = (step + self.starting_step).to_string();
        Some(item)
    }

    fn take_stats(&mut self, stats: &Stats) {
        let mut row = Tree::default();
        for item in &stats.item {
            row.set(&format!("system.{}", item.key), item.value_json.clone());
        }
        let time_s = |time: Option<Timestamp>| {
            time.map_or(0.0, |time| {
                time.seconds as f64 + f64::from(time.nanos) / 1e9
            })
        };
        let now_s = time_s(stats.timestamp);
        row.set("_wandb", "true".to_owned());
        row.set("_timestamp", format!("{now_s}"));
        row.set(
            "_runtime",
            format!("{}", (now_s - time_s(self.started)).max(0.0)),
        );
        self.events.push(row.json());
    }

    fn take_output(&mut self, output: &Output) {
        let time = output.timestamp.unwrap_or_default();
        let time = jiff::Timestamp::new(time.seconds, time.nanos).unwrap_or_default();
        let mut lines = Vec::new();
        let is_error = output.output_type == 0;
        self.console
            .add(&output.line, is_error, time, self.line_format, &mut lines);
        for line in lines {
            self.output.push(line);
        }
    }

    /// Brings everything so far to the server. What is not taken for a reason of its own is a problem, not an error.
    pub(in crate::wandb) fn send(&mut self) -> Result<(), UploadError> {
        let remote = self.up_to_date_run()?;
        let folder = self.files_folder();
        let sent = self
            .files
            .send(self.client, self.patience, &remote, &folder)?;
        self.uploaded.extend(sent.0);
        self.problems.extend(sent.1);
        self.send_alerts(&remote)?;
        self.send_artifacts(&remote)?;
        while self.send_lines(&remote, None)? {}
        Ok(())
    }

    /// Lets the server know that the run lives.
    pub(in crate::wandb) fn heartbeat(&mut self) -> Result<(), UploadError> {
        let is_silent = self
            .last_request
            .is_none_or(|last| last.elapsed() >= HEARTBEAT);
        if let Some(remote) = self.remote.clone().filter(|_| is_silent) {
            self.stream(&remote, "{}")?;
        }
        Ok(())
    }

    /// The log has ended: brings the rest, the run's files and its end to the server. A run that did not come to its
    /// own end has failed.
    pub(in crate::wandb) fn finish(&mut self) -> Result<(), UploadError> {
        let mut lines = Vec::new();
        self.console.end(self.line_format, &mut lines);
        for line in lines {
            self.output.push(line);
        }
        self.write_files()?;
        let folder = self.files_folder();
        for name in [
            "config.yaml",
            "wandb-summary.json",
            "wandb-metadata.json",
            "output.log",
            "requirements.txt",
        ] {
            if folder.join(name).is_file() {
                self.files.push(name);
            }
        }
        self.send()?;
        let remote = self.remote.clone().ok_or(UploadError::NoRun)?;
        self.send_lines(&remote, Some(self.exit_code.unwrap_or(1)))?;
        mark_synced(&self.log)
    }

    /// The server's run, made or changed if need be.
    fn up_to_date_run(&mut self) -> Result<RemoteRun, UploadError> {
        let input = self.input()?;
        let remote = match self.remote.take() {
            Some(remote) if !self.config_changed => remote,
            Some(_) => self.client.upsert_run(self.patience, &input)?,
            None => {
                let status = self.client.resume_status(self.patience, &input)?;
                self.check_resume(status)?;
                let structured = self
                    .client
                    .has_feature(self.patience, "STRUCTURED_CONSOLE_LOGS")?;
                let remote = self.client.upsert_run(self.patience, &input)?;
                self.begin(status.unwrap_or_default(), structured)?;
                remote
            }
        };
        self.config_changed = false;
        self.remote = Some(remote.clone());
        Ok(remote)
    }

    fn check_resume(&self, status: Option<ResumeStatus>) -> Result<(), UploadError> {
        let id = self.run.as_ref().map_or("", |run| run.run_id.as_str());
        let problem = match (self.resume.as_deref(), status) {
            (Some("must"), None) => format!("resume is `must`, but the server has no run `{id}`"),
            (Some("never"), Some(_)) => {
                format!("resume is `never`, but the server has a run `{id}`; choose another id")
            }
            _ => return Ok(()),
        };
        Err(UploadError::Resume(problem))
    }

    /// Finds out where the lines of this folder begin on the server and how many of them it has.
    fn begin(&mut self, there: ResumeStatus, structured: bool) -> Result<(), UploadError> {
        let run = self.run.as_ref().ok_or(UploadError::NoRun)?;
        let goes_on = run.resume || run.starting_step > 0;
        let known = SyncState::read(&self.log);
        let state = known.unwrap_or(SyncState {
            // Rows of a run that was resumed online have their steps already.
            starting_step: if run.resume { there.next_step } else { 0 },
            history_lines: Some(if goes_on { there.history_lines } else { 0 }),
            events_lines: Some(if goes_on { there.events_lines } else { 0 }),
            log_lines: Some(if goes_on { there.log_lines } else { 0 }),
        });
        let base = |lines: Option<u64>, fallback: u64| lines.unwrap_or(fallback);
        let bases = [
            base(state.history_lines, state.starting_step),
            base(state.events_lines, 0),
            base(state.log_lines, 0),
        ];
        // A folder that was not begun by us may be another run of the same id: then all is sent, in place of what is there.
        let sent = |there: u64, base: u64| {
            if known.is_some() {
                there.saturating_sub(base)
            } else {
                0
            }
        };
        self.history
            .begin(bases[0], sent(there.history_lines, bases[0]));
        self.events
            .begin(bases[1], sent(there.events_lines, bases[1]));
        self.output.begin(bases[2], sent(there.log_lines, bases[2]));
        if !structured {
            self.line_format = LineFormat::Plain;
        }
        state.write(&self.log)?;
        self.starting_step = state.starting_step;
        Ok(())
    }

    fn input(&self) -> Result<RunInput, UploadError> {
        let run = self.run.as_ref().ok_or(UploadError::NoRun)?;
        let git = run.git.clone().unwrap_or_default();
        let environment = self.config.environment();
        Ok(RunInput {
            id: run.run_id.clone(),
            entity: run.entity.clone(),
            project: run.project.clone(),
            group: run.run_group.clone(),
            job_type: run.job_type.clone(),
            display_name: run.display_name.clone(),
            notes: run.notes.clone(),
            tags: run.tags.clone(),
            host: run.host.clone(),
            program: environment.map_or(String::new(), |found| found.program.clone()),
            commit: git.commit,
            repository: git.remote_url,
            sweep: run.sweep_id.clone(),
            config: self.config.json(),
        })
    }

    fn send_alerts(&mut self, remote: &RemoteRun) -> Result<(), UploadError> {
        while let Some(alert) = self.alerts.first().cloned() {
            let alert = AlertInput {
                title: alert.title,
                text: alert.text,
                level: alert.level,
            };
            match self.client.alert(self.patience, remote, &alert) {
                Err(error @ RequestError::Refused { .. }) => self.problems.push(error.into()),
                sent => sent?,
            }
            self.alerts.remove(0);
        }
        Ok(())
    }

    fn send_artifacts(&mut self, remote: &RemoteRun) -> Result<(), UploadError> {
        while let Some(artifact) = self.artifacts.first() {
            match artifacts::send(self.client, self.patience, remote, artifact, &self.log) {
                Err(error) if artifacts::is_its_own_fault(&error) => self.problems.push(error),
                sent => sent?,
            }
            self.artifacts.remove(0);
        }
        Ok(())
    }

    /// Sends one request with what fits in; whether there was anything. With an exit code the run is over.
    fn send_lines(
        &mut self,
        remote: &RemoteRun,
        exit_code: Option<i32>,
    ) -> Result<bool, UploadError> {
        let mut room = BYTES_OF_A_REQUEST;
        let mut counts = [0; 3];
        let streams = [
            ("wandb-history.jsonl", &self.history),
            ("wandb-events.jsonl", &self.events),
            ("output.log", &self.output),
        ];
        let mut files = Vec::new();
        let mut add = |name: &str, offset: u64, lines: &[String]| {
            let content = list(lines);
            files.push(format!(
                r#""{name}":{{"offset":{offset},"content":{content}}}"#
            ));
        };
        for ((name, lines), count) in streams.into_iter().zip(&mut counts) {
            if let Some((offset, lines)) = lines.next(room) {
                *count = lines.len();
                room -= lines.iter().map(String::len).sum::<usize>().min(room);
                add(name, offset, lines);
            }
        }
        if self.summary_changed && !self.summary.is_empty() {
            add("wandb-summary.json", 0, &[self.summary.json()]);
        }
        let mut parts = Vec::new();
        if !files.is_empty() {
            parts.push(format!(r#""files":{{{}}}"#, files.join(",")));
        }
        if !self.uploaded.is_empty() {
            parts.push(format!(r#""uploaded":{}"#, list(&self.uploaded)));
        }
        if let Some(exit_code) = exit_code {
            parts.push(format!(r#""complete":true,"exitcode":{exit_code}"#));
        }
        if parts.is_empty() {
            return Ok(false);
        }
        let body = format!("{{{}}}", parts.join(","));
        self.stream(remote, &body)?;
        self.summary_changed = false;
        self.uploaded.clear();
        let [history, events, output] = counts;
        self.history.confirm(history);
        self.events.confirm(events);
        self.output.confirm(output);
        Ok(true)
    }

    fn stream(&mut self, remote: &RemoteRun, body: &str) -> Result<Value, UploadError> {
        let place = (
            remote.entity.as_str(),
            remote.project.as_str(),
            remote.id.as_str(),
        );
        let answer = self.client.file_stream(self.patience, place, body)?;
        self.last_request = Some(Instant::now());
        Ok(answer)
    }

    /// The files that every run has on the server, from the log alone: also those of a run that was killed.
    fn write_files(&self) -> Result<(), UploadError> {
        let environment = self.config.environment();
        let environment = environment.map(|found| format!("{:#}\n", metadata(found)));
        let contents = [
            ("config.yaml", Some(self.config.yaml())),
            ("wandb-summary.json", Some(self.summary.json())),
            ("wandb-metadata.json", environment),
        ];
        for (name, content) in contents {
            let Some(content) = content else { continue };
            let path = self.files_folder().join(name);
            strata_fs::write_atomically(&path, content.as_bytes())
                .map_err(|source| UploadError::Folder { path, source })?;
        }
        Ok(())
    }

    fn files_folder(&self) -> PathBuf {
        self.log.with_file_name("files")
    }
}

/// A JSON list of strings.
fn list(texts: &[String]) -> String {
    let mut json = String::from("[");
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        push_string(&mut json, text);
    }
    json.push(']');
    json
}
