//! The directory of a run, from its making to its reading.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use strata_track::{GitState, Row, RunDirectory, RunDirectoryError, RunRecord, RunState, Sink};

#[test]
fn a_record_comes_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs/a");
    let mut record = RunRecord::begin("1.2.3");
    record.seed = Some(1234);
    record.data_fingerprint = Some("md5:abc".to_owned());
    record
        .tracker_ids
        .insert("wandb".to_owned(), "x1".to_owned());
    let directory = RunDirectory::create(&path, &record).unwrap();
    assert_eq!(directory.record().unwrap(), record);

    directory
        .finish(RunState::Failed, Some("the disk is full"))
        .unwrap();
    let read = RunDirectory::open(&path).unwrap().record().unwrap();
    assert_eq!(read.state, RunState::Failed);
    assert_eq!(read.error.as_deref(), Some("the disk is full"));
    assert!(read.finished.unwrap() >= read.started);
    let names: Vec<_> = std::fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["run.json"], "nothing else is left");
}

#[test]
fn keys_of_later_versions_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let directory = RunDirectory::create(folder.path(), &RunRecord::begin("1")).unwrap();
    let text = std::fs::read_to_string(directory.record_path()).unwrap();
    let with_more = text.replacen('{', r#"{"notes": {"b": [1, null], "a": "é"},"#, 1);
    std::fs::write(directory.record_path(), with_more).unwrap();

    directory.update(|record| record.threads = Some(2)).unwrap();

    let text = std::fs::read_to_string(directory.record_path()).unwrap();
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["notes"].to_string(), r#"{"b":[1,null],"a":"é"}"#);
    assert_eq!(
        (&read["threads"], &read["state"]),
        (&2.into(), &"running".into())
    );
    let started = read["started"].as_str().unwrap();
    assert!(started.ends_with('Z') && started.contains('T'), "{started}");
}

#[test]
fn a_run_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let first = RunDirectory::create(folder.path(), &RunRecord::begin("1")).unwrap();
    let second = RunDirectory::create(folder.path(), &RunRecord::begin("2"));
    let error = second.unwrap_err();
    assert!(matches!(error, RunDirectoryError::Occupied { .. }));
    assert!(error.to_string().contains("`hydra.run.dir`"), "{error}");
    assert_eq!(first.record().unwrap().program_version, "1");
    let again = RunDirectory::create(folder.path(), &RunRecord::begin("2"));
    assert!(
        matches!(again, Err(RunDirectoryError::Occupied { .. })),
        "no claim is left behind"
    );
}

#[test]
fn jobs_that_start_at_once_get_directories_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs/2026-01-31_14-05-09");
    let made: Vec<RunDirectory> = std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| RunDirectory::create_unique(&path, &RunRecord::begin("1")).unwrap())
            })
            .collect();
        jobs.into_iter().map(|job| job.join().unwrap()).collect()
    });
    let names: BTreeSet<String> = made
        .iter()
        .map(|directory| {
            directory
                .path()
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let mut expected = BTreeSet::from(["2026-01-31_14-05-09".to_owned()]);
    expected.extend((2..9).map(|number| format!("2026-01-31_14-05-09_{number}")));
    assert_eq!(names, expected);
}

#[test]
fn of_jobs_that_want_one_directory_one_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let record = RunRecord::begin("1");
    let got = std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| RunDirectory::create(folder.path(), &record).is_ok()))
            .collect();
        jobs.into_iter()
            .map(|job| usize::from(job.join().unwrap()))
            .sum::<usize>()
    });
    assert_eq!(got, 1);
}

#[test]
fn what_is_no_run_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let opened = RunDirectory::open(folder.path());
    assert!(matches!(opened, Err(RunDirectoryError::NotARun { .. })));

    std::fs::write(folder.path().join("run.json"), "{\n\"state\": \"asleep\"}").unwrap();
    let error = RunDirectory::open(folder.path())
        .unwrap()
        .record()
        .unwrap_err();
    assert!(error.to_string().contains("run.json:2:"), "{error}");
}

#[test]
fn rows_and_summary_are_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let directory = RunDirectory::create(folder.path(), &RunRecord::begin("1")).unwrap();
    assert_eq!(directory.summary().unwrap(), None);
    let mut metrics = directory.metrics_sink().unwrap();
    let mut summary = directory.summary_sink(None);
    for step in 1..=3 {
        let row = Row::new(step, None).with("train/loss", 1.0 / step as f64);
        metrics.log(&row).unwrap();
        summary.log(&row).unwrap();
    }
    assert!(
        directory.summary().unwrap().is_some(),
        "there from the first row on"
    );
    summary.finish(RunState::Finished).unwrap();
    let steps: Vec<u64> = directory
        .rows()
        .unwrap()
        .map(|row| row.unwrap().step)
        .collect();
    assert_eq!(steps, [1, 2, 3]);
    assert_eq!(directory.summary().unwrap().unwrap().step, 3);
}

#[test]
fn without_a_repository_there_is_no_git_state() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(GitState::of(&folder.path().join("none")), None);
}
