//! Hydra's basic sweeper: every combination of the values, the last key changing fastest.

use indexmap::IndexMap;

use crate::composition::Composition;
use crate::error::ConfigError;
use crate::fnmatch::fnmatch;
use crate::node::{Node, Value};
use crate::overrides::ast::{Choice, Glob, Override, OverrideValue, Sweep};
use crate::overrides::element::text_of;
use crate::overrides::parser::parse_override_from;
use crate::python;
use crate::search_path::SearchPath;

/// The jobs of a sweep in the order in which they run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepPlan {
    /// The overrides of each job, without those of the hydra node.
    pub jobs: Vec<Vec<String>>,
    /// `hydra.sweeper.max_batch_size`: as many jobs are composed before the first of them runs; none
    /// for all.
    pub max_batch_size: Option<usize>,
}

/// More jobs than any machine runs, few enough to fit into memory.
const MOST_JOBS: usize = 1_000_000;

/// One factor of the product: a key's values, or the values of all zipped keys side by side.
struct Axis {
    keys: Vec<String>,
    /// One row a step, one value a key.
    rows: Vec<Vec<String>>,
    zipped: bool,
}

/// The jobs that `hydra.sweeper.params` and the overrides of a composition stand for.
pub(crate) fn plan(
    composition: &Composition,
    overrides: &[Override],
    search_path: &SearchPath,
) -> Result<SweepPlan, ConfigError> {
    let mut all = params(composition)?;
    all.extend(overrides.iter().cloned());
    // A later value of a key replaces an earlier one and keeps its place.
    let mut by_key: IndexMap<String, Override> = IndexMap::new();
    for override_ in all {
        if override_.sweep().is_some() && crate::hydra_node::is_of_hydra(&override_) {
            let title = format!(
                "Sweeping over Hydra's configuration is not supported : '{}'",
                override_.text()
            );
            return Err(ConfigError::at(
                title,
                Some(&override_.span()),
                "this sweep",
            ));
        }
        by_key.insert(override_.left_side(), override_);
    }
    let mut axes: Vec<Axis> = Vec::new();
    for (key, override_) in by_key {
        if crate::hydra_node::is_of_hydra(&override_) {
            continue;
        }
        let zipped = matches!(
            override_.sweep(),
            Some(Sweep::Choice(Choice { zipped: true, .. }))
        );
        let values = values(&override_, search_path)?;
        let texts = values.into_iter().map(|value| format!("{key}={value}"));
        match axes.iter_mut().find(|axis| zipped && axis.zipped) {
            Some(axis) => axis.join(key.clone(), texts.collect(), &override_)?,
            None => axes.push(Axis {
                keys: vec![key.clone()],
                rows: texts.map(|text| vec![text]).collect(),
                zipped,
            }),
        }
    }
    Ok(SweepPlan {
        jobs: product(&axes)?,
        max_batch_size: max_batch_size(composition)?,
    })
}

/// `hydra.sweeper.params`: keys and the values that would stand behind them on the command line.
pub(crate) fn params(composition: &Composition) -> Result<Vec<Override>, ConfigError> {
    let Some(node) = composition.select("hydra.sweeper.params")? else {
        return Ok(Vec::new());
    };
    let map = match &node.value {
        Value::Null => return Ok(Vec::new()),
        Value::Map(map) => map,
        _ => {
            return Err(ConfigError::at(
                "hydra.sweeper.params must be a mapping of keys to their values",
                node.origin.as_ref(),
                "here",
            ));
        }
    };
    let parsed = map.iter().map(|(key, value)| {
        let text = format!("{key}={}", python::str_of(value));
        let source = strata_diag::Source::new("hydra.sweeper.params", text);
        parse_override_from(&source)
    });
    parsed.collect()
}

/// The canonical texts of an override's values.
fn values(override_: &Override, search_path: &SearchPath) -> Result<Vec<String>, ConfigError> {
    match &override_.value {
        None => Ok(vec!["null".to_owned()]),
        Some(OverrideValue::Element(element)) => Ok(vec![text_of(element)]),
        Some(OverrideValue::Sweep(Sweep::Glob(glob))) => {
            Ok(glob.options_of(&override_.key, search_path))
        }
        Some(OverrideValue::Sweep(Sweep::Interval(_))) => {
            let title = format!(
                "the basic sweeper cannot enumerate the interval of `{}`",
                override_.text()
            );
            Err(ConfigError::at(title, Some(&override_.span()), "an interval")
                .help("give single values: `choice(…)` or `range(…)`; a search takes intervals: `hydra/sweeper=optuna`"))
        }
        Some(OverrideValue::Sweep(sweep)) => sweep.texts().map_err(|problem| {
            let title = format!(
                "the sweep `{}` has no values: {}",
                override_.text(),
                problem.what
            );
            ConfigError::at(title, Some(&override_.span()), "this sweep")
        }),
    }
}

impl Glob {
    /// The options of a group whose names fit, sorted.
    fn options_of(&self, group: &str, search_path: &SearchPath) -> Vec<String> {
        let fits =
            |name: &str, patterns: &[String]| patterns.iter().any(|pattern| fnmatch(pattern, name));
        let mut options = search_path.options(group);
        options.retain(|name| fits(name, &self.include) && !fits(name, &self.exclude));
        options
    }
}

impl Axis {
    /// Puts a zipped key beside those that are there.
    fn join(
        &mut self,
        key: String,
        texts: Vec<String>,
        override_: &Override,
    ) -> Result<(), ConfigError> {
        if texts.len() != self.rows.len() {
            let title = format!(
                "zipped sweeps must have equally many values: `{}` has {}, `{key}` has {}",
                self.keys.join("`, `"),
                self.rows.len(),
                texts.len()
            );
            return Err(ConfigError::at(title, Some(&override_.span()), "this one"));
        }
        for (row, text) in self.rows.iter_mut().zip(texts) {
            row.push(text);
        }
        self.keys.push(key);
        Ok(())
    }
}

fn product(axes: &[Axis]) -> Result<Vec<Vec<String>>, ConfigError> {
    let jobs = axes
        .iter()
        .try_fold(1_usize, |jobs, axis| jobs.checked_mul(axis.rows.len()))
        .filter(|jobs| *jobs <= MOST_JOBS);
    let Some(jobs) = jobs else {
        return Err(ConfigError::message(format!(
            "the sweep has more than {MOST_JOBS} jobs"
        )));
    };
    let job = |number: usize| {
        let mut rest = number;
        let mut rows: Vec<&[String]> = Vec::with_capacity(axes.len());
        for axis in axes.iter().rev() {
            rows.push(&axis.rows[rest % axis.rows.len()]);
            rest /= axis.rows.len();
        }
        rows.into_iter().rev().flatten().cloned().collect()
    };
    Ok((0..jobs).map(job).collect())
}

fn max_batch_size(composition: &Composition) -> Result<Option<usize>, ConfigError> {
    let node = composition.select("hydra.sweeper.max_batch_size")?;
    match node.as_ref().map(|node| &node.value) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Int(size)) if *size > 0 => Ok(usize::try_from(*size).ok()),
        Some(_) => {
            let node = node.unwrap_or_else(|| Node::new(Value::Null));
            let title = format!(
                "hydra.sweeper.max_batch_size must be a positive integer or null, not `{}`",
                python::str_of(&node)
            );
            Err(ConfigError::at(title, node.origin.as_ref(), "this value"))
        }
    }
}
