//! Texts against those of ruamel.yaml 0.18.17, which DVC writes with.
//!
//! Each row of the fixture holds the input and, last, ruamel's output: of a dump, of a round trip, of DVC's
//! `apply_diff` on a document, and of setting or deleting one key.

use strata_pipeline::value::Value;
use strata_pipeline::yaml::{Document, read, to_text};

fn rows(kind: &str) -> Vec<Vec<String>> {
    let fixture = include_str!("fixtures/yaml_ruamel.json");
    let mut fixture: serde_json::Value =
        serde_json::from_str(fixture).expect("the fixture is JSON");
    serde_json::from_value(fixture[kind].take()).expect("rows are lists of texts")
}

fn parse(text: &str) -> Document {
    Document::parse("document", text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn value(text: &str) -> Value {
    read("value", text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn assert_all(kind: &str, write: impl Fn(&[String]) -> String) {
    let rows = rows(kind);
    assert!(!rows.is_empty(), "no rows of {kind}");
    for row in rows {
        let (expected, given) = row.split_last().expect("a row has an output");
        assert_eq!(&write(given), expected, "{kind} of {given:#?}");
    }
}

#[test]
fn plain_values_are_written_as_ruamel_writes_them() {
    assert_all("dump", |given| to_text(&value(&given[0])));
}

#[test]
fn a_round_trip_keeps_what_ruamel_keeps() {
    assert_all("round_trip", |given| parse(&given[0]).to_text());
}

#[test]
fn an_update_keeps_what_apply_diff_keeps() {
    assert_all("update", |given| {
        let mut document = parse(&given[0]);
        let wanted = value(&given[1]);
        document.update(&[], &wanted);
        assert!(
            document.value().python_eq(&wanted),
            "the document is not what was wanted"
        );
        document.to_text()
    });
}

#[test]
fn a_value_that_is_set_keeps_what_ruamel_keeps() {
    assert_all("set", |given| {
        let mut document = parse(&given[0]);
        let path: Vec<&str> = given[1].split('/').collect();
        document.set(&path, value(&given[2]));
        document.to_text()
    });
}

#[test]
fn a_key_that_is_removed_takes_its_comments_along() {
    assert_all("remove", |given| {
        let mut document = parse(&given[0]);
        let path: Vec<&str> = given[1].split('/').collect();
        assert!(document.remove(&path), "there was no key to remove");
        document.to_text()
    });
}

/// A second round trip changes nothing, and none changes a value.
#[test]
fn round_trips_are_stable() {
    for row in rows("round_trip") {
        let once = parse(&row[0]);
        let again = parse(&once.to_text());
        assert!(
            again.value().python_eq(once.value()) || row[0].contains("NaN"),
            "{}",
            row[0]
        );
    }
}
