//! A row: the values logged at one step.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The values logged at one step, one line of `metrics.jsonl`:
/// `{"step":50,"epoch":1,"time":1767225600.25,"train/loss":0.3}`.
///
/// `step`, `epoch` and `time` are no names for values. Values that are times themselves have names that
/// begin with `time/`, so that two equal runs can be compared without them.
///
/// JSON has no NaN and no infinities: they are written as the strings `"NaN"`, `"Infinity"` and
/// `"-Infinity"`, and read back as numbers. Finite floats are written in their shortest form that reads
/// back to the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Optimiser steps done since the start of the run.
    pub step: u64,
    /// The epoch the step belongs to, counted from 1; absent for what belongs to no epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Seconds since 1970-01-01 UTC.
    #[serde(rename = "time", with = "number")]
    pub time_s: f64,
    /// Name → value, in the order logged; names as `train/loss`.
    #[serde(flatten, with = "numbers")]
    pub values: IndexMap<String, f64>,
}

impl Row {
    /// An empty row of this moment.
    pub fn new(step: u64, epoch: Option<u64>) -> Self {
        let now = jiff::Timestamp::now();
        Self {
            step,
            epoch,
            time_s: now.as_microsecond() as f64 / 1e6,
            values: IndexMap::new(),
        }
    }

    /// The row with one more value; a name given twice keeps the last value.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Scalar>) -> Self {
        self.values.insert(name.into(), value.into().0);
        self
    }
}

/// One value to be logged.
///
/// An `f32` becomes the `f64` nearest to its shortest decimal form, so that `0.3f32` is written as `0.3`
/// and not as `0.30000001192092896`; reading `0.3` as `f32` gives the same bits again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scalar(pub f64);

impl From<f64> for Scalar {
    fn from(value: f64) -> Self {
        Self(value)
    }
}

impl From<f32> for Scalar {
    fn from(value: f32) -> Self {
        Self(value.to_string().parse().unwrap_or(f64::from(value)))
    }
}

impl From<u32> for Scalar {
    fn from(value: u32) -> Self {
        Self(f64::from(value))
    }
}

/// One float of JSON, which may be one of the three strings.
pub(crate) mod number {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde hands over a reference"
    )]
    pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() {
            serializer.serialize_f64(*value)
        } else if value.is_nan() {
            serializer.serialize_str("NaN")
        } else if *value > 0.0 {
            serializer.serialize_str("Infinity")
        } else {
            serializer.serialize_str("-Infinity")
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(value) => Ok(value),
            Written::Text(text) => match text.as_str() {
                "NaN" => Ok(f64::NAN),
                "Infinity" => Ok(f64::INFINITY),
                "-Infinity" => Ok(f64::NEG_INFINITY),
                _ => Err(D::Error::custom(format!(
                    "`{text}` is not a number; strings may be NaN, Infinity or -Infinity"
                ))),
            },
        }
    }
}

/// A map of name → [`number`].
pub(crate) mod numbers {
    use super::number;
    use indexmap::IndexMap;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Number(#[serde(with = "number")] f64);

    pub(crate) fn serialize<S: Serializer>(
        values: &IndexMap<String, f64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(values.iter().map(|(name, value)| (name, Number(*value))))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<IndexMap<String, f64>, D::Error> {
        let values = IndexMap::<String, Number>::deserialize(deserializer)?;
        Ok(values
            .into_iter()
            .map(|(name, value)| (name, value.0))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_f32_is_written_in_its_shortest_form() {
        let mut row = Row::new(1, None).with("loss", 0.3f32);
        row.time_s = 2.0;
        let line = serde_json::to_string(&row).expect("a row is always JSON");
        assert_eq!(line, r#"{"step":1,"time":2.0,"loss":0.3}"#);
    }

    #[test]
    fn an_f32_keeps_its_bits() {
        for value in [0.1f32, f32::MIN_POSITIVE, f32::MAX, -1.0e-45, 16_777_217.0] {
            assert_eq!(Scalar::from(value).0 as f32, value);
        }
        assert!(Scalar::from(f32::NAN).0.is_nan());
        assert_eq!(Scalar::from(f32::NEG_INFINITY).0, f64::NEG_INFINITY);
    }
}
