//! The promises of `Storage`, kept by every storage.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err as fs;
use indexmap::IndexMap;
use jiff::{Timestamp, Unit};
use strata_json::{Json, parse};
use strata_study::storage::{AttributeKind, MemoryStorage, StudyId, open, open_existing};
use strata_study::{
    Direction, Distribution, Param, Storage, StorageError, Trial, TrialId, TrialState,
};

/// A storage, and the way to open it again.
struct Place {
    url: String,
    storage: Arc<dyn Storage>,
    _folder: tempfile::TempDir,
}

impl Place {
    /// The storage as another process finds it; that in memory has no other.
    fn again(&self) -> Arc<dyn Storage> {
        if self.url == "memory" {
            Arc::clone(&self.storage)
        } else {
            open(&self.url).expect("the storage opens again")
        }
    }
}

/// All kinds, each with nothing in it.
fn places() -> Vec<Place> {
    let place = |scheme: &str, file: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let url = match scheme {
            "memory" => "memory".to_owned(),
            _ => format!("{scheme}{}", folder.path().join(file).display()),
        };
        let storage: Arc<dyn Storage> = match scheme {
            "memory" => Arc::new(MemoryStorage::default()),
            _ => open(&url).expect("a storage"),
        };
        Place {
            url,
            storage,
            _folder: folder,
        }
    };
    vec![
        place("memory", ""),
        place("sqlite:///", "study.db"),
        place("journal://", "study.journal"),
    ]
}

fn study(storage: &dyn Storage) -> StudyId {
    let id = storage.create_study("study", &[Direction::Minimize]);
    id.expect("a study")
}

fn begin(storage: &dyn Storage, study: StudyId) -> TrialId {
    let template = Trial::new(TrialState::Running);
    storage.create_trial(study, &template).expect("a trial").0
}

fn trial(storage: &dyn Storage, study: StudyId, id: TrialId) -> Arc<Trial> {
    let trials = storage.trials(study).expect("trials");
    let trial = trials.iter().find(|trial| trial.id == id);
    Arc::clone(trial.expect("the trial"))
}

fn float() -> Distribution {
    Distribution::float(-1.0, 1.0, false, None).expect("a distribution")
}

/// To the microsecond, as files have it.
fn now() -> Timestamp {
    Timestamp::now().round(Unit::Microsecond).expect("in range")
}

/// A trial with something in every field.
fn full(state: TrialState, values: &[f64]) -> Trial {
    let json = |text| parse(text).expect("JSON");
    let param = |distribution: Distribution, internal| Param {
        distribution: Arc::new(distribution),
        internal,
    };
    let choices = vec![
        Json::Null,
        true.into(),
        Json::Int(1),
        2.5.into(),
        f64::NAN.into(),
        "ü☃".into(),
    ];
    let categorical = Distribution::categorical(choices).expect("choices");
    let tiny = Distribution::float(5e-324, f64::MAX, true, None).expect("valid");
    let grid = Distribution::float(0.0, 1.0, false, Some(0.1)).expect("valid");
    let int = Distribution::int(-3, 1 << 52, false, 1).expect("valid");
    let log = Distribution::int(1, 1024, true, 1).expect("valid");
    Trial {
        values: values.to_vec(),
        params: IndexMap::from([
            ("z first".to_owned(), param(float(), 0.1 + 0.2)),
            ("a/tiny".to_owned(), param(tiny, 1e-300)),
            ("grid".to_owned(), param(grid, 0.300_000_000_000_000_04)),
            ("int".to_owned(), param(int, ((1_i64 << 52) - 1) as f64)),
            ("log".to_owned(), param(log, 1000.0)),
            ("cat".to_owned(), param(categorical, 5.0)),
        ]),
        intermediate_values: [(-1, f64::NEG_INFINITY), (0, 0.25), (10, f64::INFINITY)].into(),
        user_attrs: IndexMap::from([
            ("text".to_owned(), "quotes \" and\nlines, \u{1f600}".into()),
            (
                "nested".to_owned(),
                json(r#"{"list": [1, 2.5, null, true], "map": {"k": "v"}}"#),
            ),
            ("whole".to_owned(), Json::Int(i64::MAX)),
        ]),
        system_attrs: IndexMap::from([(
            "fixed_params".to_owned(),
            json(r#"{"x": 1e-05, "inf": Infinity}"#),
        )]),
        started: (state != TrialState::Waiting).then(now),
        completed: state.is_finished().then(now),
        ..Trial::new(state)
    }
}

#[test]
fn studies_are_kept_by_name_in_the_order_in_which_they_were_made() {
    for place in places() {
        let storage = &place.storage;
        assert!(storage.studies().expect("studies").is_empty());
        let both = [Direction::Maximize, Direction::Minimize];
        let first = storage.create_study("z ü/☃", &both).expect("a study");
        let second = study(&**storage);
        for (key, value) in [
            ("k", 1.into()),
            ("n", f64::NAN.into()),
            ("k", "again".into()),
        ] {
            let kind = AttributeKind::User;
            storage
                .set_study_attr(first, kind, key, &value)
                .expect("set");
        }
        let names = vec!["a", "b"].into();
        let key = "study:metric_names";
        storage
            .set_study_attr(first, AttributeKind::System, key, &names)
            .expect("set");

        let studies = place.again().studies().expect("studies");
        let ids: Vec<StudyId> = studies.iter().map(|study| study.id).collect();
        assert_eq!(ids, [first, second], "{}", place.url);
        assert_eq!(studies[0].name, "z ü/☃");
        assert_eq!(studies[0].directions, both);
        assert_eq!(studies[0].user_attrs["k"], "again".into());
        assert!(matches!(studies[0].user_attrs["n"], Json::Float(value) if value.is_nan()));
        assert_eq!(studies[0].system_attrs[key], names);
        let named = place.again().study_named("study").expect("studies");
        assert_eq!(named.as_ref(), Some(&studies[1]));
        assert_eq!(place.again().study_named("other").expect("studies"), None);
    }
}

#[test]
fn a_name_is_taken_once() {
    for place in places() {
        study(&*place.storage);
        for storage in [Arc::clone(&place.storage), place.again()] {
            let error = storage.create_study("study", &[Direction::Maximize]);
            assert!(matches!(error, Err(StorageError::DuplicatedStudy(name)) if name == "study"));
        }
        assert_eq!(place.again().studies().expect("studies").len(), 1);
    }
}

#[test]
fn a_study_that_is_deleted_is_gone_for_all_and_its_name_is_free() {
    for place in places() {
        let (storage, other) = (&place.storage, place.again());
        let id = study(&**storage);
        let finished = full(TrialState::Complete, &[1.0]);
        let (trial_id, _) = storage.create_trial(id, &finished).expect("a trial");
        let open_id = begin(&**storage, id);
        assert_eq!(other.trials(id).expect("trials").len(), 2);
        storage.delete_study(id).expect("deleted");

        for storage in [storage, &other] {
            assert!(matches!(storage.trials(id), Err(StorageError::NoStudy(_))));
            assert!(matches!(
                storage.delete_study(id),
                Err(StorageError::NoStudy(_))
            ));
            let error = storage.set_trial_param(open_id, "x", 0.0, &float());
            assert!(matches!(error, Err(StorageError::NoTrial(_))), "{error:?}");
            let error = storage.create_trial(id, &finished);
            assert!(matches!(error, Err(StorageError::NoStudy(_))));
        }
        let new = study(&**storage);
        assert!(storage.trials(new).expect("trials").is_empty());
        assert!(
            other.trials(new).expect("trials").is_empty(),
            "{}",
            place.url
        );
        let (_, number) = other.create_trial(new, &finished).expect("a trial");
        assert_eq!(number, 0);
        let _ = trial_id;
    }
}

/// Identities of a database come again after a deletion: what was known of the old study must not be taken for the new.
#[test]
fn a_study_made_anew_under_the_same_name_has_its_own_trials() {
    for place in places() {
        let (storage, other) = (&place.storage, place.again());
        let id = study(&**storage);
        for value in [1.0, 2.0] {
            let trial = full(TrialState::Complete, &[value]);
            storage.create_trial(id, &trial).expect("a trial");
        }
        assert_eq!(other.trials(id).expect("trials")[0].values, [1.0]);
        storage.delete_study(id).expect("deleted");
        let id = study(&**storage);
        for value in [3.0, 4.0, 5.0] {
            let trial = full(TrialState::Complete, &[value]);
            storage.create_trial(id, &trial).expect("a trial");
        }
        let values: Vec<f64> = other
            .trials(id)
            .expect("trials")
            .iter()
            .map(|trial| trial.values[0])
            .collect();
        assert_eq!(values, [3.0, 4.0, 5.0], "{}", place.url);
    }
}

#[test]
fn a_template_is_kept_as_it_is() {
    for place in places() {
        let storage = &place.storage;
        let id = study(&**storage);
        let templates = [
            full(TrialState::Complete, &[0.125]),
            full(TrialState::Complete, &[f64::INFINITY]),
            full(TrialState::Complete, &[f64::NEG_INFINITY, 1.0, 5e-324]),
            full(TrialState::Pruned, &[]),
            full(TrialState::Pruned, &[0.7]),
            full(TrialState::Fail, &[]),
            full(TrialState::Running, &[]),
            full(TrialState::Waiting, &[]),
            Trial {
                started: Some(now()),
                ..Trial::new(TrialState::Running)
            },
            Trial::new(TrialState::Waiting),
        ];
        for (expected, template) in templates.iter().enumerate() {
            let (_, number) = storage.create_trial(id, template).expect("a trial");
            assert_eq!(number, expected as u64);
        }
        for storage in [storage, &place.again()] {
            let trials = storage.trials(id).expect("trials");
            assert_eq!(trials.len(), templates.len());
            for (number, (trial, template)) in trials.iter().zip(&templates).enumerate() {
                assert_eq!(trial.number, number as u64);
                let same = Trial {
                    id: trial.id,
                    number: trial.number,
                    ..template.clone()
                };
                // By its text, as NaN among the choices is not equal to itself.
                assert_eq!(format!("{trial:?}"), format!("{same:?}"), "{}", place.url);
                let order = |trial: &Trial| trial.params.keys().cloned().collect::<Vec<_>>();
                assert_eq!(order(trial), order(template));
            }
        }
    }
}

#[test]
fn a_trial_is_told_step_by_step_and_the_last_word_counts() {
    for place in places() {
        let (storage, other) = (&place.storage, place.again());
        let id = study(&**storage);
        let trial_id = begin(&**storage, id);
        let before = trial(&*other, id, trial_id);
        assert_eq!(
            (before.state, before.completed),
            (TrialState::Running, None)
        );
        assert!(before.started.is_some());

        storage
            .set_trial_param(trial_id, "x", 0.5, &float())
            .expect("set");
        storage
            .set_trial_param(trial_id, "y", -0.0, &float())
            .expect("set");
        storage
            .set_trial_param(trial_id, "x", 0.25, &float())
            .expect("set");
        for (step, value) in [(3, 0.5), (1, f64::NAN), (3, f64::INFINITY), (2, 1e-320)] {
            storage
                .set_intermediate_value(trial_id, step, value)
                .expect("set");
        }
        for kind in [AttributeKind::User, AttributeKind::System] {
            for value in [Json::Null, Json::List(vec![f64::NAN.into(), 1.into()])] {
                storage
                    .set_trial_attr(trial_id, kind, "k", &value)
                    .expect("set");
            }
        }
        assert!(
            storage
                .set_trial_state(trial_id, TrialState::Complete, &[-0.0])
                .expect("told")
        );

        for storage in [Arc::clone(storage), other, place.again()] {
            let trial = trial(&*storage, id, trial_id);
            assert_eq!(trial.state, TrialState::Complete);
            assert_eq!(trial.values, [0.0]);
            assert!(trial.completed >= trial.started);
            let params: Vec<(&str, f64)> = trial
                .params
                .iter()
                .map(|(name, param)| (name.as_str(), param.internal))
                .collect();
            assert_eq!(params, [("x", 0.25), ("y", 0.0)], "{}", place.url);
            assert!(trial.intermediate_values[&1].is_nan());
            assert_eq!(trial.intermediate_values[&2], 1e-320);
            assert_eq!(trial.intermediate_values[&3], f64::INFINITY);
            assert_eq!(trial.intermediate_values.len(), 3);
            for attrs in [&trial.user_attrs, &trial.system_attrs] {
                assert!(matches!(
                    attrs["k"].as_list(),
                    Some([Json::Float(_), Json::Int(1)])
                ));
            }
        }
    }
}

#[test]
fn a_finished_trial_never_changes() {
    for place in places() {
        for state in [TrialState::Complete, TrialState::Pruned, TrialState::Fail] {
            let storage = &place.storage;
            let id = match storage.study_named("study").expect("studies") {
                Some(study) => study.id,
                None => study(&**storage),
            };
            let trial_id = begin(&**storage, id);
            let values: &[f64] = if state == TrialState::Fail {
                &[]
            } else {
                &[1.0]
            };
            assert!(
                storage
                    .set_trial_state(trial_id, state, values)
                    .expect("told")
            );
            let before = trial(&**storage, id, trial_id);
            for storage in [storage, &place.again()] {
                let errors = [
                    storage.set_trial_param(trial_id, "x", 0.0, &float()).err(),
                    storage.set_intermediate_value(trial_id, 1, 0.0).err(),
                    storage
                        .set_trial_attr(trial_id, AttributeKind::User, "k", &Json::Null)
                        .err(),
                    storage
                        .set_trial_attr(trial_id, AttributeKind::System, "k", &Json::Null)
                        .err(),
                    storage
                        .set_trial_state(trial_id, TrialState::Fail, &[])
                        .err(),
                ];
                for error in errors {
                    let is_told = matches!(error, Some(StorageError::TrialFinished(number)) if number == before.number);
                    assert!(is_told, "{}: {error:?}", place.url);
                }
                let begun = storage.set_trial_state(trial_id, TrialState::Running, &[]);
                assert!(!begun.expect("another was faster"), "{}", place.url);
                assert_eq!(trial(&**storage, id, trial_id), before);
            }
        }
    }
}

#[test]
fn what_does_not_exist_is_an_error() {
    for place in places() {
        let storage = &place.storage;
        study(&**storage);
        for id in [-1, 77] {
            let (no_study, no_trial) = (StudyId(id), TrialId(id));
            assert!(matches!(
                storage.trials(no_study),
                Err(StorageError::NoStudy(_))
            ));
            let error = storage.create_trial(no_study, &Trial::new(TrialState::Running));
            assert!(matches!(error, Err(StorageError::NoStudy(_))));
            let error = storage.set_study_attr(no_study, AttributeKind::User, "k", &Json::Null);
            assert!(matches!(error, Err(StorageError::NoStudy(_))));
            let errors = [
                storage.set_trial_param(no_trial, "x", 0.0, &float()).err(),
                storage.set_intermediate_value(no_trial, 1, 0.0).err(),
                storage
                    .set_trial_attr(no_trial, AttributeKind::User, "k", &Json::Null)
                    .err(),
                storage
                    .set_trial_state(no_trial, TrialState::Running, &[])
                    .err(),
            ];
            for error in errors {
                assert!(
                    matches!(error, Some(StorageError::NoTrial(_))),
                    "{}: {error:?}",
                    place.url
                );
            }
        }
    }
}

#[test]
fn nan_is_no_value() {
    for place in places() {
        let storage = &place.storage;
        let id = study(&**storage);
        let trial_id = begin(&**storage, id);
        let nan = f64::NAN;
        let errors = [
            storage.set_trial_param(trial_id, "x", nan, &float()).err(),
            storage
                .set_trial_state(trial_id, TrialState::Complete, &[1.0, nan])
                .err(),
            storage
                .create_trial(id, &full(TrialState::Complete, &[nan]))
                .err(),
        ];
        for error in errors {
            assert!(matches!(error, Some(StorageError::NotANumber)), "{error:?}");
        }
        assert_eq!(place.again().trials(id).expect("trials").len(), 1);
    }
}

#[test]
fn a_parameter_keeps_its_kind_of_values() {
    for place in places() {
        let (storage, other) = (&place.storage, place.again());
        let id = study(&**storage);
        let trial_id = begin(&**storage, id);
        let choices = |choices: Vec<Json>| Distribution::categorical(choices).expect("choices");
        let categorical = choices(vec![true.into(), Json::Int(2), f64::NAN.into()]);
        storage
            .set_trial_param(trial_id, "x", 0.5, &float())
            .expect("set");
        storage
            .set_trial_param(trial_id, "c", 2.0, &categorical)
            .expect("set");

        let next = begin(&*other, id);
        let refused = [
            (
                "x",
                Distribution::float(0.1, 1.0, true, None).expect("valid"),
            ),
            ("x", Distribution::int(0, 1, false, 1).expect("valid")),
            ("c", choices(vec![true.into(), Json::Int(2)])),
            ("c", float()),
        ];
        for (name, distribution) in refused {
            let error = other.set_trial_param(next, name, 0.5, &distribution);
            let is_told = matches!(&error, Err(StorageError::Incompatible { name: told, .. }) if told == name);
            assert!(is_told, "{}: {error:?}", place.url);
        }
        assert!(trial(&**storage, id, next).params.is_empty());
        let wider = Distribution::float(-9.0, 9.0, false, Some(0.5)).expect("valid");
        other
            .set_trial_param(next, "x", 4.5, &wider)
            .expect("bounds may change");
        // As in Python `true` is `1`.
        let same = choices(vec![Json::Int(1), 2.0.into(), f64::NAN.into()]);
        other
            .set_trial_param(next, "c", 0.0, &same)
            .expect("the same choices");
        assert_eq!(trial(&**storage, id, next).params["x"].value(), 4.5.into());
    }
}

#[test]
fn a_trial_that_waits_is_begun_once() {
    for place in places() {
        let storage = &place.storage;
        let id = study(&**storage);
        let template = full(TrialState::Waiting, &[]);
        let (waiting, _) = storage.create_trial(id, &template).expect("a trial");
        assert_eq!(trial(&**storage, id, waiting).started, None);
        let wins = std::thread::scope(|scope| {
            let begin = |storage: Arc<dyn Storage>| {
                scope.spawn(move || storage.set_trial_state(waiting, TrialState::Running, &[]))
            };
            let workers: Vec<_> = (0..4).map(|_| begin(place.again())).collect();
            let wins = workers
                .into_iter()
                .map(|worker| worker.join().expect("no panic"));
            wins.filter(|win| *win.as_ref().expect("no error")).count()
        });
        assert_eq!(wins, 1, "{}", place.url);
        let begun = trial(&**storage, id, waiting);
        assert_eq!(begun.state, TrialState::Running);
        assert!(begun.started.is_some());
        assert_eq!(begun.params.len(), template.params.len());
        assert!(
            !storage
                .set_trial_state(waiting, TrialState::Running, &[])
                .expect("no error")
        );
    }
}

#[test]
fn numbers_have_no_holes_however_many_write() {
    const WORKERS: usize = 4;
    const EACH: usize = 25;
    for place in places() {
        let id = study(&*place.storage);
        std::thread::scope(|scope| {
            for worker in 0..WORKERS {
                let storage = place.again();
                scope.spawn(move || {
                    for index in 0..EACH {
                        let trial_id = begin(&*storage, id);
                        let x = index as f64 / EACH as f64;
                        storage
                            .set_trial_param(trial_id, "x", x, &float())
                            .expect("set");
                        storage.set_intermediate_value(trial_id, 1, x).expect("set");
                        storage.trials(id).expect("trials");
                        let value = (worker * EACH + index) as f64;
                        storage
                            .set_trial_state(trial_id, TrialState::Complete, &[value])
                            .expect("told");
                    }
                });
            }
        });
        for storage in [Arc::clone(&place.storage), place.again()] {
            let trials = storage.trials(id).expect("trials");
            let numbers: Vec<u64> = trials.iter().map(|trial| trial.number).collect();
            assert_eq!(
                numbers,
                (0..(WORKERS * EACH) as u64).collect::<Vec<_>>(),
                "{}",
                place.url
            );
            let mut values: Vec<f64> = trials.iter().map(|trial| trial.values[0]).collect();
            values.sort_by(f64::total_cmp);
            let all: Vec<f64> = (0..WORKERS * EACH).map(|value| value as f64).collect();
            assert_eq!(values, all, "{}", place.url);
        }
    }
}

#[test]
fn what_another_changes_is_seen_at_once() {
    for place in places() {
        let (storage, other) = (&place.storage, place.again());
        let id = study(&**storage);
        let trial_id = begin(&**storage, id);
        for step in 0..3 {
            other
                .set_intermediate_value(trial_id, step, step as f64)
                .expect("set");
            let seen = trial(&**storage, id, trial_id);
            assert_eq!(seen.last_step(), Some((step, step as f64)), "{}", place.url);
        }
        let seen = storage.trials(id).expect("trials");
        assert!(Arc::ptr_eq(
            &seen[0],
            &storage.trials(id).expect("trials")[0]
        ));
    }
}

#[test]
fn a_storage_that_is_not_there_is_not_made_by_reading() {
    let folder = tempfile::tempdir().expect("a folder");
    for (scheme, name) in [
        ("sqlite:///", "no.db"),
        ("journal://", "no.journal"),
        ("", "no.log"),
    ] {
        let path = folder.path().join(name);
        let error = open_existing(&format!("{scheme}{}", path.display())).err();
        let message = error.expect("an error").to_string();
        assert_eq!(
            message,
            format!("{}: there is no such file", path.display())
        );
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn what_was_opened_to_be_read_cannot_be_written() {
    for place in places().into_iter().skip(1) {
        let id = study(&*place.storage);
        let trial_id = begin(&*place.storage, id);
        let reader = open_existing(&place.url).expect("a storage");
        assert_eq!(reader.trials(id).expect("trials").len(), 1);
        let error = reader
            .set_trial_state(trial_id, TrialState::Fail, &[])
            .expect_err("refused");
        assert!(
            error
                .to_string()
                .ends_with("the file was opened to be read only"),
            "{error}"
        );
        begin(&*place.storage, id);
        assert_eq!(reader.trials(id).expect("trials").len(), 2);
    }
}

fn refusal(url: &str) -> String {
    let error = open(url).err();
    error
        .unwrap_or_else(|| panic!("{url} is refused"))
        .to_string()
}

#[test]
fn what_is_no_storage_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    fs::write(
        path("text.db"),
        "not a database, but long enough to be one. ".repeat(100),
    )
    .expect("written");
    fs::write(path("text.log"), "epoch 1: loss 0.5\n").expect("written");
    fs::create_dir(path("folder")).expect("made");
    let table = [
        ("sqlite:///", "text.db", "the file is no SQLite database"),
        ("", "text.db", "the file is no SQLite database"),
        ("journal://", "text.log", "text.log:1: the line is no JSON"),
        ("sqlite:///", "folder", "this is a folder, not a file"),
        ("journal://", "folder", "this is a folder, not a file"),
        ("sqlite:///", "none/study.db", "there is no folder"),
        ("journal://", "none/study.journal", "there is no folder"),
    ];
    for (scheme, name, problem) in table {
        let message = refusal(&format!("{scheme}{}", path(name).display()));
        let place = path(name).display().to_string();
        assert!(
            message.starts_with(&place) && message.contains(problem),
            "{message}"
        );
    }
    assert_eq!(
        fs::read_to_string(path("text.log")).expect("the file"),
        "epoch 1: loss 0.5\n"
    );
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 3);
}

#[test]
fn an_empty_file_becomes_a_storage() {
    for (scheme, name) in [("sqlite:///", "study.db"), ("journal://", "study.journal")] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        fs::write(&path, "").expect("written");
        let url = format!("{scheme}{}", path.display());
        let id = study(&*open(&url).expect("a storage"));
        assert!(
            open(&url)
                .expect("a storage")
                .trials(id)
                .expect("trials")
                .is_empty()
        );
    }
}

#[test]
fn a_database_of_another_version_is_refused_with_what_helps() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("study.db");
    let url = format!("sqlite:///{}", path.display());
    drop(open(&url).expect("a storage"));
    let sql = |statement: &str| {
        let database = rusqlite::Connection::open(&path).expect("a database");
        database.execute_batch(statement).expect("valid");
    };
    sql("UPDATE alembic_version SET version_num = 'v3.0.0.d'");
    let message = refusal(&url);
    assert!(
        message.contains(&format!("`optuna storage upgrade --storage {url}`")),
        "{message}"
    );
    sql("UPDATE alembic_version SET version_num = 'v9.0.0.a'");
    assert!(refusal(&url).contains("the version v9.0.0.a, which is not known here"));
    sql("DELETE FROM alembic_version; DROP TABLE trial_heartbeats");
    drop(open(&url).expect("what is missing is made"));

    let other = folder.path().join("other.db");
    let database = rusqlite::Connection::open(&other).expect("a database");
    database
        .execute_batch("CREATE TABLE runs (id)")
        .expect("valid");
    drop(database);
    let message = refusal(&other.display().to_string());
    assert!(
        message.contains("the database is not one of studies"),
        "{message}"
    );
}

#[test]
fn when_it_is_closed_a_database_is_one_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:///{}", folder.path().join("study.db").display());
    let (first, second) = (
        open(&url).expect("a storage"),
        open(&url).expect("a storage"),
    );
    let id = study(&*first);
    drop(first);
    begin(&*second, id);
    drop(second);
    let count = |folder: &Path| fs::read_dir(folder).expect("a folder").count();
    assert_eq!(count(folder.path()), 1);
    let reader = open_existing(&url).expect("a storage");
    assert_eq!(reader.trials(id).expect("trials").len(), 1);
    assert_eq!(count(folder.path()), 1);
}

/// A journal with one study, one trial and the given text behind it.
fn journal(rest: &[u8]) -> (tempfile::TempDir, PathBuf, StudyId) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("study.journal");
    let storage = open(&format!("journal://{}", path.display())).expect("a storage");
    let id = study(&*storage);
    begin(&*storage, id);
    let mut bytes = fs::read(&path).expect("the file");
    bytes.extend_from_slice(rest);
    fs::write(&path, bytes).expect("written");
    (folder, path, id)
}

#[test]
fn a_torn_line_is_passed_over_and_cut_off_by_the_next_writer() {
    for torn in [
        &br#"{"op_code":8,"worker_id":"x","tri"#[..],
        b"\0\0\0\0",
        b"\xff",
    ] {
        let (_folder, path, id) = journal(torn);
        let storage = open(&path.display().to_string()).expect("a storage");
        assert_eq!(storage.trials(id).expect("trials").len(), 1);
        begin(&*storage, id);
        assert_eq!(storage.trials(id).expect("trials").len(), 2);
        let text = fs::read_to_string(&path).expect("the file");
        assert!(text.ends_with("}\n"));
        assert!(text.lines().all(|line| parse(line).is_ok()), "{text}");
    }
}

#[test]
fn a_whole_line_without_an_end_is_kept() {
    let whole = br#"{"op_code":8,"worker_id":"x","trial_id":0,"user_attr":{"k":1}}"#;
    let (_folder, path, id) = journal(whole);
    let storage = open(&path.display().to_string()).expect("a storage");
    begin(&*storage, id);
    let trials = storage.trials(id).expect("trials");
    assert_eq!(trials[0].user_attrs["k"], Json::Int(1));
    assert_eq!(trials.len(), 2);
}

#[test]
fn a_line_that_cannot_be_read_is_named_every_time() {
    let table = [
        (
            "{\"op_code\":11,\"worker_id\":\"x\"}\n",
            "the operation 11 is not known here",
        ),
        (
            "{\"op_code\":8,\"wor{\"op_code\":4}\n",
            "the line is no JSON",
        ),
        (
            "{\"op_code\":7,\"worker_id\":\"x\",\"trial_id\":0,\"step\":1}\n",
            "`intermediate_value` is missing",
        ),
        ("[]\n", "`op_code` is missing"),
        (
            "{\"op_code\":0,\"worker_id\":\"x\",\"study_name\":\"y\",\"directions\":[7]}\n",
            "`directions`",
        ),
        (
            "{\"op_code\":4,\"worker_id\":\"x\",\"study_id\":0,\"params\":{\"a\":1}}\n",
            "`a` has no distribution",
        ),
    ];
    for (line, problem) in table {
        let (_folder, path, _) = journal(b"");
        let storage = open(&path.display().to_string()).expect("a storage");
        let mut bytes = fs::read(&path).expect("the file");
        bytes.extend_from_slice(line.as_bytes());
        fs::write(&path, &bytes).expect("written");
        let place = format!("{}:3: ", path.display());
        for _ in 0..2 {
            let errors = [
                storage.studies().expect_err("an error"),
                storage
                    .create_study("other", &[Direction::Minimize])
                    .expect_err("an error"),
            ];
            for error in errors {
                let message = error.to_string();
                assert!(
                    message.starts_with(&place) && message.contains(problem),
                    "{message}"
                );
            }
        }
        assert!(
            fs::read(&path).expect("the file") == bytes,
            "nothing is written behind it"
        );
    }
}

#[test]
fn what_only_rustuna_writes_is_passed_over() {
    let (_folder, path, id) = journal(b"{\"op_code\":10,\"worker_id\":\"x\",\"trial_ids\":[0]}\n");
    let storage = open(&path.display().to_string()).expect("a storage");
    begin(&*storage, id);
    assert_eq!(storage.trials(id).expect("trials").len(), 2);
}

#[test]
fn lines_that_contradict_those_before_have_no_effect() {
    let lines = "\
{\"op_code\":0,\"worker_id\":\"x\",\"study_name\":\"study\",\"directions\":[2]}
{\"op_code\":6,\"worker_id\":\"x\",\"trial_id\":0,\"state\":1,\"values\":[1.0],\"datetime_complete\":\"2024-01-01T00:00:00\"}
{\"op_code\":6,\"worker_id\":\"x\",\"trial_id\":0,\"state\":3,\"values\":null,\"datetime_complete\":\"2024-01-01T00:00:00\"}
{\"op_code\":8,\"worker_id\":\"x\",\"trial_id\":9,\"user_attr\":{\"k\":1}}
{\"op_code\":4,\"worker_id\":\"x\",\"study_id\":5,\"datetime_start\":null}
{\"op_code\":1,\"worker_id\":\"x\",\"study_id\":5}
";
    let (_folder, path, id) = journal(lines.as_bytes());
    let storage = open(&path.display().to_string()).expect("a storage");
    let studies = storage.studies().expect("studies");
    assert_eq!(studies[0].directions, [Direction::Minimize]);
    let trials = storage.trials(id).expect("trials");
    assert_eq!((trials.len(), trials[0].state), (1, TrialState::Complete));
}

#[test]
fn a_journal_that_becomes_shorter_is_told() {
    let (_folder, path, id) = journal(b"");
    let storage = open(&path.display().to_string()).expect("a storage");
    fs::write(&path, "").expect("written");
    let message = storage.trials(id).expect_err("an error").to_string();
    assert!(message.contains("has become shorter"), "{message}");
}
