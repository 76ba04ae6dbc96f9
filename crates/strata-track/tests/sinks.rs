//! The tracker and its sinks.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use strata_track::{
    Console, ConsoleSink, JobLog, Level, Mode, Plan, Row, RunState, Sink, SinkError, Summary,
    SummarySink, Tracker,
};

struct Broken {
    rows: Arc<AtomicUsize>,
}

impl Sink for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn log(&mut self, _row: &Row) -> Result<(), SinkError> {
        self.rows.fetch_add(1, Ordering::Relaxed);
        Err(SinkError::Other("no network".into()))
    }

    fn finish(&mut self, _state: RunState) -> Result<(), SinkError> {
        Err(SinkError::Other("still no network".into()))
    }
}

fn log_in(folder: &Path) -> JobLog {
    JobLog::open(&folder.join("train.log"), Console::silent(), Level::Info).unwrap()
}

fn lines(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("train.log")).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_failing_sink_is_told_once_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let rows = Arc::new(AtomicUsize::new(0));
    let mut tracker = Tracker::new(log_in(folder.path()));
    tracker.add(Broken {
        rows: Arc::clone(&rows),
    });
    let summary = folder.path().join("summary.json");
    tracker.add(SummarySink::new(&summary, None));
    for step in 0..5 {
        tracker.log(&Row::new(step, None).with("train/loss", 1.0));
    }
    tracker.finish(RunState::Finished);

    let told = lines(folder.path());
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("[WARNING] - broken: no network; the run goes on"),
        "{told:?}"
    );
    assert_eq!(rows.load(Ordering::Relaxed), 5);
    let read: Summary = serde_json::from_slice(&std::fs::read(summary).unwrap()).unwrap();
    assert_eq!(read.step, 4);
}

#[test]
fn best_is_least_for_losses_and_most_for_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("summary.json");
    let swept = Some(("images_per_s".to_owned(), Mode::Min));
    let mut sink = SummarySink::new(&path, swept);
    for (step, value) in [
        (1, f64::NAN),
        (2, 0.5),
        (3, 0.2),
        (4, 0.9),
        (5, 0.9),
        (6, f64::NAN),
    ] {
        let row = Row::new(step, Some(step / 2))
            .with("validation/loss", value)
            .with("validation/accuracy", value)
            .with("images_per_s", value)
            .with("never", f64::NAN);
        sink.log(&row).unwrap();
    }
    sink.finish(RunState::Interrupted).unwrap();

    let read: Summary = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let best = |name: &str| {
        (
            read.best[name].value,
            read.best[name].step,
            read.best[name].epoch,
        )
    };
    assert_eq!(best("validation/loss"), (0.2, 3, Some(1)));
    assert_eq!(
        best("validation/accuracy"),
        (0.9, 4, Some(2)),
        "of equal ones the first"
    );
    assert_eq!(
        best("images_per_s"),
        (0.2, 3, Some(1)),
        "the sweep's mode goes first"
    );
    assert!(!read.best.contains_key("never"));
    assert!(read.last["validation/loss"].is_nan());
}

#[test]
fn every_epoch_is_one_line_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan {
        epochs: 3,
        steps_per_epoch: 2,
        images_per_epoch: 20,
    };
    let mut sink = ConsoleSink::new(log_in(folder.path()), plan);
    for step in 1..=6u64 {
        let epoch = (step - 1) / 2 + 1;
        sink.log(&Row::new(step, Some(epoch)).with("train/loss", 1.0 / step as f64))
            .unwrap();
        if step == 2 {
            sink.log(&Row::new(step, Some(epoch)).with("validation/accuracy", 0.25))
                .unwrap();
        }
    }
    sink.log(&Row::new(6, None).with("test/accuracy", 0.75))
        .unwrap();
    sink.finish(RunState::Finished).unwrap();

    let messages: Vec<String> = lines(folder.path())
        .iter()
        .map(|line| line.split_once(" - ").unwrap().1.to_owned())
        .collect();
    assert_eq!(
        messages,
        [
            "epoch 1/3: train/loss 0.5000, validation/accuracy 0.2500",
            "epoch 2/3: train/loss 0.2500",
            "epoch 3/3: train/loss 0.1667",
            "test/accuracy 0.7500",
        ]
    );
}
