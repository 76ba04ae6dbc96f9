//! Elementary functions of our own: the same bits on every platform, and straight-line code that the
//! compiler vectorises. The platform's C library gives neither.

/// `eˣ` to 2 ulp; 0 below -87.3, +∞ above 88.7, NaN for NaN.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // eˣ = 2ⁿ·eʳ with |r| ≤ ln 2 / 2; eʳ by the minimax polynomial of Cephes' `expf`.
    const ROUND: f32 = 12_582_912.0; // 1.5·2²³: adding it leaves the nearest integer in the low bits
    let clamped = x.clamp(-87.3, 88.7);
    let n = (clamped * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = (clamped - n * 0.693_359_4) + n * 2.121_944_4e-4;
    let poly = 1.987_569_1e-4;
    let poly = poly * r + 1.398_2e-3;
    let poly = poly * r + 8.333_452e-3;
    let poly = poly * r + 4.166_579_6e-2;
    let poly = poly * r + 1.666_666_5e-1;
    let poly = poly * r + 5e-1;
    let value = poly * r * r + r + 1.0;
    // In two factors, since 2¹²⁸ has no bits of its own.
    let half = (n * 0.5 + ROUND) - ROUND;
    let scaled = value * power_of_two(half) * power_of_two(n - half);
    let scaled = if x > 88.7 { f32::INFINITY } else { scaled };
    let scaled = if x < -87.3 { 0.0 } else { scaled };
    if x.is_nan() { x } else { scaled }
}

#[inline(always)]
fn power_of_two(n: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let bits = (n + (ROUND + 127.0)).to_bits();
    f32::from_bits(bits << 23)
}

/// `1 / (1 + e⁻ˣ)`.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// `ln(1 + eˣ)`, to 3e-7 of the larger of itself and 1.
#[inline(always)]
pub(crate) fn softplus(x: f32) -> f32 {
    // ln(1 + z) = 2·artanh(z / (2 + z)) for z = e^-|x| in 0..=1, so the series' argument is at most 1/3.
    let z = exp(-x.abs());
    let s = z / (2.0 + z);
    let square = s * s;
    let poly = 1.0 / 13.0;
    let poly = poly * square + 1.0 / 11.0;
    let poly = poly * square + 1.0 / 9.0;
    let poly = poly * square + 1.0 / 7.0;
    let poly = poly * square + 1.0 / 5.0;
    let poly = poly * square + 1.0 / 3.0;
    let poly = poly * square + 1.0;
    x.max(0.0) + 2.0 * s * poly
}

/// Hyperbolic tangent, to 4 ulp.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let a = x.abs();
    let by_exp = 1.0 - 2.0 / (exp(2.0 * a) + 1.0);
    // Near zero the difference above cancels; this is the odd polynomial of Cephes' `tanhf`.
    let s = a * a;
    let poly = -5.704_988_7e-3;
    let poly = poly * s + 2.063_909e-2;
    let poly = poly * s - 5.373_971_5e-2;
    let poly = poly * s + 1.333_144_2e-1;
    let poly = poly * s - 3.333_328e-1;
    let by_poly = poly * s * a + a;
    let magnitude = if a < 0.625 { by_poly } else { by_exp };
    magnitude.copysign(x)
}

/// The error function to 2e-7 absolute (Abramowitz & Stegun 7.1.26).
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let a = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * a);
    let poly = 1.061_405_4;
    let poly = poly * t - 1.453_152;
    let poly = poly * t + 1.421_413_7;
    let poly = poly * t - 0.284_496_74;
    let poly = poly * t + 0.254_829_6;
    (1.0 - poly * t * exp(-a * a)).copysign(x)
}

/// Natural logarithm in f64, to 4 ulp; -∞ for 0, NaN below.
pub(crate) fn ln(x: f64) -> f64 {
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x < 0.0 || !x.is_finite() {
        return if x == f64::INFINITY { x } else { f64::NAN };
    }
    let (scaled, shift) = if x < f64::MIN_POSITIVE {
        (x * 2f64.powi(64), -64)
    } else {
        (x, 0)
    };
    let mut exponent = (scaled.to_bits() >> 52) as i64 - 1023 + shift;
    let mut mantissa = f64::from_bits(scaled.to_bits() & ((1 << 52) - 1) | 1023 << 52);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    // ln m = 2·artanh(s) with s = (m-1)/(m+1), |s| ≤ 0.172: the series ends below f64's precision.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = (0..12)
        .rev()
        .fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    exponent as f64 * std::f64::consts::LN_2 + 2.0 * s * series
}

/// `cos(π·x)` in f64, to 1e-15 absolute.
pub(crate) fn cos_pi(x: f64) -> f64 {
    let x = (x % 2.0).abs();
    let x = if x > 1.0 { 2.0 - x } else { x };
    let (x, sign) = if x > 0.5 { (1.0 - x, -1.0) } else { (x, 1.0) };
    let square = (std::f64::consts::PI * x).powi(2);
    let series = (1..=12).rev().fold(1.0, |sum, k| {
        let k = f64::from(2 * k);
        1.0 - sum * square / (k * (k - 1.0))
    });
    sign * series
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest distance from the platform's function over an interval, absolute or relative,
    /// whichever is smaller.
    fn distance(ours: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, low: f32, high: f32) -> f64 {
        (0..=20_000)
            .map(|i| low + (high - low) * i as f32 / 20_000.0)
            .map(|x| {
                let (value, exact) = (f64::from(ours(x)), exact(f64::from(x)));
                (value - exact).abs() / exact.abs().max(1e-30)
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn functions_agree_with_the_platforms() {
        assert!(distance(exp, f64::exp, -87.0, 88.0) < 3e-7);
        assert!(distance(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), -80.0, 20.0) < 5e-7);
        assert!(distance(tanh, f64::tanh, -10.0, 10.0) < 5e-7);
        assert!(distance(softplus, |x| x.exp().ln_1p(), -30.0, 60.0) < 1e-6);
        for i in 1..2000 {
            let x = f64::from(i) * 0.37;
            assert!(
                (ln(x) - x.ln()).abs() < 1e-14 * x.ln().abs().max(1.0),
                "ln {x}"
            );
            assert!(
                (cos_pi(x) - (std::f64::consts::PI * x).cos()).abs() < 1e-12,
                "cos pi {x}"
            );
        }
    }

    #[test]
    fn edges_are_the_usual_ones() {
        assert_eq!(exp(-200.0), 0.0);
        assert_eq!(exp(200.0), f32::INFINITY);
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::NAN).is_nan());
        assert!((erf(0.5) - 0.520_499_9).abs() < 3e-7);
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert!(ln(-1.0).is_nan());
        assert!((ln(5e-324) - 5e-324_f64.ln()).abs() < 1e-10);
    }
}
