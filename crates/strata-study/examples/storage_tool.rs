//! For developers: does to a storage what `conformance/sweep/interop.py` asks for, so that real Optuna can look at
//! the result.
//!
//! ```text
//! storage_tool write-all URL           studies with everything that a storage can hold
//! storage_tool dump URL STUDY          a study, as read_study.py prints it
//! storage_tool optimize URL STUDY N S  N trials of a quadratic at random with the seed S; makes the study if need be
//! storage_tool time URL N              what a trial costs after N finished ones
//! ```
#![expect(clippy::print_stdout, reason = "a program for developers")]

#[path = "../tests/common/dump.rs"]
mod dump;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use jiff::Timestamp;
use strata_json::{Json, Style, parse};
use strata_study::pruners::Verdict;
use strata_study::samplers::RandomSampler;
use strata_study::storage::{AttributeKind, open, open_existing};
use strata_study::{
    Direction, Distribution, History, Param, Pruner, Storage, Study, Trial, TrialState,
};

type Done = Result<(), Box<dyn Error>>;

fn main() -> Done {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["write-all", url] => write_all(&*open(url)?),
        ["dump", url, study] => {
            let storage = open_existing(url)?;
            let record = storage
                .study_named(study)?
                .ok_or("there is no such study")?;
            let dump = dump::dump(&*storage, &record)?;
            println!("{}", dump.written(Style::Default));
            Ok(())
        }
        ["optimize", url, study, trials, seed] => {
            optimize(open(url)?, study, trials.parse()?, seed.parse()?)
        }
        ["time", url, trials] => time(open(url)?, trials.parse()?),
        _ => Err("usage: storage_tool write-all|dump|optimize|time URL ...".into()),
    }
}

fn param(distribution: Distribution, value: &Json) -> Result<Param, Box<dyn Error>> {
    let internal = distribution.internal(value).ok_or("no value of it")?;
    Ok(Param {
        distribution: Arc::new(distribution),
        internal,
    })
}

/// Every kind of distribution.
fn params() -> Result<IndexMap<String, Param>, Box<dyn Error>> {
    let mixed = vec![
        Json::Null,
        true.into(),
        false.into(),
        Json::Int(1),
        2.5.into(),
        "1".into(),
        "t\u{e4}nh \u{2603}".into(),
    ];
    let not_finite = vec![
        f64::NAN.into(),
        f64::INFINITY.into(),
        f64::NEG_INFINITY.into(),
    ];
    let table: Vec<(&str, Distribution, Json)> = vec![
        (
            "float",
            Distribution::float(-1.5, 2.5, false, None)?,
            (0.1 + 0.2).into(),
        ),
        (
            "float_log",
            Distribution::float(1e-5, 0.1, true, None)?,
            1.234_567_890_123_456_7e-3.into(),
        ),
        (
            "float_step",
            Distribution::float(0.0, 1.0, false, Some(0.1))?,
            0.300_000_000_000_000_04.into(),
        ),
        (
            "float_tiny",
            Distribution::float(5e-324, f64::MAX, true, None)?,
            1e-300.into(),
        ),
        (
            "float_single",
            Distribution::float(3.0, 3.0, false, None)?,
            3.0.into(),
        ),
        ("int", Distribution::int(-3, 12, false, 1)?, Json::Int(-3)),
        (
            "int_log",
            Distribution::int(1, 1024, true, 1)?,
            Json::Int(1000),
        ),
        (
            "int_step",
            Distribution::int(16, 256, false, 16)?,
            Json::Int(48),
        ),
        (
            "int_big",
            Distribution::int(0, 1 << 52, false, 1)?,
            Json::Int((1 << 52) - 1),
        ),
        (
            "cat_mixed",
            Distribution::categorical(mixed)?,
            "t\u{e4}nh \u{2603}".into(),
        ),
        (
            "cat_nonfinite",
            Distribution::categorical(not_finite)?,
            f64::INFINITY.into(),
        ),
    ];
    let params = table.into_iter();
    params
        .map(|(name, distribution, value)| Ok((name.to_owned(), param(distribution, &value)?)))
        .collect()
}

fn write_all(storage: &dyn Storage) -> Done {
    let at: Timestamp = "2024-02-29T23:59:00.123456Z".parse()?;
    let study = storage.create_study("ours-single", &[Direction::Minimize])?;
    let nested = parse(r#"{"list": [1, 2.5, null, true, NaN], "map": {"k": "v"}}"#)?;
    storage.set_study_attr(
        study,
        AttributeKind::User,
        "note",
        &"\"\u{fc}\"\nand more".into(),
    )?;
    storage.set_study_attr(study, AttributeKind::User, "nested", &nested)?;
    storage.set_study_attr(
        study,
        AttributeKind::System,
        "strata:sampler",
        &"tpe".into(),
    )?;
    let all = params()?;
    let values: [(TrialState, &[f64]); 9] = [
        (TrialState::Complete, &[0.125]),
        (TrialState::Complete, &[f64::INFINITY]),
        (TrialState::Complete, &[-1e300]),
        (TrialState::Pruned, &[]),
        (TrialState::Pruned, &[0.7]),
        (TrialState::Fail, &[]),
        (TrialState::Running, &[]),
        (TrialState::Waiting, &[]),
        (TrialState::Fail, &[]),
    ];
    for (state, values) in values {
        let template = Trial {
            values: values.to_vec(),
            params: all.clone(),
            intermediate_values: [
                (0, 1.0),
                (1, f64::NAN),
                (2, f64::INFINITY),
                (7, f64::NEG_INFINITY),
            ]
            .into(),
            user_attrs: IndexMap::from([("git".to_owned(), nested.clone())]),
            system_attrs: IndexMap::from([("sys".to_owned(), Json::Int(-1))]),
            started: (state != TrialState::Waiting).then_some(at),
            completed: state.is_finished().then_some(at),
            ..Trial::new(state)
        };
        storage.create_trial(study, &template)?;
    }
    step_by_step(storage, study, &all)?;

    let directions = [
        Direction::Minimize,
        Direction::Maximize,
        Direction::Minimize,
    ];
    let multi = storage.create_study("ours-multi", &directions)?;
    let names = vec!["val/error", "throughput", "n_params"].into();
    storage.set_study_attr(multi, AttributeKind::System, "study:metric_names", &names)?;
    for values in [
        [0.2, 1000.0, 5e5],
        [0.1, 500.0, 1e6],
        [f64::INFINITY, f64::NEG_INFINITY, 1.0],
    ] {
        let template = Trial {
            values: values.to_vec(),
            ..Trial::new(TrialState::Complete)
        };
        storage.create_trial(multi, &template)?;
    }
    storage.create_study("ours-empty", &[Direction::Maximize])?;
    Ok(())
}

/// Trials that are told as they go: one by one, and one that was enqueued.
fn step_by_step(
    storage: &dyn Storage,
    study: strata_study::storage::StudyId,
    all: &IndexMap<String, Param>,
) -> Done {
    let (trial, _) = storage.create_trial(study, &Trial::new(TrialState::Running))?;
    for (name, param) in all {
        storage.set_trial_param(trial, name, param.internal, &param.distribution)?;
    }
    for (step, value) in [(1, 0.5), (2, f64::NAN), (1, 0.25)] {
        storage.set_intermediate_value(trial, step, value)?;
    }
    storage.set_trial_attr(trial, AttributeKind::User, "k", &Json::Int(1))?;
    storage.set_trial_attr(trial, AttributeKind::User, "k", &"again".into())?;
    storage.set_trial_attr(trial, AttributeKind::System, "s", &f64::INFINITY.into())?;
    storage.set_trial_state(trial, TrialState::Complete, &[0.5])?;

    let mut enqueued = Trial::new(TrialState::Waiting);
    let fixed = parse(r#"{"float": 0.75, "int": 7}"#)?;
    enqueued
        .system_attrs
        .insert("fixed_params".to_owned(), fixed);
    let (trial, _) = storage.create_trial(study, &enqueued)?;
    storage.set_trial_state(trial, TrialState::Running, &[])?;
    storage.set_trial_state(trial, TrialState::Fail, &[])?;
    storage.create_trial(study, &enqueued)?;
    Ok(())
}

struct Never;

impl Pruner for Never {
    fn judge(&self, _: &History<'_>, _: &Trial) -> Verdict {
        Verdict::default()
    }
}

type Space = Vec<(&'static str, Arc<Distribution>)>;

fn space() -> Result<Space, Box<dyn Error>> {
    let choices = vec!["a".into(), true.into(), Json::Null];
    let space = [
        ("x", Distribution::float(-5.0, 5.0, false, None)?),
        ("y", Distribution::float(1e-3, 10.0, true, None)?),
        ("n", Distribution::int(1, 64, false, 1)?),
        ("z", Distribution::float(0.0, 1.0, false, None)?),
        ("k", Distribution::categorical(choices)?),
    ];
    Ok(space
        .map(|(name, distribution)| (name, Arc::new(distribution)))
        .to_vec())
}

fn study_of(storage: Arc<dyn Storage>, name: &str, seed: u64) -> Result<Study, Box<dyn Error>> {
    let directions = [Direction::Minimize];
    let (sampler, pruner) = (Box::new(RandomSampler), Box::new(Never));
    Ok(Study::open_or_create(
        storage,
        name,
        &directions,
        seed,
        sampler,
        pruner,
    )?)
}

fn run_one(study: &Study, space: &[(&str, Arc<Distribution>)]) -> Done {
    let mut trial = study.ask()?;
    let mut x = 0.0;
    for (name, distribution) in space {
        let value = trial.suggest(name, distribution)?;
        if *name == "x" {
            x = value.as_f64().unwrap_or(f64::NAN);
        }
    }
    trial.report(1, x.abs())?;
    trial.complete(&[x * x])?;
    Ok(())
}

fn optimize(storage: Arc<dyn Storage>, name: &str, trials: usize, seed: u64) -> Done {
    let study = study_of(storage, name, seed)?;
    let space = space()?;
    for _ in 0..trials {
        run_one(&study, &space)?;
    }
    Ok(())
}

fn time(storage: Arc<dyn Storage>, trials: usize) -> Done {
    let study = study_of(storage, "time", 1)?;
    let space = space()?;
    let begun = Instant::now();
    for _ in 0..trials {
        run_one(&study, &space)?;
    }
    println!("{trials} trials: {:.3} s", begun.elapsed().as_secs_f64());
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e3
    };
    let timed = |task: &dyn Fn() -> Done| -> Result<f64, Box<dyn Error>> {
        let times = (0..51).map(|_| {
            let begun = Instant::now();
            task()?;
            Ok(begun.elapsed())
        });
        Ok(median(times.collect::<Result<_, Box<dyn Error>>>()?))
    };
    let one = timed(&|| run_one(&study, &space))?;
    println!("one more, from ask to tell with 5 parameters: {one:.3} ms");
    let look = timed(&|| Ok(study.trials().map(drop)?))?;
    println!("all trials, nothing new: {look:.3} ms");
    study
        .storage()
        .create_trial(study.id(), &Trial::new(TrialState::Running))?;
    let look = timed(&|| {
        study
            .storage()
            .set_study_attr(study.id(), AttributeKind::User, "k", &Json::Null)?;
        Ok(study.trials().map(drop)?)
    })?;
    println!("an attribute, then all trials with one that runs: {look:.3} ms");
    Ok(())
}
