//! The numbers of Optuna that unit tests compare with.

use indexmap::IndexMap;
use strata_json::{Json, parse};

/// The file of vectors, by section.
pub(crate) fn vectors() -> IndexMap<String, Json> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../conformance/sweep/vectors/vectors.json"
    );
    let text = std::fs::read_to_string(path).expect("the vectors are part of the repository");
    match parse(&text) {
        Ok(Json::Map(sections)) => sections,
        other => panic!("no object: {other:?}"),
    }
}

/// A number, or one of the strings `nan`, `inf`, `-inf`.
pub(crate) fn number(json: &Json) -> f64 {
    match json {
        Json::Str(text) => text.parse().expect("a number"),
        other => other.as_f64().expect("a number"),
    }
}

/// A list of numbers.
pub(crate) fn numbers(json: &Json) -> Vec<f64> {
    json.as_list().expect("a list").iter().map(number).collect()
}

/// Fails unless all agree to 1e-9, relative or absolute.
pub(crate) fn close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: the number of values");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let is_close = (found - expected).abs() <= 1e-9 * expected.abs().max(1.0);
        assert!(
            is_close || found == expected,
            "{what}: value {i} is {found}, expected {expected}"
        );
    }
}
