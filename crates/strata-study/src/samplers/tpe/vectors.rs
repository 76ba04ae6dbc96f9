//! Numbers of Optuna 5.0.0, from `conformance/sweep/vectors`.

use std::sync::Arc;

use strata_json::Json;

use super::parzen::{ParzenEstimator, weights_by_age};
use super::split::gamma;
use super::truncated_normal::{log_mass, quantile};
use crate::Distribution;
use crate::test_vectors::{close, number, numbers, vectors};

#[test]
fn gamma_is_optuna_s() {
    let expected = numbers(&vectors()["gamma"]);
    for (n, expected) in expected.iter().enumerate() {
        assert_eq!(gamma(n, 1) as f64, *expected, "of {n}");
    }
}

#[test]
fn weights_by_age_are_optuna_s() {
    let vectors = vectors();
    let cases = vectors["weights"].as_map().expect("an object");
    for (n, expected) in cases {
        let weights = weights_by_age(n.parse().expect("a number"));
        close(&weights, &numbers(expected), &format!("weights of {n}"));
    }
}

#[test]
fn truncated_normals_are_optuna_s() {
    let vectors = vectors();
    for case in vectors["truncated_normal"].as_list().expect("a list") {
        let field = |name: &str| number(case.get(name).expect("a field"));
        let (a, b) = (field("a"), field("b"));
        close(
            &[log_mass(a, b)],
            &[field("log_mass")],
            &format!("mass {a} {b}"),
        );
        let at = numbers(case.get("q").expect("points"));
        let found: Vec<f64> = at.iter().map(|q| quantile(*q, a, b)).collect();
        let expected = numbers(case.get("ppf").expect("values"));
        close(&found, &expected, &format!("quantiles {a} {b}"));
    }
}

#[test]
fn parzen_estimators_are_optuna_s() {
    let vectors = vectors();
    for (i, case) in vectors["parzen"]
        .as_list()
        .expect("a list")
        .iter()
        .enumerate()
    {
        let map = |name: &str| case.get(name).and_then(Json::as_map).expect("an object");
        let space = map("space");
        let distributions: Vec<Arc<Distribution>> = space
            .values()
            .map(|json| {
                let text = json.written(strata_json::Style::Default);
                Arc::new(Distribution::from_json(&text).expect("a distribution"))
            })
            .collect();
        let of_each = |values: &indexmap::IndexMap<String, Json>| -> Vec<Vec<f64>> {
            let columns = space.keys().map(|name| numbers(&values[name]));
            columns.collect()
        };
        let columns = of_each(map("observations"));
        let n = columns[0].len();
        let mut estimator = ParzenEstimator::new(&distributions, &columns, weights_by_age(n));
        let expected = numbers(case.get("mixture_weights").expect("weights"));
        close(
            estimator.weights(),
            &expected,
            &format!("case {i}: weights"),
        );
        for (j, (name, kernels)) in map("kernels").iter().enumerate() {
            let of = |part: &str| kernels.get(part).map(numbers);
            if let (Some(mu), Some((found_mu, found_sigma))) = (of("mu"), estimator.kernels(j)) {
                close(found_mu, &mu, &format!("case {i}: mu of {name}"));
                let sigma = of("sigma").expect("sigma");
                let what = format!("case {i}: sigma of {name}");
                close(&by_centre(&mu, found_sigma), &by_centre(&mu, &sigma), &what);
                estimator.set_widths(j, &sigma);
            }
            if let Some(found) = estimator.probabilities(j) {
                let rows = kernels
                    .get("weights")
                    .and_then(Json::as_list)
                    .expect("rows");
                let expected: Vec<f64> = rows.iter().flat_map(numbers).collect();
                close(found, &expected, &format!("case {i}: choices of {name}"));
            }
        }
        let points = of_each(map("points"));
        let expected = numbers(case.get("log_pdf").expect("densities"));
        let found: Vec<f64> = (0..expected.len())
            .map(|k| {
                let point: Vec<f64> = points.iter().map(|column| column[k]).collect();
                estimator.log_density(&point)
            })
            .collect();
        close(&found, &expected, &format!("case {i}: densities"));
    }
}

/// Widths in the order of their kernels' centres and, at one centre, of their size. Which of equal observations has
/// which neighbour is in Optuna a matter of the unstable sort of `numpy`, and differs between processors.
fn by_centre(mu: &[f64], sigma: &[f64]) -> Vec<f64> {
    let mut kernels: Vec<(f64, f64)> = mu.iter().copied().zip(sigma.iter().copied()).collect();
    kernels.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    kernels.into_iter().map(|(_, sigma)| sigma).collect()
}
