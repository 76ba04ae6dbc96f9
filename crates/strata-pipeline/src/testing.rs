//! Values for tests.

use crate::value::Value;

/// The value of a JSON text.
pub(crate) fn json(text: &str) -> Value {
    crate::params::from_json(&serde_json::from_str(text).expect("the test's JSON is right"))
}
