//! Constraints that a trial was to keep.

use strata_json::Json;

use crate::trial::Trial;

/// How much a trial violates its constraints in all: the sum of those above 0, without measure for NaN; 0 if it keeps
/// them. They are its attributes `constraints` (a list; Optuna before 5.0) and `constraints:NAME`.
pub(super) fn violation(trial: &Trial) -> f64 {
    let attributes = trial.system_attrs.iter();
    let named = attributes.filter(|(key, _)| key.starts_with("constraints:"));
    let named = named.map(|(_, value)| value);
    let listed = trial.system_attrs.get("constraints");
    let listed = listed.and_then(Json::as_list).unwrap_or_default();
    let constraints = named.chain(listed).filter_map(Json::as_f64);
    constraints
        .map(|value| {
            if value.is_nan() {
                f64::INFINITY
            } else {
                value.max(0.0)
            }
        })
        .sum()
}
