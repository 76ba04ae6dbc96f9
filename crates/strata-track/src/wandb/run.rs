//! A run in its folder: what it is told becomes records, in the order of the real client.

use std::io::Write as _;

use fs_err::File;
use jiff::Timestamp;
use prost::Message as _;

use super::WandbError;
use super::artifact;
use super::config_file::config_yaml;
use super::history::{CommittedRow, Placement, Rows};
use super::json::{Json, NotANumber};
use super::leaves::{Leaves, Path, item, path_of};
use super::media::Media;
use super::messages::{
    Alert, Content, Environment, Exit, File as FileItem, Files, Git, Header, History, HistoryStep,
    Item, Output, Record, Run, Stats, Telemetry, Update, Version,
};
use super::metrics::Metrics;
use super::run_folder::{RunFolder, check_id, random_id, random_uuid};
use super::settings::Settings;
use super::summary::RunSummary;
use super::transaction_log::{Records, TransactionLog};
use super::upload::unmark_synced;
use crate::{Event, Fields, Init, RunRecord};

/// The version of wandb that the records agree with.
const WANDB_VERSION: &str = "0.31.0";
/// The oldest version that reads the layout, as wandb 0.31.0 states it.
const MIN_CONSUMER: &str = "0.70.0";

/// A run that is being written.
#[derive(Debug)]
pub(super) struct RunWriter {
    folder: RunFolder,
    log: TransactionLog,
    output: Option<File>,
    /// As it is now; written again whenever it changes.
    run: Run,
    config: Vec<(String, Json)>,
    rows: Rows,
    metrics: Metrics,
    summary: RunSummary,
    started: Timestamp,
    n_records: i64,
}

impl RunWriter {
    /// Makes the folder, whose name says whether the run is sent, and writes who the run is: `init` before `settings`
    /// before defaults.
    pub(super) fn start(
        directory: &std::path::Path,
        is_online: bool,
        settings: &Settings,
        record: &RunRecord,
        init: &Init,
    ) -> Result<Self, WandbError> {
        let id = match init.id.clone().or_else(|| settings.run_id.clone()) {
            Some(id) => id,
            None => random_id()?,
        };
        check_id(&id)?;
        let directory = settings.directory.as_deref().unwrap_or(directory);
        let folder = RunFolder::create(directory, is_online, &id, record.started)?;
        let log = TransactionLog::create(&folder.log())?;
        let config = plain_fields(&init.config);
        let mut run = Self {
            folder,
            log,
            output: None,
            run: run_message(id, settings, record, init),
            config,
            rows: Rows::new(seconds(record.started)),
            metrics: Metrics::default(),
            summary: RunSummary::default(),
            started: record.started,
            n_records: 0,
        };
        run.write_start(record)?;
        run.run.config = None;
        Ok(run)
    }

    /// The run of this id in `directory`, which was interrupted, as it was after its last whole record; `None` if it is
    /// not there. That it ended is forgotten.
    pub(super) fn reopen(
        directory: &std::path::Path,
        settings: &Settings,
        id: &str,
    ) -> Result<Option<Self>, WandbError> {
        let directory = settings.directory.as_deref().unwrap_or(directory);
        let Some(folder) = RunFolder::find(directory, id) else {
            return Ok(None);
        };
        let path = folder.log();
        let mut records = Records::open(&path)?;
        let mut told = Vec::new();
        let mut length = records.offset();
        while let Some(Ok(record)) = records.next() {
            let Ok(Record {
                num,
                content: Some(content),
            }) = Record::decode(record.as_slice())
            else {
                break;
            };
            if matches!(content, Content::Exit(_)) {
                break;
            }
            told.push((num, content));
            length = records.offset();
        }
        let run = told.iter().find_map(|(_, content)| match content {
            Content::Run(run) => Some(run.clone()),
            _ => None,
        });
        let Some(run) = run else { return Ok(None) };
        let started = run.start_time.unwrap_or_default();
        let started = Timestamp::new(started.seconds, started.nanos).unwrap_or_default();
        let mut reopened = Self {
            log: TransactionLog::reopen(&path, length)?,
            folder,
            output: None,
            run,
            config: Vec::new(),
            rows: Rows::new(seconds(started)),
            metrics: Metrics::default(),
            summary: RunSummary::default(),
            started,
            n_records: 0,
        };
        for (num, content) in told {
            reopened.n_records = num;
            reopened.replay(content);
        }
        unmark_synced(&path).map_err(|source| WandbError::Write { path, source })?;
        Ok(Some(reopened))
    }

    /// Takes up a record that was written before.
    fn replay(&mut self, content: Content) {
        match content {
            Content::Run(mut run) => {
                let config = run.config.take().unwrap_or_default();
                self.run = run;
                self.replay(Content::Config(config));
            }
            Content::Config(update) => {
                for item in update.update {
                    let name = path_of(&item)[0].clone();
                    self.config.retain(|(other, _)| *other != name);
                    self.config.push((name, Json::parsed(&item.value_json)));
                }
            }
            Content::Metric(metric) => self.metrics.remember(metric),
            Content::History(history) => {
                let mut row = Leaves::default();
                for item in &history.item {
                    row.put(path_of(item), Json::parsed(&item.value_json));
                }
                self.metrics.complete(&mut row);
                self.summary.add(&row, &self.metrics);
                let step = history.step.map_or(0, |step| step.num);
                self.rows.go_on_after(u64::try_from(step).unwrap_or(0));
            }
            Content::Summary(update) => {
                for item in update.update {
                    let value = Json::parsed(&item.value_json);
                    self.summary.restore(path_of(&item), value);
                }
            }
            _ => {}
        }
    }

    /// Whether the run is sent while it goes on.
    pub(super) fn is_online(&self) -> bool {
        self.folder.is_online()
    }

    fn write_start(&mut self, record: &RunRecord) -> Result<(), WandbError> {
        let header = Header {
            version_info: Some(Version {
                producer: format!("strata {}", record.program_version),
                min_consumer: MIN_CONSUMER.to_owned(),
            }),
        };
        let environment = environment_message(record)?;
        let telemetry = Telemetry {
            cli_version: WANDB_VERSION.to_owned(),
            platform: platform(),
            ..Telemetry::default()
        };
        self.folder
            .write("wandb-metadata.json", &metadata_json(&environment, record))?;
        let mut run = self.run.clone();
        run.config = Some(Update::of(items(&self.config)));
        self.write([
            Content::Header(header),
            Content::Run(run),
            Content::Environment(environment),
            Content::Telemetry(telemetry),
        ])
    }

    /// Takes an event; what W&B has no place for is left out.
    pub(super) fn take(&mut self, event: &Event) -> Result<(), WandbError> {
        match event {
            Event::Log(logged) => {
                let placement = Placement {
                    step: logged.step,
                    commit: logged.commit,
                    time_s: seconds(Timestamp::now()),
                };
                self.log_fields(&logged.values, placement)
            }
            Event::DefineMetric(definition) => {
                let metric = self.metrics.define(definition)?;
                self.write([Content::Metric(metric)])
            }
            Event::Config(fields) => self.add_config(fields),
            Event::Summary(fields) => {
                // The open row came first, so that its values do not replace what is said now.
                self.close_row()?;
                let update = self.summary.set(fields);
                self.write([Content::Summary(Update::of(update))])
            }
            Event::Init(init) => self.add_config(&init.config),
            Event::Update(update) => {
                let run = &mut self.run;
                run.display_name
                    .clone_from(update.name.as_ref().unwrap_or(&run.display_name.clone()));
                run.notes
                    .clone_from(update.notes.as_ref().unwrap_or(&run.notes.clone()));
                run.tags
                    .clone_from(update.tags.as_ref().unwrap_or(&run.tags.clone()));
                let run = run.clone();
                self.write([Content::Run(run)])
            }
            Event::Print(text) => self.print(text, 1),
            Event::PrintError(text) => self.print(text, 0),
            Event::Alert(alert) => self.write([Content::Alert(Alert {
                title: alert.title.clone(),
                text: alert.text.clone(),
                level: alert.level.clone(),
            })]),
            Event::Artifact(artifact) => {
                let record = artifact::record(artifact, &self.run)?;
                self.write([Content::Artifact(record)])
            }
            Event::HyperParameters { .. } | Event::PurgeStep(_) | Event::Finish { .. } => Ok(()),
        }
    }

    fn log_fields(&mut self, fields: &Fields, placement: Placement) -> Result<(), WandbError> {
        self.rows.check(placement)?;
        let files = self.folder.files();
        let run_id = self.run.run_id.clone();
        let mut media = Media::new(&files, self.rows.step(), &run_id);
        let mut values = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            values.push((vec![name.clone()], media.resolve(name, value)?));
        }
        let (written, warnings, tables) = media.into_written();
        for warning in warnings {
            self.print(warning, 0)?;
        }
        let records = written.into_iter().map(|path| {
            Content::Files(Files {
                files: vec![FileItem { path }],
            })
        });
        self.write(records.collect::<Vec<_>>())?;
        for table in tables {
            let file = self
                .folder
                .store_apart(&table.client_id, table.json.as_bytes())?;
            let record = artifact::of_table(&table, &file, &self.run)?;
            self.write([Content::Artifact(record)])?;
        }
        self.log(values, placement)
    }

    /// Adds values to the row of a step.
    pub(super) fn log(
        &mut self,
        values: impl IntoIterator<Item = (Path, Json)>,
        placement: Placement,
    ) -> Result<(), WandbError> {
        for row in self.rows.log(values, placement)? {
            self.write_row(row)?;
        }
        Ok(())
    }

    fn close_row(&mut self) -> Result<(), WandbError> {
        self.rows.close().map_or(Ok(()), |row| self.write_row(row))
    }

    fn write_row(&mut self, mut row: CommittedRow) -> Result<(), WandbError> {
        self.metrics.complete(&mut row.leaves);
        let update = self.summary.add(&row.leaves, &self.metrics);
        let history = History {
            item: row.leaves.items(),
            step: Some(HistoryStep {
                num: row.step as i64,
            }),
        };
        self.write([
            Content::Summary(Update::of(update)),
            Content::History(history),
        ])
    }

    fn add_config(&mut self, fields: &Fields) -> Result<(), WandbError> {
        let fields = plain_fields(fields);
        let update = items(&fields);
        for (name, value) in fields {
            self.config.retain(|(other, _)| *other != name);
            self.config.push((name, value));
        }
        self.write([Content::Config(Update::of(update))])
    }

    fn print(&mut self, text: &str, output_type: i32) -> Result<(), WandbError> {
        let path = self.folder.files().join("output.log");
        let failed = |source| WandbError::Write {
            path: path.clone(),
            source,
        };
        let file = match self.output.take() {
            Some(file) => file,
            None => fs_err::OpenOptions::new()
                .create(true)
                .append(true)
                .open(&path)
                .map_err(failed)?,
        };
        self.output
            .insert(file)
            .write_all(text.as_bytes())
            .map_err(failed)?;
        self.write([Content::Output(Output {
            output_type,
            timestamp: Some(Timestamp::now().into()),
            line: text.to_owned(),
        })])
    }

    /// Writes the end and the files that `wandb sync` would write, for whoever looks before.
    pub(super) fn finish(&mut self, exit_code: i32) -> Result<(), WandbError> {
        self.close_row()?;
        let elapsed_s = (seconds(Timestamp::now()) - seconds(self.started)).max(0.0);
        let runtime = Json::Integer(elapsed_s as i64).written(NotANumber::Null);
        let nested = ["_wandb".to_owned(), "runtime".to_owned()];
        let update = vec![
            item(&nested, runtime.clone()),
            item(&["_runtime".to_owned()], runtime),
        ];
        self.folder
            .write("config.yaml", &config_yaml(&self.config))?;
        let summary = self.summary.tree().written(NotANumber::Null);
        self.folder.write("wandb-summary.json", &summary)?;
        // The last record comes last: whoever sends the run takes it for complete then.
        self.write([
            Content::Summary(Update::of(update)),
            Content::Exit(Exit {
                exit_code,
                runtime: elapsed_s as i32,
            }),
        ])?;
        Ok(self.log.sync()?)
    }

    /// What the machine is doing.
    pub(super) fn write_stats(&mut self, stats: Stats) -> Result<(), WandbError> {
        self.write([Content::Stats(stats)])
    }

    /// The transaction log.
    pub(super) fn log_path(&self) -> std::path::PathBuf {
        self.folder.log()
    }

    /// More follows at once: see [`TransactionLog::hold`].
    pub(super) fn hold(&mut self) {
        self.log.hold();
    }

    /// Writes what is held.
    pub(super) fn flush(&mut self) -> Result<(), WandbError> {
        Ok(self.log.flush()?)
    }

    /// How far the log has whole records.
    pub(super) fn length(&self) -> u64 {
        self.log.length()
    }

    /// Records told together are written together: a kill leaves all of them or none.
    fn write(&mut self, contents: impl IntoIterator<Item = Content>) -> Result<(), WandbError> {
        let first = self.n_records;
        let mut records = Vec::new();
        for (num, content) in (first + 1..).zip(contents) {
            let content = Some(content);
            records.push(Record { num, content }.encode_to_vec());
        }
        if records.is_empty() {
            return Ok(());
        }
        self.log.append(&records)?;
        self.n_records = first + records.len() as i64;
        Ok(())
    }
}

/// Seconds since 1970-01-01 UTC.
fn seconds(time: Timestamp) -> f64 {
    time.as_microsecond() as f64 / 1e6
}

fn plain_fields(fields: &Fields) -> Vec<(String, Json)> {
    let fields = fields.iter();
    fields
        .map(|(name, value)| (name.clone(), Json::plain(value)))
        .collect()
}

fn items(fields: &[(String, Json)]) -> Vec<Item> {
    let fields = fields.iter();
    fields
        .map(|(name, value)| item(std::slice::from_ref(name), value.written(NotANumber::Null)))
        .collect()
}

fn run_message(id: String, settings: &Settings, record: &RunRecord, init: &Init) -> Run {
    let either = |init: &Option<String>, setting: &Option<String>| {
        init.clone().or_else(|| setting.clone()).unwrap_or_default()
    };
    let resume = either(&init.resume, &settings.resume);
    Run {
        run_id: id,
        entity: either(&init.entity, &settings.entity),
        project: either(&init.project, &settings.project),
        config: None,
        run_group: either(&init.group, &settings.group),
        job_type: either(&init.job_type, &settings.job_type),
        display_name: either(&init.name, &settings.name),
        notes: either(&init.notes, &settings.notes),
        tags: if init.tags.is_empty() {
            settings.tags.clone()
        } else {
            init.tags.clone()
        },
        host: record.host.clone().unwrap_or_default(),
        start_time: Some(record.started.into()),
        git: git_message(record),
        resume: matches!(resume.as_str(), "allow" | "must" | "auto"),
        ..Run::default()
    }
}

fn git_message(record: &RunRecord) -> Option<Git> {
    record.git.as_ref().map(|git| Git {
        commit: git.commit.clone(),
        remote_url: git.remote.clone().unwrap_or_default(),
    })
}

fn platform() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

fn environment_message(record: &RunRecord) -> Result<Environment, WandbError> {
    let path = |path: std::io::Result<std::path::PathBuf>| {
        path.map(|path| path.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let mut command_line = record.command_line.iter().cloned();
    Ok(Environment {
        os: platform(),
        started_at: Some(record.started.into()),
        program: command_line.next().unwrap_or_default(),
        args: command_line.collect(),
        git: git_message(record),
        root: path(std::env::current_dir()),
        host: record.host.clone().unwrap_or_default(),
        executable: path(std::env::current_exe()),
        cpu_count_logical: std::thread::available_parallelism().map_or(0, |n| n.get() as u32),
        writer_id: random_uuid()?,
        ..Environment::default()
    })
}

fn metadata_json(environment: &Environment, record: &RunRecord) -> String {
    let metadata = serde_json::json!({
        "os": environment.os,
        "startedAt": record.started,
        "args": environment.args,
        "program": environment.program,
        "git": environment.git.as_ref().map(|git| serde_json::json!({"commit": git.commit})),
        "root": environment.root,
        "host": environment.host,
        "executable": environment.executable,
        "cpu_count_logical": environment.cpu_count_logical,
        "writerId": environment.writer_id,
    });
    format!("{metadata:#}\n")
}
