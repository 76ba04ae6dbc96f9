//! What is logged is read back.
#![allow(clippy::unwrap_used, clippy::naive_bytecount)]

use std::io::Write;

use proptest::prelude::*;
use strata_track::{JsonlSink, MetricsError, Row, Rows, RunState, Sink};

fn row(step: u64) -> Row {
    Row {
        time_s: 1_767_225_600.25,
        ..Row::new(step, Some(0)).with("train/loss", 0.5 / step as f64)
    }
}

#[test]
fn nan_and_infinities_survive() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    let mut sink = JsonlSink::create(&path).unwrap();
    let mut logged = row(1);
    logged = logged
        .with("a", f64::NAN)
        .with("b", f64::INFINITY)
        .with("c", f64::NEG_INFINITY);
    sink.log(&logged).unwrap();

    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        text,
        r#"{"step":1,"epoch":0,"time":1767225600.25,"train/loss":0.5,"a":"NaN","b":"Infinity","c":"-Infinity"}"#
            .to_owned()
            + "\n"
    );
    let read = Rows::open(&path).unwrap().next().unwrap().unwrap();
    assert!(read.values["a"].is_nan());
    assert_eq!(read.values["b"], f64::INFINITY);
    assert_eq!(read.values["c"], f64::NEG_INFINITY);
}

#[test]
fn rows_are_readable_while_the_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    let mut sink = JsonlSink::create(&path).unwrap();
    for step in 1..4 {
        sink.log(&row(step)).unwrap();
        assert_eq!(Rows::open(&path).unwrap().count() as u64, step);
    }
    sink.finish(RunState::Finished).unwrap();
    assert!(
        JsonlSink::create(&path).is_err(),
        "rows are not overwritten"
    );
    assert_eq!(Rows::open(&path).unwrap().count(), 3);
}

#[test]
fn a_truncated_last_line_is_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    let mut sink = JsonlSink::create(&path).unwrap();
    sink.log(&row(1)).unwrap();
    sink.log(&row(2)).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let first = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;

    for length in first..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let mut rows = Rows::open(&path).unwrap();
        let read: Vec<Row> = rows.by_ref().map(Result::unwrap).collect();
        assert_eq!(read, [row(1)]);
        assert_eq!(rows.truncated(), length > first);
    }
}

#[test]
fn a_damaged_line_is_an_error_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    let mut sink = JsonlSink::create(&path).unwrap();
    sink.log(&row(1)).unwrap();
    drop(sink);
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap();
    file.write_all(b"{\"step\":2,\"ti\n{\"step\":3,\"time\":\"later\",\"values\":{}}\n")
        .unwrap();

    let read: Vec<_> = Rows::open(&path).unwrap().collect();
    assert_eq!(read.len(), 3);
    let Err(error @ MetricsError::Damaged { line: 2, .. }) = &read[1] else {
        panic!("{:?}", read[1]);
    };
    assert!(
        error.to_string().contains("metrics.jsonl:2: not a row"),
        "{error}"
    );
    let message = read[2].as_ref().unwrap_err().to_string();
    assert!(message.contains("`later` is not a number"), "{message}");
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_row_comes_back_bit_for_bit(
        step: u64,
        epoch: Option<u64>,
        time_s in any::<f64>(),
        values in prop::collection::vec((".*", prop::num::f64::ANY), 0..8),
    ) {
        let written = Row { step, epoch, time_s, values: values.into_iter().collect() };
        let line = serde_json::to_string(&written).unwrap();
        prop_assert!(!line.contains('\n'));
        let read: Row = serde_json::from_str(&line).unwrap();
        prop_assert_eq!((read.step, read.epoch), (step, epoch));
        prop_assert!(same(read.time_s, time_s));
        prop_assert!(written.values.keys().eq(read.values.keys()));
        for (name, &value) in &written.values {
            prop_assert!(same(read.values[name], value), "{name}: {value:e}");
        }
    }

    #[test]
    fn any_f32_is_written_as_short_as_it_prints(value in prop::num::f32::NORMAL) {
        let logged = Row::new(0, None).with("x", value).values["x"];
        prop_assert_eq!(logged as f32, value);
        prop_assert_eq!(logged.to_string(), value.to_string());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        std::fs::write(&path, &bytes).unwrap();
        let lines = bytes.iter().filter(|&&byte| byte == b'\n').count();
        prop_assert_eq!(Rows::open(&path).unwrap().count(), lines);
    }
}
