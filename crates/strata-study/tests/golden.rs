//! Studies that real Optuna has written are read as Optuna 5.0.0 reads them (with TZ=UTC).

#[path = "common/dump.rs"]
mod dump;

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use jiff::tz::TimeZone;
use strata_json::{Json, parse};
use strata_study::storage::{JournalStorage, SqliteStorage, open};
use strata_study::{Storage, Trial, TrialState};

const STUDIES: [&str; 4] = [
    "golden-single",
    "golden-multi",
    "golden-empty",
    "golden-tpe",
];

fn golden(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/sweep/golden");
    folder.join(name)
}

/// A copy, as opening a file may change it.
fn copy(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs_err::copy(golden(name), &path).expect("a copy");
    (folder, path)
}

/// The same value; parameters also in the same order. That of attributes is left open by databases.
fn compare(ours: &Json, theirs: &Json, place: &str) {
    match (ours, theirs) {
        (Json::Map(a), Json::Map(b)) => {
            let names = |map: &IndexMap<String, Json>| {
                let mut names: Vec<String> = map.keys().cloned().collect();
                if !place.ends_with(".params") {
                    names.sort();
                }
                names
            };
            assert_eq!(names(a), names(b), "{place}");
            for (name, value) in a {
                compare(value, &b[name], &format!("{place}.{name}"));
            }
        }
        (Json::List(a), Json::List(b)) => {
            assert_eq!(a.len(), b.len(), "{place}");
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(a, b, &format!("{place}[{index}]"));
            }
        }
        _ => assert_eq!(ours, theirs, "{place}"),
    }
}

fn compare_all(storage: &dyn Storage, file: &str) {
    let studies = storage.studies().expect("studies");
    let names: Vec<&str> = studies.iter().map(|study| study.name.as_str()).collect();
    assert_eq!(names, STUDIES);
    for study in &studies {
        let expected = golden(&format!("{file}.{}.json", study.name));
        let expected = fs_err::read_to_string(expected).expect("the golden reading");
        let expected = parse(&expected).expect("JSON");
        let ours = dump::dump(storage, study).expect("a study");
        compare(&ours, &expected, &format!("{file}: {}", study.name));
    }
}

#[test]
fn databases_of_optuna_are_read_as_optuna_reads_them() {
    for file in ["optuna-5.0.0.sqlite3", "optuna-4.9.0.sqlite3"] {
        let (_folder, path) = copy(file);
        compare_all(&SqliteStorage::open_existing(&path).expect(file), file);
        compare_all(&SqliteStorage::open(&path).expect(file), file);
    }
}

#[test]
fn journals_of_optuna_are_read_as_optuna_reads_them() {
    // 4.9.0 wrote local times without an offset; the golden reading is that of a machine in UTC.
    for file in ["optuna-5.0.0.journal", "optuna-4.9.0.journal"] {
        let (_folder, path) = copy(file);
        let storage = JournalStorage::open_existing_of_zone(&path, TimeZone::UTC);
        compare_all(&storage.expect(file), file);
    }
}

#[test]
fn reading_leaves_a_database_as_it_is() {
    let file = "optuna-5.0.0.sqlite3";
    let (folder, path) = copy(file);
    compare_all(&SqliteStorage::open_existing(&path).expect(file), file);
    let read = |path: &Path| fs_err::read(path).expect("the file");
    assert!(read(&path) == read(&golden(file)));
    assert_eq!(
        fs_err::read_dir(folder.path()).expect("a folder").count(),
        1
    );
}

#[test]
fn studies_of_optuna_go_on() {
    for file in [
        "optuna-5.0.0.sqlite3",
        "optuna-4.9.0.sqlite3",
        "optuna-5.0.0.journal",
        "optuna-4.9.0.journal",
    ] {
        let (_folder, path) = copy(file);
        let url = path.display().to_string();
        let number = {
            let storage = open(&url).expect(file);
            let study = storage
                .study_named("golden-tpe")
                .expect(file)
                .expect("the study");
            let before = storage.trials(study.id).expect(file).len() as u64;
            let template = Trial::new(TrialState::Running);
            let (id, number) = storage.create_trial(study.id, &template).expect(file);
            assert_eq!(number, before);
            assert!(
                storage
                    .set_trial_state(id, TrialState::Complete, &[0.5])
                    .expect(file)
            );
            number
        };
        let storage = open(&url).expect(file);
        let study = storage
            .study_named("golden-tpe")
            .expect(file)
            .expect("the study");
        let trials = storage.trials(study.id).expect(file);
        let last = &trials[number as usize];
        assert_eq!(
            (last.state, &last.values[..]),
            (TrialState::Complete, &[0.5][..])
        );
    }
}
