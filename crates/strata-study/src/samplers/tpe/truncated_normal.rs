//! The normal distribution between two bounds, in logarithms, so that nothing is lost far out in a tail.

use std::f64::consts::{LN_2, PI, SQRT_2};

/// ln √(2π).
pub(super) const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;

/// ln Φ(x), Φ the distribution function of the standard normal distribution.
fn log_ndtr(x: f64) -> f64 {
    if x > 6.0 {
        return -0.5 * libm::erfc(x / SQRT_2);
    }
    if x > -20.0 {
        return libm::log(0.5 * libm::erfc(-x / SQRT_2));
    }
    // The asymptotic series of Mills' ratio.
    let (mut sum, mut term, mut i) = (1.0, 1.0, 0.0);
    loop {
        i += 1.0;
        term *= -(2.0 * i - 1.0) / (x * x);
        let next = sum + term;
        if (next - sum).abs() <= f64::EPSILON || !next.is_finite() {
            break;
        }
        sum = next;
    }
    -0.5 * x * x - libm::log(-x) - LN_SQRT_2PI + libm::log(sum)
}

/// ln(eᵖ − e^q), for `p ≥ q`.
fn log_difference(p: f64, q: f64) -> f64 {
    p + libm::log1p(-libm::exp(q - p))
}

/// ln(eᵖ + e^q).
fn log_sum(p: f64, q: f64) -> f64 {
    let (greater, less) = if p > q { (p, q) } else { (q, p) };
    if less == f64::NEG_INFINITY {
        return greater;
    }
    greater + libm::log1p(libm::exp(less - greater))
}

/// ln(Φ(b) − Φ(a)), for `a ≤ b`.
pub(crate) fn log_mass(a: f64, b: f64) -> f64 {
    // Beyond this the complement of the error function comes close to the least float.
    const FAR: f64 = 25.0;
    if a > 0.0 && b < FAR {
        libm::log(0.5 * (libm::erfc(a / SQRT_2) - libm::erfc(b / SQRT_2)))
    } else if b <= 0.0 && a > -FAR {
        libm::log(0.5 * (libm::erfc(-b / SQRT_2) - libm::erfc(-a / SQRT_2)))
    } else if b <= 0.0 {
        log_difference(log_ndtr(b), log_ndtr(a))
    } else if a > 0.0 {
        log_difference(log_ndtr(-a), log_ndtr(-b))
    } else {
        // Where most of the mass lies within, what lies outside is exact.
        libm::log1p(-0.5 * libm::erfc(-a / SQRT_2) - 0.5 * libm::erfc(b / SQRT_2))
    }
}

/// The `q`-th part of the standard normal distribution between `a` and `b`, for `a < b` and `q` in `0.0..=1.0`.
pub(super) fn quantile(q: f64, a: f64, b: f64) -> f64 {
    if q <= 0.0 {
        return a;
    }
    if q >= 1.0 {
        return b;
    }
    let mass = log_mass(a, b);
    let x = if a < 0.0 {
        log_ndtr_inverse(log_sum(log_ndtr(a), libm::log(q) + mass))
    } else {
        -log_ndtr_inverse(log_sum(log_ndtr(-b), libm::log1p(-q) + mass))
    };
    x.clamp(a, b)
}

/// The `x` with ln Φ(x) = `y`, by Newton's method.
fn log_ndtr_inverse(y: f64) -> f64 {
    // Close to 0 the other tail is the exact one.
    let flipped = y > -1e-2;
    let z = if flipped {
        libm::log(-libm::expm1(y))
    } else {
        y
    };
    let mut x = if z < -5.0 {
        -(-2.0 * (z + LN_SQRT_2PI)).sqrt()
    } else {
        // The logistic distribution of the same variance.
        -(3.0_f64.sqrt() / PI) * libm::log(libm::expm1(-z))
    };
    for _ in 0..100 {
        let log_ndtr = log_ndtr(x);
        let log_density = -0.5 * x * x - LN_SQRT_2PI;
        let change = (log_ndtr - z) * libm::exp(log_ndtr - log_density);
        x -= change;
        if change.abs() < 1e-8 * x.abs() || x.abs() < 1e-300 {
            break;
        }
    }
    if y == -LN_2 {
        return 0.0;
    }
    if flipped { -x } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_masses_agree() {
        for (a, b) in [
            (-1.0, 1.0),
            (2.0, 8.0),
            (-40.0, -38.0),
            (-30.0, 30.0),
            (0.0, 0.1),
        ] {
            for q in [1e-12, 0.01, 0.5, 0.9, 0.999_999] {
                let x = quantile(q, a, b);
                let back = libm::exp(log_mass(a, x) - log_mass(a, b));
                assert!((back - q).abs() < 1e-7 * q.max(1e-3), "{a} {b} {q}: {back}");
            }
        }
    }
}
