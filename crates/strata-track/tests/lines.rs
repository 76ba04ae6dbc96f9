//! The lines of `strata track`.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use proptest::prelude::*;
use strata_track::{Event, Histogram, Image, Value, parse_event};

fn told(line: &str) -> String {
    parse_event(line).expect_err(line).to_string()
}

#[test]
fn a_row_holds_values_of_all_kinds() {
    let line = r#"{"log": {"loss": NaN, "n": 9007199254740993, "nested": {"ok": true},
        "image": {"_type": "image", "file": "a.png", "caption": "A"},
        "counts": {"_type": "histogram", "counts": [1, 2], "edges": [0, 0.5, 1]}}, "step": 3.0}"#;
    let Event::Log(logged) = parse_event(line).unwrap() else {
        panic!("a row")
    };
    assert_eq!((logged.step, logged.commit), (Some(3), None));
    assert!(matches!(logged.values["loss"], Value::Number(value) if value.is_nan()));
    assert_eq!(logged.values["n"], Value::Integer(9_007_199_254_740_993));
    let image = Image {
        file: PathBuf::from("a.png"),
        caption: Some("A".to_owned()),
    };
    assert_eq!(logged.values["image"], Value::Image(image));
    let counts = Histogram::Counts {
        counts: vec![1.0, 2.0],
        edges: vec![0.0, 0.5, 1.0],
    };
    assert_eq!(logged.values["counts"], Value::Histogram(counts));
}

#[test]
fn what_is_absent_has_its_default() {
    assert_eq!(
        parse_event(r#"{"finish": {}}"#),
        Ok(Event::Finish { exit_code: 0 })
    );
    assert_eq!(
        parse_event(r#"{"init": {"name": null}}"#),
        Ok(Event::Init(Default::default()))
    );
}

#[test]
fn messages_say_what_would_be_right() {
    let table = [
        (
            "3",
            "not an object; a line is one, such as `{\"log\": {\"loss\": 0.5}}`",
        ),
        (
            r#"{"log": 3}"#,
            "`log` must be an object, not another number",
        ),
        (
            r#"{"log": {}, "step": -1}"#,
            "`line.step` must be a whole number from 0 on, not a negative number",
        ),
        (
            r#"{"log": {}, "stp": 1}"#,
            "`stp` has no meaning in `line`; known are `step`, `commit`",
        ),
        (
            r#"{"print": "a", "finish": {}}"#,
            "`finish` has no meaning in `line`; a line tells one thing",
        ),
        (
            r#"{"log": {"a": {"_type": "picture"}}}"#,
            "`_type` is `picture`; it must be one of `image`, `images`, `histogram`, `table`, `text`",
        ),
        (
            r#"{"log": {"a": {"_type": "image"}}}"#,
            "`image` needs `file`",
        ),
        (
            r#"{"log": {"a": {"_type": "histogram", "counts": [1], "edges": [0]}}}"#,
            "`histogram.edges`: there must be one more edge than counts",
        ),
        (
            r#"{"alert": {"title": "a", "level": "LOUD"}}"#,
            "`alert.level`: it must be INFO, WARN or ERROR",
        ),
    ];
    for (line, message) in table {
        assert_eq!(told(line), message);
    }
    assert!(
        told(r#"{"lgo": {}}"#)
            .starts_with("`lgo` says nothing known; a line has one of the keys `init`")
    );
}

/// Values as `serde_json` knows them: what it writes must be read as the same.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        prop::num::f64::NORMAL.prop_map(Into::into),
        ".*".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::btree_map("[a-z/\"\\\\é]{1,6}", inner, 0..5)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

fn same(value: &Value, json: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match (value, json) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(a), Json::Bool(b)) => a == b,
        (Value::Integer(a), Json::Number(b)) => b.as_i64() == Some(*a),
        (Value::Number(a), Json::Number(b)) => {
            b.is_f64() && b.as_f64().map(f64::to_bits) == Some(a.to_bits())
        }
        (Value::String(a), Json::String(b)) => a == b,
        (Value::List(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), Json::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn json_is_read_as_it_was_meant(json in json()) {
        let line = serde_json::json!({"config": {"value": json}}).to_string();
        let Event::Config(fields) = parse_event(&line).unwrap() else { panic!("{line}") };
        prop_assert!(same(&fields["value"], &json), "{}", line);
    }

    #[test]
    fn no_line_is_too_odd(line in r#"[\[\]{}:,"\\a-u_0-9.eE+ \u{e9}-]{0,40}"#) {
        let _ = parse_event(&line);
    }

    #[test]
    fn a_line_cut_off_is_no_event(end in 0usize..62) {
        let line = r#"{"log": {"a": {"_type": "text", "text": "é"}, "b": 1}, "step": 2}"#;
        if let Some(start) = line.get(..end) {
            prop_assert!(parse_event(start).is_err());
        }
    }
}
