//! The summary: what is left of every metric at the end.

use indexmap::IndexMap;

use super::json::{Json, NotANumber};
use super::leaves::{Leaves, Path, item};
use super::messages::{Item, MetricSummary};
use super::metrics::Metrics;
use crate::Fields;

/// The last value of every metric, or what its definition says, and what the run said explicitly.
#[derive(Debug, Default)]
pub(super) struct RunSummary {
    values: Leaves,
    aggregates: IndexMap<Path, Aggregate>,
}

impl RunSummary {
    /// Takes in a row and returns what it changes. Null changes nothing.
    pub(super) fn add(&mut self, row: &Leaves, metrics: &Metrics) -> Vec<Item> {
        let mut changed = Leaves::default();
        for (path, value) in row.iter() {
            match metrics.summary_of(path) {
                Some(kinds) if kinds.none => {}
                Some(kinds) if !kinds.copy => {
                    let aggregate = self.aggregates.entry(path.clone()).or_default();
                    aggregate.add(value);
                    changed.put(path.clone(), aggregate.shown(kinds));
                }
                _ if *value == Json::Null => {}
                _ => changed.put(path.clone(), value.clone()),
            }
        }
        for (path, value) in changed.iter() {
            self.values.put(path.clone(), value.clone());
        }
        changed.items()
    }

    /// Takes the run's own word on some values and returns what it changes.
    pub(super) fn set(&mut self, fields: &Fields) -> Vec<Item> {
        let mut items = Vec::new();
        for (name, value) in fields {
            let path = [name.clone()];
            let value = Json::plain(value);
            items.push(item(&path, value.written(NotANumber::Null)));
            self.values.remove(&path);
            self.values.put(path.to_vec(), value);
        }
        items
    }

    /// Takes up what a run that goes on had said.
    pub(super) fn restore(&mut self, path: Path, value: Json) {
        self.values.put(path, value);
    }

    /// The whole of it.
    pub(super) fn tree(&self) -> Json {
        self.values.tree()
    }
}

/// What is known of the values of a metric.
#[derive(Debug, Default)]
struct Aggregate {
    min: Option<f64>,
    max: Option<f64>,
    sum: f64,
    count: u64,
    first: Option<Json>,
    last: Option<Json>,
}

impl Aggregate {
    fn add(&mut self, value: &Json) {
        if *value == Json::Null {
            return;
        }
        self.first.get_or_insert_with(|| value.clone());
        self.last = Some(value.clone());
        let number = match *value {
            Json::Integer(integer) => integer as f64,
            Json::Number(number) => number,
            _ => return,
        };
        self.min = Some(self.min.map_or(number, |min| lesser(min, number)));
        self.max = Some(self.max.map_or(number, |max| -lesser(-max, -number)));
        self.sum += number;
        self.count += 1;
    }

    fn shown(&self, kinds: &MetricSummary) -> Json {
        let number = |number: Option<f64>| number.map(Json::Number);
        let mean = (self.count > 0).then(|| self.sum / self.count as f64);
        // wandb 0.31 has no way any more to say which way is good; what remains of `best` is the last value.
        let shown = [
            ("min", kinds.min, number(self.min)),
            ("max", kinds.max, number(self.max)),
            ("mean", kinds.mean, number(mean)),
            ("first", kinds.first, self.first.clone()),
            ("last", kinds.last || kinds.best, self.last.clone()),
        ];
        let fields = shown.into_iter().filter(|(_, is_kept, _)| *is_kept);
        Json::Map(
            fields
                .filter_map(|(name, _, value)| Some((name.to_owned(), value?)))
                .collect(),
        )
    }
}

/// As in wandb NaN, once seen, stays.
fn lesser(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.min(b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MetricDefinition, Value};

    fn define(metrics: &mut Metrics, name: &str, step_metric: Option<&str>, summary: &[&str]) {
        let definition = MetricDefinition {
            name: name.to_owned(),
            step_metric: step_metric.map(str::to_owned),
            hidden: false,
            summary: summary.iter().map(|&kind| kind.to_owned()).collect(),
        };
        metrics.define(&definition).expect("a good definition");
    }

    fn row(values: &[(&str, f64)]) -> Leaves {
        let mut row = Leaves::default();
        for (name, value) in values {
            row.put(vec![(*name).to_owned()], Json::Number(*value));
        }
        row
    }

    /// Definitions, rows and summary of a script that ran under wandb 0.31.0.
    #[test]
    fn a_metric_is_summed_up_as_it_is_defined() {
        let mut metrics = Metrics::default();
        let mut summary = RunSummary::default();
        define(&mut metrics, "val/*", Some("ep"), &["min", "mean"]);
        define(&mut metrics, "m", None, &["max", "min", "mean"]);
        define(&mut metrics, "hidden", None, &["none"]);
        for values in [
            &[
                ("ep", 1.0),
                ("val/a", 3.0),
                ("m", f64::NAN),
                ("b", 1.0),
                ("hidden", 1.0),
            ][..],
            &[("val/a", 2.5), ("m", 2.0), ("b", 0.5)],
        ] {
            let mut row = row(values);
            metrics.complete(&mut row);
            assert!(row.iter().any(|(path, _)| path == &["ep"]), "step_sync");
            summary.add(&row, &metrics);
        }
        assert_eq!(
            summary.tree().written(NotANumber::Bare),
            r#"{"ep":1,"val/a":{"min":2.5,"mean":2.75},"m":{"min":NaN,"max":NaN,"mean":NaN},"b":0.5}"#
        );
    }

    #[test]
    fn what_the_run_says_itself_replaces_what_follows_from_rows() {
        let mut summary = RunSummary::default();
        summary.add(&row(&[("best", 1.0)]), &Metrics::default());
        let fields = Fields::from_iter([("best".to_owned(), Value::Number(f64::NAN))]);
        assert_eq!(summary.set(&fields)[0].value_json, "null");
    }
}
