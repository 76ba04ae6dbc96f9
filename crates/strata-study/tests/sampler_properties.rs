//! Whatever a study's storage holds, samplers answer, with values of the parameters' distributions, and the same for
//! the same trials.

use std::sync::Arc;

use proptest::prelude::*;
use strata_json::Json;
use strata_study::samplers::{
    GpOptions, GpSampler, GridSampler, NsgaIiOptions, NsgaIiSampler, QmcOptions, QmcSampler,
    SamplerName, Sequence,
};
use strata_study::{
    Direction, Distribution, History, Param, Random, Sampler, Trial, TrialId, TrialState,
};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// What a parameter is drawn from; the first of each row nearly always.
fn distributions(name: usize) -> Vec<Arc<Distribution>> {
    let float = |low, high, log, step| Distribution::float(low, high, log, step);
    let int = |low, high, log, step| Distribution::int(low, high, log, step);
    let choices = |n: i64| Distribution::categorical((0..n).map(Json::from).collect());
    let table = [
        [float(-1.0, 2.0, false, None), float(1e-5, 1.0, true, None)],
        [int(1, 1024, true, 1), int(0, i64::MAX, false, 7)],
        [choices(3), choices(1)],
        [
            float(0.0, 30.0, false, Some(0.1)),
            float(f64::MIN, f64::MAX, false, None),
        ],
    ];
    let row = table[name].iter().cloned();
    row.map(|distribution| Arc::new(distribution.expect("valid")))
        .collect()
}

/// Any float, odd ones often.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => -3.0..3.0_f64,
        1 => prop::sample::select(vec![
            f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 0.0, 1e-320,
        ]),
    ]
}

fn params() -> impl Strategy<Value = Vec<(usize, usize, f64, bool)>> {
    let param = |name| {
        let which = prop_oneof![20 => Just(0_usize), 1 => Just(1)];
        let is_odd = prop::bool::weighted(0.05);
        (Just(name), which, number(), is_odd)
    };
    let all = (0..NAMES.len()).map(param).collect::<Vec<_>>();
    (all, prop::bool::weighted(0.1), 0..NAMES.len()).prop_map(|(mut params, lacks, which)| {
        if lacks {
            params.remove(which);
        }
        params
    })
}

fn attributes() -> impl Strategy<Value = Vec<(String, Json)>> {
    let generation = prop_oneof![
        8 => (0_i64..4).prop_map(Json::from),
        1 => prop::sample::select(vec![
            Json::Null, Json::Int(-1), Json::Int(i64::MAX), Json::Str("1".to_owned()),
        ]),
    ];
    let key = prop::sample::select(vec![
        "cma:generation",
        "NSGAIISampler:generation",
        "grid_id",
        "constraints:x",
        "search_space",
        "fixed_params",
    ]);
    prop::collection::vec((key.prop_map(str::to_owned), generation), 0..4)
}

fn trial(number_in_study: u64) -> impl Strategy<Value = Arc<Trial>> {
    let state = prop::sample::select(vec![
        TrialState::Complete,
        TrialState::Complete,
        TrialState::Complete,
        TrialState::Complete,
        TrialState::Pruned,
        TrialState::Fail,
        TrialState::Running,
        TrialState::Waiting,
    ]);
    let values = prop_oneof![
        9 => prop::collection::vec(number(), 2),
        1 => prop::collection::vec(number(), 0..4),
    ];
    let reports = prop::collection::btree_map(0_i64..5, number(), 0..3);
    (state, params(), values, reports, attributes()).prop_map(
        move |(state, params, values, reports, attributes)| {
            let mut trial = Trial::new(state);
            trial.id = TrialId(number_in_study as i64);
            trial.number = number_in_study;
            trial.values = values;
            trial.intermediate_values = reports;
            for (name, which, unit, is_odd) in params {
                let distribution = Arc::clone(&distributions(name)[which]);
                let spread = match distribution.as_ref() {
                    Distribution::Float { low, high, .. } => {
                        low + (unit.abs() / 3.0) * (high - low)
                    }
                    Distribution::Int { low, high, .. } => {
                        (*low as f64 + unit.abs() * 99.0).min(*high as f64).floor()
                    }
                    Distribution::Categorical { choices } => {
                        (unit.abs() as usize % choices.len()) as f64
                    }
                };
                let internal = if is_odd { unit } else { spread };
                let param = Param {
                    distribution,
                    internal,
                };
                trial.params.insert(NAMES[name].to_owned(), param);
            }
            trial.system_attrs.extend(attributes);
            Arc::new(trial)
        },
    )
}

fn trials() -> impl Strategy<Value = Vec<Arc<Trial>>> {
    (0_u64..30).prop_flat_map(|n| (0..n).map(trial).collect::<Vec<_>>())
}

fn samplers() -> Vec<(String, Box<dyn Sampler>)> {
    let mut samplers: Vec<(String, Box<dyn Sampler>)> = SamplerName::ALL
        .into_iter()
        .map(|name| (name.name().to_owned(), name.build(1)))
        .collect();
    let values = |n: i64| (0..n).map(Json::from).collect::<Vec<Json>>();
    let grid = vec![("a".to_owned(), values(3)), ("c".to_owned(), values(5))];
    let halton = |scrambled| QmcOptions {
        sequence: Sequence::Halton,
        scrambled,
    };
    let pruned_too = GpOptions {
        use_pruned: true,
        ..GpOptions::default()
    };
    let small = NsgaIiOptions {
        population_size: 3,
        ..NsgaIiOptions::default()
    };
    samplers.extend([
        (
            "grid".to_owned(),
            Box::new(GridSampler::new(grid).expect("small")) as Box<dyn Sampler>,
        ),
        (
            "halton".to_owned(),
            Box::new(QmcSampler::new(halton(false))),
        ),
        (
            "halton scrambled".to_owned(),
            Box::new(QmcSampler::new(halton(true))),
        ),
        ("sobol".to_owned(), Box::new(QmcSampler::default())),
        (
            "small nsgaii".to_owned(),
            Box::new(NsgaIiSampler::new(small)),
        ),
        (
            "gp with pruned".to_owned(),
            Box::new(GpSampler::new(pruned_too)),
        ),
    ]);
    samplers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn values_are_within_their_distributions_and_the_same_twice(
        trials in trials(),
        n_objectives in 1_usize..3,
        seed in any::<u64>(),
    ) {
        let directions = [Direction::Minimize, Direction::Maximize];
        let mut trials = trials;
        // Storages check the number of values of one objective on their own; both occur here.
        if n_objectives == 1 {
            for trial in &mut trials {
                Arc::make_mut(trial).values.truncate(1);
            }
        }
        let history = History {
            study_name: "study",
            directions: &directions[..n_objectives],
            trials: &trials,
            seed,
        };
        let number = trials.len() as u64;
        for (name, sampler) in samplers() {
            let random = || Random::new(seed, "relative", number);
            let proposal = sampler.propose(&history, number, &mut random());
            prop_assert_eq!(&proposal, &sampler.propose(&history, number, &mut random()));
            for (param, value) in &proposal.params {
                let mut known = trials.iter().filter_map(|trial| trial.params.get(param));
                let is_within = known.any(|known| known.distribution.contains(*value));
                prop_assert!(is_within, "{}: {} = {}", name, param, value);
            }
            let mut trial = Trial::new(TrialState::Running);
            trial.number = number;
            trial.system_attrs.extend(proposal.attributes);
            for (i, param) in NAMES.iter().enumerate() {
                for distribution in distributions(i) {
                    let random = || Random::new(seed, param, number);
                    let draw = || sampler.draw(&history, &trial, param, &distribution, &mut random());
                    let value = draw();
                    prop_assert!(distribution.contains(value), "{}: {} = {}", name, param, value);
                    prop_assert_eq!(value, draw());
                }
            }
            sampler.is_exhausted(&history);
        }
    }
}
