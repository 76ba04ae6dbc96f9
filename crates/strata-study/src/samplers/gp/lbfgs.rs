//! Minimising a smooth function within bounds.

use std::collections::VecDeque;

use super::linalg::{add_scaled, dot};

/// How many steps are remembered.
const MEMORY: usize = 10;

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    /// When no component of the projected gradient is larger.
    pub(super) gradient: f64,
    /// When a step has lowered the value by less than this share of it.
    pub(super) decrease: f64,
    /// After so many steps.
    pub(super) n_steps: usize,
}

/// Where the search ended.
#[derive(Debug, Clone)]
pub(super) struct Minimum {
    pub(super) x: Vec<f64>,
    pub(super) value: f64,
    /// How many steps led there.
    pub(super) n_steps: usize,
}

/// A local minimum of `f` within bounds, from `x` on.
///
/// L-BFGS (Nocedal 1980) on the coordinates that are not held at a bound, with projected steps that are halved by
/// interpolation until they lower the value enough (Bertsekas 1982). `f` gives the value and writes the gradient; a
/// value that is not finite counts as too large. Simpler than L-BFGS-B of scipy, with the same end points
/// but for rounding where there is one minimum.
pub(super) fn minimise(
    f: &mut dyn FnMut(&[f64], &mut [f64]) -> f64,
    x: &[f64],
    bounds: &[(f64, f64)],
    stop: Stop,
) -> Minimum {
    let project = |x: &mut [f64]| {
        for (x, (low, high)) in x.iter_mut().zip(bounds) {
            *x = x.max(*low).min(*high);
        }
    };
    let mut x = x.to_vec();
    project(&mut x);
    let mut gradient = vec![0.0; x.len()];
    let mut value = f(&x, &mut gradient);
    let mut memory: VecDeque<(Vec<f64>, Vec<f64>)> = VecDeque::new();
    let mut n_steps = 0;
    while n_steps < stop.n_steps && value.is_finite() {
        let is_free = |i: usize| {
            let (low, high) = bounds[i];
            !(x[i] <= low && gradient[i] >= 0.0 || x[i] >= high && gradient[i] <= 0.0)
        };
        let free: Vec<bool> = (0..x.len()).map(is_free).collect();
        let masked = |vector: &[f64]| -> Vec<f64> {
            let pairs = vector.iter().zip(&free);
            pairs
                .map(|(v, free)| if *free { *v } else { 0.0 })
                .collect()
        };
        let steepest = masked(&gradient);
        let largest = (0..x.len()).map(|i| {
            let (low, high) = bounds[i];
            ((x[i] - gradient[i]).max(low).min(high) - x[i]).abs()
        });
        if largest.fold(0.0, f64::max) <= stop.gradient {
            break;
        }
        let mut direction = masked(&two_loops(&memory, &steepest));
        if dot(&direction, &gradient) >= 0.0 {
            memory.clear();
            direction = steepest.iter().map(|g| -g).collect();
        }
        let slope = dot(&direction, &gradient);
        // Without a memory the scale is unknown.
        let mut step = if memory.is_empty() {
            (1.0 / dot(&direction, &direction).sqrt()).min(1.0)
        } else {
            1.0
        };
        let mut accepted = None;
        for _ in 0..20 {
            let mut next = x.clone();
            add_scaled(&mut next, step, &direction);
            project(&mut next);
            let mut next_gradient = vec![0.0; x.len()];
            let next_value = f(&next, &mut next_gradient);
            let moved: Vec<f64> = next.iter().zip(&x).map(|(a, b)| a - b).collect();
            if next_value <= value + 1e-4 * dot(&moved, &gradient) {
                accepted = Some((next, next_value, next_gradient, moved));
                break;
            }
            // The minimum of the parabola through value, slope and the value there, within reason.
            let curvature = next_value - value - step * slope;
            let factor = -slope * step / (2.0 * curvature);
            step *= if factor.is_finite() {
                factor.clamp(0.1, 0.5)
            } else {
                0.1
            };
        }
        let Some((next, next_value, next_gradient, moved)) = accepted else {
            break;
        };
        n_steps += 1;
        let bend: Vec<f64> = next_gradient
            .iter()
            .zip(&gradient)
            .map(|(a, b)| a - b)
            .collect();
        if dot(&moved, &bend) > 1e-10 * dot(&bend, &bend) {
            if memory.len() == MEMORY {
                memory.pop_front();
            }
            memory.push_back((moved, bend));
        }
        let decrease = value - next_value;
        let scale = value.abs().max(next_value.abs()).max(1.0);
        (x, value, gradient) = (next, next_value, next_gradient);
        if decrease <= stop.decrease * scale {
            break;
        }
    }
    Minimum { x, value, n_steps }
}

/// The direction of L-BFGS, downhill: Nocedal & Wright, Numerical Optimization, algorithm 7.4.
fn two_loops(memory: &VecDeque<(Vec<f64>, Vec<f64>)>, gradient: &[f64]) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut alphas = Vec::with_capacity(memory.len());
    for (s, y) in memory.iter().rev() {
        let alpha = dot(s, &q) / dot(s, y);
        add_scaled(&mut q, -alpha, y);
        alphas.push(alpha);
    }
    if let Some((s, y)) = memory.back() {
        let scale = dot(s, y) / dot(y, y);
        for q in &mut q {
            *q *= scale;
        }
    }
    for ((s, y), alpha) in memory.iter().zip(alphas.into_iter().rev()) {
        let beta = dot(y, &q) / dot(s, y);
        add_scaled(&mut q, alpha - beta, s);
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOP: Stop = Stop {
        gradient: 1e-8,
        decrease: 0.0,
        n_steps: 500,
    };

    fn rosenbrock(x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        let mut value = 0.0;
        for i in 0..x.len() - 1 {
            let bend = x[i + 1] - x[i] * x[i];
            value += 100.0 * bend * bend + (1.0 - x[i]) * (1.0 - x[i]);
            gradient[i] -= 400.0 * bend * x[i] + 2.0 * (1.0 - x[i]);
            gradient[i + 1] += 200.0 * bend;
        }
        value
    }

    #[test]
    fn the_valley_of_rosenbrock_is_followed() {
        let found = minimise(&mut rosenbrock, &[-1.2, 1.0, 0.5], &[(-5.0, 5.0); 3], STOP);
        assert!(found.x.iter().all(|x| (x - 1.0).abs() < 1e-6), "{found:?}");
    }

    /// With `x₀ ≤ 0.5` the minimum of two dimensions is at `(0.5, 0.25)`.
    #[test]
    fn a_minimum_at_a_bound_is_found() {
        let bounds = [(-2.0, 0.5), (-2.0, 2.0)];
        let found = minimise(&mut rosenbrock, &[-1.2, 1.0], &bounds, STOP);
        assert_eq!(found.x[0], 0.5);
        assert!((found.x[1] - 0.25).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn values_that_are_not_finite_are_walked_around() {
        let mut f = |x: &[f64], gradient: &mut [f64]| {
            gradient[0] = 1.0 - 1.0 / x[0];
            if x[0] > 0.0 {
                x[0] - libm::log(x[0])
            } else {
                f64::NAN
            }
        };
        let found = minimise(&mut f, &[20.0], &[(-50.0, 50.0)], STOP);
        assert!((found.x[0] - 1.0).abs() < 1e-6, "{found:?}");
        let mut nan = |_: &[f64], _: &mut [f64]| f64::NAN;
        assert_eq!(minimise(&mut nan, &[3.0], &[(0.0, 9.0)], STOP).x, [3.0]);
    }
}
