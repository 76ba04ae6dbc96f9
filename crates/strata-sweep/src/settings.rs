//! What `hydra.sweeper` and `hydra.launcher` say, typed.

use std::time::Duration;

use strata_config::{Composition, Node, Value};
use strata_json::Json;
use strata_study::pruners::{
    HyperbandPruner, NopPruner, PatientPruner, PercentilePruner, SuccessiveHalvingPruner,
    ThresholdPruner, WilcoxonPruner,
};
use strata_study::samplers::{
    CmaEsOptions, CmaEsSampler, GpOptions, GpSampler, GridSampler, NsgaIiOptions, NsgaIiSampler,
    QmcOptions, QmcSampler, RandomSampler, Sequence, TpeOptions, TpeSampler,
};
use strata_study::{Direction, Pruner, Sampler};

use crate::error::SweepError;

/// What `hydra/sweeper=strata` searches with: docs/design/0004-sweeps.md has the measurements.
const OWN_GP: &str = "gp (strata)";

/// The same where parameters have conditions, which the Gaussian process does not see.
const OWN_TPE: &str = "tpe (strata)";

/// How a sweep finds its jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// All combinations of the values.
    Grid,
    /// A sampler proposes them.
    Search,
}

/// What a search is told.
pub struct SearchSettings {
    /// What is better.
    pub direction: Direction,
    /// `training.sweep.metric`: what is optimised.
    pub metric: String,
    /// Trials of this sweep.
    pub n_trials: u64,
    /// `training.epochs`, which a trial may vary.
    pub epochs: usize,
    /// Jobs side by side.
    pub workers: usize,
    /// Ends the sweep when more than this part of the trials has failed.
    pub max_failure_rate: f64,
    /// No trial begins later than this.
    pub timeout: Option<Duration>,
    /// Where the study is kept, by Optuna's address; none for a journal in the sweep's directory.
    pub storage: Option<String>,
    /// The name of the study; none for one made of the sweep's directory.
    pub study_name: Option<String>,
    /// The seed of the sampler.
    pub seed: u64,
    /// What the sampler and the pruner are called.
    pub methods: (String, String),
    sampler: Keys,
    pruner: Keys,
}

/// A node with its path, from which parameters are taken by name.
#[derive(Clone)]
struct Keys {
    path: String,
    node: Option<Node>,
}

impl Method {
    /// The method of a composition.
    ///
    /// # Errors
    /// A sweeper that is not known.
    pub fn of(composition: &Composition) -> Result<Self, SweepError> {
        let sweeper = composition.sweeper()?;
        match sweeper.as_str() {
            "BasicSweeper" => Ok(Self::Grid),
            "OptunaSweeper" | "StrataSweeper" => Ok(Self::Search),
            other => {
                let title = format!("the sweeper `{other}` is not known");
                let help = "choose `hydra/sweeper=basic`, `optuna` or `strata`";
                Err(composition
                    .error_at("hydra.sweeper", &title, Some(help))
                    .into())
            }
        }
    }
}

impl Keys {
    fn of(composition: &Composition, path: &str) -> Result<Self, SweepError> {
        Ok(Self {
            path: path.to_owned(),
            node: composition.select(path)?,
        })
    }

    /// The text that the node is, or the last word of its `_target_` or `name`.
    fn name(&self) -> String {
        let Some(node) = &self.node else {
            return String::new();
        };
        let named = |key: &str| node.child(key).and_then(Node::as_str);
        let name = node
            .as_str()
            .or_else(|| named("_target_"))
            .or_else(|| named("name"));
        let name = name.unwrap_or_default();
        name.rsplit('.').next().unwrap_or_default().to_owned()
    }

    fn json(&self, key: &str) -> Option<Json> {
        json_of(self.node.as_ref()?.child(key)?)
    }

    fn whole(&self, key: &str) -> Option<i64> {
        self.json(key)?.as_i64()
    }

    fn float(&self, key: &str) -> Option<f64> {
        self.json(key)?.as_f64()
    }

    fn truth(&self, key: &str) -> Option<bool> {
        match self.json(key)? {
            Json::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    fn child(&self, key: &str) -> Self {
        Self {
            path: format!("{}.{key}", self.path),
            node: self.node.as_ref().and_then(|node| node.child(key)).cloned(),
        }
    }
}

/// A plain value as JSON; none for a mapping and for null.
fn json_of(node: &Node) -> Option<Json> {
    match &node.value {
        Value::Bool(truth) => Some(Json::Bool(*truth)),
        Value::Int(number) => Some(Json::Int(*number)),
        Value::Float(number) => Some(Json::Float(*number)),
        Value::Str(text) => Some(Json::Str(text.clone())),
        Value::List(items) => Some(Json::List(items.iter().filter_map(json_of).collect())),
        _ => None,
    }
}

impl SearchSettings {
    /// The settings of a composition.
    ///
    /// # Errors
    /// A value that makes no sense, or a direction that contradicts the metric's.
    pub fn of(composition: &Composition) -> Result<Self, SweepError> {
        let sweeper = Keys::of(composition, "hydra.sweeper")?;
        let refuse = |key: &str, problem: &str| -> SweepError {
            let path = format!("hydra.sweeper.{key}");
            let title = format!("`{path}` {problem}");
            composition.error_at(&path, &title, None).into()
        };
        let n_trials = sweeper.whole("n_trials").unwrap_or(20);
        let n_trials = u64::try_from(n_trials).map_err(|_| refuse("n_trials", "is below 0"))?;
        let timeout = sweeper.float("timeout").map(Duration::try_from_secs_f64);
        let timeout = timeout
            .transpose()
            .map_err(|_| refuse("timeout", "is no number of seconds"))?;
        if sweeper.json("custom_search_space").is_some() {
            return Err(refuse(
                "custom_search_space",
                "names a function of Python; say conditions by `hydra.sweeper.when` instead",
            ));
        }
        let sampler = sweeper.child("sampler");
        let named = sampler.name();
        let is_ours = sweeper.name() == "StrataSweeper" && named.is_empty();
        let sampler_name = if is_ours || named == "strata" {
            own_sampler(&sweeper).to_owned()
        } else {
            named
        };
        let pruner = sweeper.child("pruner");
        let seed = sampler.whole("seed");
        let seed = match seed {
            Some(seed) => seed as u64,
            None => composition.extract("training.seed")?,
        };
        let text = |key: &str| {
            sweeper
                .json(key)
                .and_then(|json| json.as_str().map(str::to_owned))
        };
        let settings = Self {
            direction: direction(composition)?,
            metric: composition.extract("training.sweep.metric")?,
            n_trials,
            epochs: composition.extract("training.epochs")?,
            workers: sweeper.whole("n_jobs").unwrap_or(1).max(1) as usize,
            max_failure_rate: sweeper.float("max_failure_rate").unwrap_or(0.0),
            timeout,
            storage: text("storage"),
            study_name: text("study_name"),
            seed,
            methods: (sampler_name, pruner.name()),
            sampler,
            pruner,
        };
        settings
            .sampler(&[])
            .map_err(|problem| refuse("sampler", &problem))?;
        settings
            .pruner()
            .map_err(|problem| refuse("pruner", &problem))?;
        Ok(settings)
    }

    /// The sampler; `grid` are the values of each parameter, for the one that tries all.
    ///
    /// # Errors
    /// It is not known.
    pub(crate) fn sampler(&self, grid: &[(String, Vec<Json>)]) -> Result<Box<dyn Sampler>, String> {
        let keys = &self.sampler;
        let count = |key: &str| keys.whole(key).and_then(|n| usize::try_from(n).ok());
        let tpe = TpeOptions::default();
        let tpe = |multivariate: bool| TpeOptions {
            n_startup_trials: count("n_startup_trials").unwrap_or(tpe.n_startup_trials),
            n_ei_candidates: count("n_ei_candidates").unwrap_or(tpe.n_ei_candidates),
            multivariate: keys.truth("multivariate").unwrap_or(multivariate),
            group: keys.truth("group").unwrap_or(false),
            constant_liar: keys.truth("constant_liar").unwrap_or(true),
            skip_duplicates: false,
        };
        Ok(match self.methods.0.as_str() {
            OWN_GP => Box::new(GpSampler::new(GpOptions {
                n_startup_trials: count("n_startup_trials")
                    .unwrap_or(GpOptions::default().n_startup_trials),
                use_pruned: true,
                skip_duplicates: true,
            })),
            OWN_TPE => Box::new(TpeSampler::new(TpeOptions {
                skip_duplicates: true,
                ..tpe(true)
            })),
            "TPESampler" | "tpe" => Box::new(TpeSampler::new(tpe(true))),
            "MOTPESampler" | "motpe" => Box::new(TpeSampler::new(tpe(false))),
            "RandomSampler" | "random" => Box::new(RandomSampler),
            "CmaEsSampler" | "cmaes" => {
                let default = CmaEsOptions::default();
                Box::new(CmaEsSampler::new(CmaEsOptions {
                    n_startup_trials: count("n_startup_trials").unwrap_or(default.n_startup_trials),
                    population_size: count("popsize"),
                }))
            }
            "GPSampler" | "gp" => {
                let default = GpOptions::default();
                Box::new(GpSampler::new(GpOptions {
                    n_startup_trials: count("n_startup_trials").unwrap_or(default.n_startup_trials),
                    ..default
                }))
            }
            "QMCSampler" | "qmc" => {
                let name = keys.json("qmc_type");
                Box::new(QmcSampler::new(QmcOptions {
                    sequence: match name.as_ref().and_then(Json::as_str) {
                        Some("halton") => Sequence::Halton,
                        _ => Sequence::Sobol,
                    },
                    scrambled: keys.truth("scramble").unwrap_or(false),
                }))
            }
            "NSGAIISampler" | "nsgaii" => {
                let default = NsgaIiOptions::default();
                Box::new(NsgaIiSampler::new(NsgaIiOptions {
                    population_size: count("population_size").unwrap_or(default.population_size),
                    crossover_prob: keys
                        .float("crossover_prob")
                        .unwrap_or(default.crossover_prob),
                    swapping_prob: keys.float("swapping_prob").unwrap_or(default.swapping_prob),
                    mutation_prob: keys.float("mutation_prob"),
                }))
            }
            "GridSampler" | "grid" => match GridSampler::new(grid.to_vec()) {
                Some(grid) => Box::new(grid),
                None => Box::new(RandomSampler),
            },
            other => {
                return Err(format!(
                    "is not known: `{other}`; samplers: tpe, gp, random, cmaes, qmc, nsgaii, motpe, grid"
                ));
            }
        })
    }

    /// Whether the sampler needs every value of every parameter.
    pub(crate) fn is_grid(&self) -> bool {
        matches!(self.methods.0.as_str(), "GridSampler" | "grid")
    }

    /// The pruner.
    ///
    /// # Errors
    /// It is not known.
    pub(crate) fn pruner(&self) -> Result<Box<dyn Pruner>, String> {
        pruner_of(&self.pruner)
    }
}

/// Our sampler for the space of a sweeper.
fn own_sampler(sweeper: &Keys) -> &'static str {
    let when = sweeper.child("when").node;
    let conditions = when.as_ref().and_then(Node::as_map);
    if conditions.is_some_and(|conditions| !conditions.is_empty()) {
        OWN_TPE
    } else {
        OWN_GP
    }
}

/// The pruner of a name, with the parameters that are given by Optuna's names.
fn pruner_of(keys: &Keys) -> Result<Box<dyn Pruner>, String> {
    let steps = |key: &str, default: i64| keys.whole(key).unwrap_or(default);
    let count = |key: &str, default: usize| {
        keys.whole(key)
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(default)
    };
    let resource = |key: &str| keys.whole(key).map(|n| n.max(1) as u64);
    let percentile = |percentile: f64| {
        let default = PercentilePruner::new(percentile);
        PercentilePruner {
            n_startup_trials: count("n_startup_trials", default.n_startup_trials),
            n_warmup_steps: steps("n_warmup_steps", default.n_warmup_steps),
            interval_steps: steps("interval_steps", default.interval_steps),
            n_min_trials: count("n_min_trials", default.n_min_trials),
            ..default
        }
    };
    Ok(match keys.name().as_str() {
        "" | "none" | "nop" | "NopPruner" => Box::new(NopPruner),
        "median" | "MedianPruner" => Box::new(percentile(50.0)),
        "percentile" | "PercentilePruner" => {
            Box::new(percentile(keys.float("percentile").unwrap_or(25.0)))
        }
        "successive_halving" | "asha" | "SuccessiveHalvingPruner" => {
            Box::new(SuccessiveHalvingPruner {
                min_resource: resource("min_resource"),
                reduction_factor: resource("reduction_factor").unwrap_or(4),
                min_early_stopping_rate: steps("min_early_stopping_rate", 0).max(0) as u32,
                bootstrap_count: count("bootstrap_count", 0),
            })
        }
        "hyperband" | "HyperbandPruner" => Box::new(HyperbandPruner {
            min_resource: resource("min_resource").unwrap_or(1),
            max_resource: resource("max_resource"),
            reduction_factor: resource("reduction_factor").unwrap_or(3),
            bootstrap_count: count("bootstrap_count", 0),
        }),
        "patient" | "PatientPruner" => {
            let wrapped = keys.child("wrapped_pruner");
            let is_wrapping = !wrapped.name().is_empty();
            Box::new(PatientPruner {
                wrapped: is_wrapping.then(|| pruner_of(&wrapped)).transpose()?,
                patience: count("patience", 3),
                min_delta: keys.float("min_delta").unwrap_or(0.0),
            })
        }
        "threshold" | "ThresholdPruner" => Box::new(ThresholdPruner {
            lower: keys.float("lower"),
            upper: keys.float("upper"),
            n_warmup_steps: steps("n_warmup_steps", 0),
            interval_steps: steps("interval_steps", 1),
        }),
        "wilcoxon" | "WilcoxonPruner" => Box::new(WilcoxonPruner {
            p_threshold: keys.float("p_threshold").unwrap_or(0.1),
            n_startup_steps: count("n_startup_steps", 2),
        }),
        other => {
            return Err(format!(
                "is not known: `{other}`; pruners: median, percentile, successive_halving, hyperband, patient, threshold, wilcoxon, none"
            ));
        }
    })
}

/// `hydra.sweeper.direction` where somebody has set it, else what `training.sweep.mode` says is better.
fn direction(composition: &Composition) -> Result<Direction, SweepError> {
    const KEY: &str = "hydra.sweeper.direction";
    const MODE: &str = "training.sweep.mode";
    let mode: String = composition.extract(MODE)?;
    let of_metric = match mode.as_str() {
        "max" => Direction::Maximize,
        _ => Direction::Minimize,
    };
    let Some(node) = composition.select(KEY)? else {
        return Ok(of_metric);
    };
    let is_explicit = composition.is_set_by_the_user(KEY);
    let Some(text) = node.as_str().filter(|_| is_explicit) else {
        if matches!(node.value, Value::List(_)) {
            let title = format!("`{KEY}` has several directions, but a run has one metric");
            let help = "name one: minimize or maximize";
            return Err(composition.error_at(KEY, &title, Some(help)).into());
        }
        return Ok(of_metric);
    };
    let Some(direction) = Direction::from_name(text) else {
        let title = format!("`{KEY}` is minimize or maximize, not `{text}`");
        return Err(composition.error_at(KEY, &title, None).into());
    };
    if direction != of_metric && composition.is_typed(MODE) {
        let title = format!("`{KEY}={text}` contradicts `{MODE}={mode}`");
        let help = "set one of the two";
        return Err(composition.error_at(KEY, &title, Some(help)).into());
    }
    Ok(direction)
}

#[cfg(test)]
mod tests {
    use strata_config::{ComposeRequest, ConfigSource, compose};

    use super::*;

    fn methods(overrides: &[&str]) -> (String, String) {
        const CONFIG: &str =
            "training: {seed: 1, epochs: 1, sweep: {metric: validation/accuracy, mode: max}}\n";
        let source = ConfigSource::Embedded {
            name: "test".to_owned(),
            files: &[("config.yaml", CONFIG)],
        };
        let mut request = ComposeRequest::new(source, "config");
        request.overrides = overrides.iter().map(|&text| text.to_owned()).collect();
        request.multirun = true;
        let composition = compose(&request).expect("a configuration");
        let settings = SearchSettings::of(&composition).expect("settings");
        settings.methods
    }

    #[test]
    fn ours_is_a_gaussian_process_without_a_pruner_and_tpe_where_there_are_conditions() {
        let when = "hydra.sweeper.when={a: {param: b, ge: 1}}";
        let table: [(&[&str], &str, &str); 7] = [
            (&["hydra/sweeper=strata"], "gp (strata)", ""),
            (
                &["hydra/sweeper=strata", "hydra.sweeper.pruner=none"],
                "gp (strata)",
                "none",
            ),
            (
                &["hydra/sweeper=strata", "hydra.sweeper.pruner=median"],
                "gp (strata)",
                "median",
            ),
            (&["hydra/sweeper=strata", when], "tpe (strata)", ""),
            (
                &["hydra/sweeper=strata", "hydra.sweeper.when={}"],
                "gp (strata)",
                "",
            ),
            (
                &["hydra/sweeper=strata", "hydra.sweeper.sampler=random"],
                "random",
                "",
            ),
            (&["hydra/sweeper=optuna"], "TPESampler", ""),
        ];
        for (overrides, sampler, pruner) in table {
            let expected = (sampler.to_owned(), pruner.to_owned());
            assert_eq!(methods(overrides), expected, "{overrides:?}");
        }
    }
}
