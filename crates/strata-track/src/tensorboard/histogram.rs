//! Histograms with the bins of torch's `SummaryWriter`.

use std::sync::LazyLock;

use super::messages::HistogramProto;
use crate::Histogram;

/// Edges that grow by a tenth from 1e-12 to 1e20, with both signs and zero
/// (`SummaryWriter._get_default_bins`, torch 2.15): relative precision is the same for all magnitudes.
static EDGES: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let positive: Vec<f64> = std::iter::successors(Some(1e-12_f64), |edge| Some(edge * 1.1))
        .take_while(|&edge| edge < 1e20)
        .collect();
    let negative = positive.iter().rev().map(|edge| -edge);
    negative.chain([0.0]).chain(positive.clone()).collect()
});

/// The message of a histogram; `None` if it has no finite value or no bin.
///
/// Values are put into [`EDGES`] and not into the number of bins asked for, as `add_histogram` does by
/// default; what is not finite is left out. Counts stay as they are, and their sums are those of the middles of the bins.
pub(super) fn message(histogram: &Histogram) -> Option<HistogramProto> {
    match histogram {
        Histogram::Values { values, .. } => of_values(values),
        Histogram::Counts { counts, edges } => of_counts(counts, edges),
    }
}

fn of_values(values: &[f64]) -> Option<HistogramProto> {
    let mut counts = vec![0.0; EDGES.len() - 1];
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    let (mut num, mut sum, mut sum_squares) = (0.0, 0.0, 0.0);
    for &value in values.iter().filter(|value| value.is_finite()) {
        // Each bin has its left edge and not its right one; what lies beyond is counted in the outermost.
        let right = EDGES.partition_point(|&edge| edge <= value);
        counts[right.clamp(1, EDGES.len() - 1) - 1] += 1.0;
        min = min.min(value);
        max = max.max(value);
        num += 1.0;
        sum += value;
        sum_squares += value * value;
    }
    let first = counts.iter().position(|&count| count > 0.0)?;
    let last = counts.iter().rposition(|&count| count > 0.0)?;
    // Files have only right edges, so an empty bin stands before the first to tell its left one.
    let mut bucket = vec![0.0];
    bucket.extend_from_slice(&counts[first..=last]);
    Some(HistogramProto {
        min,
        max,
        num,
        sum,
        sum_squares,
        bucket_limit: EDGES[first..=last + 1].to_vec(),
        bucket,
    })
}

fn of_counts(counts: &[f64], edges: &[f64]) -> Option<HistogramProto> {
    let (&min, &max) = (edges.first()?, edges.last()?);
    if counts.is_empty() || counts.len() + 1 != edges.len() {
        return None;
    }
    let mut bucket = vec![0.0];
    bucket.extend_from_slice(counts);
    let middles = || edges.windows(2).map(|pair| f64::midpoint(pair[0], pair[1]));
    let total = |power: i32| {
        let terms = counts.iter().zip(middles());
        terms
            .map(|(count, middle)| count * middle.powi(power))
            .sum::<f64>()
    };
    Some(HistogramProto {
        min,
        max,
        num: counts.iter().sum(),
        sum: total(1),
        sum_squares: total(2),
        bucket_limit: edges.to_vec(),
        bucket,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_fills_one_bin_after_an_empty_one() {
        let histogram = of_values(&[2.5; 1000]).expect("values");
        assert_eq!(histogram.bucket, [0.0, 1000.0]);
        let [left, right] = histogram.bucket_limit[..] else {
            panic!("two edges")
        };
        assert!(left <= 2.5 && 2.5 < right);
        assert_eq!((histogram.min, histogram.max), (2.5, 2.5));
        assert_eq!(
            (histogram.num, histogram.sum, histogram.sum_squares),
            (1000.0, 2500.0, 6250.0)
        );
    }

    #[test]
    fn zero_lies_right_of_its_edge() {
        let histogram = of_values(&[0.0]).expect("a value");
        assert_eq!(histogram.bucket_limit, [0.0, 1e-12]);
    }

    #[test]
    fn values_beyond_the_outermost_edges_are_counted() {
        let histogram = of_values(&[-1e300, 1e300]).expect("values");
        assert_eq!(histogram.bucket.iter().sum::<f64>(), 2.0);
        assert_eq!(histogram.bucket_limit.len(), histogram.bucket.len());
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let values = [f64::NAN, 1.0, f64::INFINITY, f64::NEG_INFINITY];
        assert_eq!(of_values(&values), of_values(&[1.0]));
        assert_eq!(of_values(&[f64::NAN]), None);
        assert_eq!(of_values(&[]), None);
    }

    #[test]
    fn counts_stay_as_they_are() {
        let histogram = of_counts(&[1.0, 2.0, 3.0], &[0.0, 0.5, 1.0, 1.5]).expect("counts");
        assert_eq!(histogram.bucket, [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(histogram.bucket_limit, [0.0, 0.5, 1.0, 1.5]);
        assert_eq!((histogram.num, histogram.sum), (6.0, 5.5));
        assert_eq!(of_counts(&[1.0], &[0.0]), None);
    }
}
