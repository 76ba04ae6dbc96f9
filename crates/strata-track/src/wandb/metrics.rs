//! What `define_metric` said: the x axis of a metric and what its summary keeps.

use indexmap::IndexMap;

use super::WandbError;
use super::json::Json;
use super::leaves::Leaves;
use super::messages::{Metric, MetricOptions, MetricSummary};
use crate::MetricDefinition;

/// The definitions so far. A full name goes before a pattern, an earlier pattern before a later one.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    named: IndexMap<String, Metric>,
    /// Without the `*` at their end.
    patterns: IndexMap<String, Metric>,
    /// Step metric → its last value, for the rows that lack it.
    last_steps: IndexMap<String, Option<Json>>,
}

impl Metrics {
    /// Takes a definition and returns its record; a second one of the same name replaces the first.
    pub(super) fn define(&mut self, definition: &MetricDefinition) -> Result<Metric, WandbError> {
        let mut metric = record(definition)?;
        match definition.name.strip_suffix('*') {
            Some(prefix) if !prefix.contains('*') => {
                metric.glob_name = std::mem::take(&mut metric.name);
            }
            None if !definition.name.contains('*') && !definition.name.is_empty() => {}
            _ => return Err(WandbError::MetricPattern(definition.name.clone())),
        }
        self.remember(metric.clone());
        Ok(metric)
    }

    /// Takes the record of a definition.
    pub(super) fn remember(&mut self, metric: Metric) {
        if !metric.step_metric.is_empty() {
            self.last_steps
                .entry(metric.step_metric.clone())
                .or_default();
        }
        match metric.glob_name.strip_suffix('*') {
            Some(prefix) => self.patterns.insert(prefix.to_owned(), metric),
            None => self.named.insert(metric.name.clone(), metric),
        };
    }

    /// What the summary keeps of a metric; `None` for its last value, plain.
    pub(super) fn summary_of(&self, path: &[String]) -> Option<&MetricSummary> {
        if self.named.is_empty() && self.patterns.is_empty() {
            return None;
        }
        self.of(&path.join("."))?.summary.as_ref()
    }

    fn of(&self, name: &str) -> Option<&Metric> {
        self.named.get(name).or_else(|| {
            self.patterns
                .iter()
                .find(|(prefix, _)| name.starts_with(prefix.as_str()))
                .map(|(_, metric)| metric)
        })
    }

    /// Adds to a row the step metrics that its metrics are drawn against and that it lacks.
    pub(super) fn complete(&mut self, row: &mut Leaves) {
        if self.last_steps.is_empty() {
            return;
        }
        let names: Vec<String> = row.iter().map(|(path, _)| path.join(".")).collect();
        let mut missing = IndexMap::new();
        for name in &names {
            let Some(metric) = self.of(name) else {
                continue;
            };
            let step_metric = &metric.step_metric;
            if names.contains(step_metric) {
                continue;
            }
            if let Some(Some(value)) = self.last_steps.get(step_metric) {
                missing.insert(step_metric.clone(), value.clone());
            }
        }
        for (path, value) in row.iter() {
            if let Some(last) = self.last_steps.get_mut(&path.join(".")) {
                *last = Some(value.clone());
            }
        }
        for (name, value) in missing {
            row.put(vec![name], value);
        }
    }
}

fn record(definition: &MetricDefinition) -> Result<Metric, WandbError> {
    let mut summary = MetricSummary::default();
    for kind in &definition.summary {
        let field = match kind.as_str() {
            "min" => &mut summary.min,
            "max" => &mut summary.max,
            "mean" => &mut summary.mean,
            "best" => &mut summary.best,
            "last" => &mut summary.last,
            "none" => &mut summary.none,
            "copy" => &mut summary.copy,
            "first" => &mut summary.first,
            _ => return Err(WandbError::SummaryKind(kind.clone())),
        };
        *field = true;
    }
    Ok(Metric {
        name: definition.name.clone(),
        glob_name: String::new(),
        step_metric: definition.step_metric.clone().unwrap_or_default(),
        options: Some(MetricOptions {
            step_sync: definition.step_metric.is_some(),
            hidden: definition.hidden,
            defined: true,
        }),
        summary: (!definition.summary.is_empty()).then_some(summary),
    })
}
