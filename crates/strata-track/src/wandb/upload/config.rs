//! A run's configuration as the server and `config.yaml` have it: the user's keys, and what wandb knows under `_wandb`.

use serde_json::{Map, Value, json};

use super::tree::Tree;
use crate::wandb::config_file::config_yaml;
use crate::wandb::json::Json;
use crate::wandb::messages::{Environment, Metric, MetricSummary, Telemetry, Update};

/// Keys as they are told.
#[derive(Debug, Default)]
pub(super) struct RunConfig {
    tree: Tree,
    metrics: Vec<Metric>,
    telemetry: Telemetry,
    environment: Option<Environment>,
}

impl RunConfig {
    pub(super) fn update(&mut self, update: &Update) {
        update.update.iter().for_each(|item| self.tree.put(item));
        update.remove.iter().for_each(|item| self.tree.remove(item));
    }

    /// A second definition of the same metric replaces the first.
    pub(super) fn define(&mut self, metric: Metric) {
        let same = |other: &&mut Metric| {
            (&other.name, &other.glob_name) == (&metric.name, &metric.glob_name)
        };
        match self.metrics.iter_mut().find(same) {
            Some(other) => *other = metric,
            None => self.metrics.push(metric),
        }
    }

    /// Later words on the same go before earlier ones.
    pub(super) fn tell(&mut self, telemetry: Telemetry) {
        let known = &mut self.telemetry;
        known.feature.extend(telemetry.feature);
        for (known, told) in [
            (&mut known.cli_version, telemetry.cli_version),
            (&mut known.python_version, telemetry.python_version),
            (&mut known.platform, telemetry.platform),
            (&mut known.core_version, telemetry.core_version),
        ] {
            if !told.is_empty() {
                *known = told;
            }
        }
    }

    pub(super) fn place(&mut self, environment: Environment) {
        self.environment = Some(environment);
    }

    pub(super) fn environment(&self) -> Option<&Environment> {
        self.environment.as_ref()
    }

    /// The text that goes to the server: `{"KEY": {"value": …}, …}`.
    pub(super) fn json(&self) -> String {
        let mut wrapped = Tree::default();
        for (name, value) in self.tree.entries() {
            wrapped.set(name, format!(r#"{{"value":{value}}}"#));
        }
        let known = json!({"value": self.known()});
        wrapped.set("_wandb", known.to_string());
        wrapped.json()
    }

    /// The same as `config.yaml`.
    pub(super) fn yaml(&self) -> String {
        let mut entries: Vec<(String, Json)> = self
            .tree
            .entries()
            .map(|(name, value)| (name.to_owned(), Json::parsed(&value)))
            .collect();
        entries.push(("_wandb".to_owned(), Json::parsed(&self.known().to_string())));
        config_yaml(&entries)
    }

    fn known(&self) -> Value {
        let mut known = Map::new();
        let telemetry = &self.telemetry;
        if !telemetry.cli_version.is_empty() {
            known.insert("cli_version".to_owned(), json!(telemetry.cli_version));
        }
        if !telemetry.python_version.is_empty() {
            known.insert("python_version".to_owned(), json!(telemetry.python_version));
        }
        known.insert("m".to_owned(), self.metrics());
        // By field numbers of the message; a run without `t` counts as one that has not begun.
        let mut told = Map::new();
        told.insert("3".to_owned(), json!(features(&telemetry.feature)));
        for (number, text) in [
            ("4", &telemetry.python_version),
            ("5", &telemetry.cli_version),
            ("12", &telemetry.core_version),
            ("13", &telemetry.platform),
        ] {
            if !text.is_empty() {
                told.insert(number.to_owned(), json!(text));
            }
        }
        known.insert("t".to_owned(), Value::Object(told));
        if let Some(environment) = &self.environment {
            let writer = environment.writer_id.clone();
            known.insert("e".to_owned(), json!({writer: metadata(environment)}));
        }
        Value::Object(known)
    }

    /// By field numbers of `MetricRecord`; a step metric is named by its place in the list, from 1.
    fn metrics(&self) -> Value {
        let mut names: Vec<&str> = Vec::new();
        let mut list = Vec::new();
        for metric in &self.metrics {
            names.push(&metric.name);
            let options = metric.options.clone().unwrap_or_default();
            let options = [
                (1, options.step_sync),
                (3, options.defined && metric.glob_name.is_empty()),
                (2, options.hidden),
            ];
            let summary = metric.summary.as_ref().map(summary_numbers);
            let mut entry = Map::new();
            let name = if metric.glob_name.is_empty() {
                ("1", &metric.name)
            } else {
                ("2", &metric.glob_name)
            };
            entry.insert(name.0.to_owned(), json!(name.1));
            entry.insert("6".to_owned(), json!(true_ones(&options)));
            entry.insert("7".to_owned(), json!(summary.unwrap_or_default()));
            list.push(entry);
        }
        for index in 0..self.metrics.len() {
            let step_metric = &self.metrics[index].step_metric;
            if step_metric.is_empty() {
                continue;
            }
            let place = names.iter().position(|name| name == step_metric);
            let place = place.unwrap_or_else(|| {
                names.push(step_metric);
                let entry = [("1".to_owned(), json!(step_metric))];
                list.push(entry.into_iter().collect());
                names.len() - 1
            });
            list[index].insert("5".to_owned(), json!(place + 1));
        }
        json!(list)
    }
}

fn true_ones(flags: &[(u32, bool)]) -> Vec<u32> {
    let set = flags.iter().filter(|(_, is_set)| *is_set);
    set.map(|&(number, _)| number).collect()
}

fn summary_numbers(summary: &MetricSummary) -> Vec<u32> {
    true_ones(&[
        (1, summary.min),
        (2, summary.max),
        (3, summary.mean),
        (4, summary.best),
        (5, summary.last),
        (6, summary.none),
        (7, summary.copy),
        (8, summary.first),
    ])
}

/// The numbers of the fields that are true in a message of truth values; what cannot be read ends them.
fn features(mut message: &[u8]) -> Vec<u32> {
    let mut numbers = Vec::new();
    while let Ok((number, kind)) = prost::encoding::decode_key(&mut message) {
        let value = prost::encoding::decode_varint(&mut message);
        match (kind, value) {
            (prost::encoding::WireType::Varint, Ok(value)) => {
                if value != 0 && !numbers.contains(&number) {
                    numbers.push(number);
                }
            }
            _ => break,
        }
    }
    numbers.sort_unstable();
    numbers
}

/// `wandb-metadata.json`, without what is not known.
pub(super) fn metadata(environment: &Environment) -> Value {
    let started = environment.started_at.and_then(|time| {
        let time = jiff::Timestamp::new(time.seconds, time.nanos).ok()?;
        Some(time.to_string())
    });
    let git = environment.git.as_ref();
    let git = git.map(|git| json!({"remote": git.remote_url, "commit": git.commit}));
    let text = |text: &str| (!text.is_empty()).then(|| json!(text));
    let facts = [
        ("os", text(&environment.os)),
        ("python", text(&environment.python)),
        ("startedAt", started.map(Value::String)),
        (
            "args",
            (!environment.args.is_empty()).then(|| json!(environment.args)),
        ),
        ("program", text(&environment.program)),
        ("git", git),
        ("root", text(&environment.root)),
        ("host", text(&environment.host)),
        ("executable", text(&environment.executable)),
        (
            "cpu_count_logical",
            (environment.cpu_count_logical > 0).then(|| json!(environment.cpu_count_logical)),
        ),
        ("writerId", text(&environment.writer_id)),
    ];
    let known = facts.into_iter();
    Value::Object(
        known
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect(),
    )
}
