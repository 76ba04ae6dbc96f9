//! One step of an optimiser: its numbers worked out in f64, then applied to f32.

use super::{OptimizerConfig, OptimizerRule};

/// What an optimiser remembers besides its arrays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OptimizerProgress {
    /// Product of `NAdam`'s momenta so far.
    pub(crate) mu_product: f64,
}

impl Default for OptimizerProgress {
    fn default() -> Self {
        Self { mu_product: 1.0 }
    }
}

/// One step's update rule for one group of parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Update {
    rule: Rule,
    /// What the gradient is multiplied by first: the clipping, and the sign for `maximize`.
    pub(crate) gradient_scale: f32,
    /// Weight decay added to the gradient.
    decay: f32,
    /// What parameters are multiplied by first: the decoupled weight decay.
    shrink: f32,
}

#[derive(Debug, Clone, Copy)]
enum Rule {
    Sgd {
        lr: f32,
        momentum: f32,
        keep: f32,
        nesterov: bool,
        first: bool,
    },
    Adam {
        step_size: f32,
        betas: (f32, f32),
        eps: f32,
        /// Reciprocal square root of the second bias correction.
        inverse_root: f32,
        amsgrad: bool,
    },
    NAdam {
        gradient_step: f32,
        moment_step: f32,
        betas: (f32, f32),
        eps: f32,
        inverse_root: f32,
    },
    RAdam {
        step_size: f32,
        betas: (f32, f32),
        eps: f32,
        /// 0 while the variance cannot be rectified.
        rectified_step: f32,
    },
    RmsProp {
        lr: f32,
        alpha: f32,
        eps: f32,
        momentum: f32,
        centered: bool,
    },
    Adagrad {
        lr: f32,
        eps: f32,
    },
    Adadelta {
        lr: f32,
        rho: f32,
        eps: f32,
    },
    Adamax {
        step_size: f32,
        betas: (f32, f32),
        eps: f32,
    },
}

impl Update {
    /// The updates of step `step` (from 1), for weights and for biases and normalisation.
    ///
    /// `momentum` is what a schedule sets in place of the configured one.
    pub(crate) fn of_step(
        config: &OptimizerConfig,
        (lr, momentum): (f64, Option<f64>),
        step: u64,
        progress: &mut OptimizerProgress,
    ) -> [Self; 2] {
        let rule = rule(config, lr, momentum, step, progress);
        let update = |weight_decay: f64| {
            let (decay, shrink) = if config.decoupled_weight_decay {
                (0.0, 1.0 - lr * weight_decay)
            } else {
                (weight_decay, 1.0)
            };
            Self {
                rule,
                gradient_scale: if config.maximize { -1.0 } else { 1.0 },
                decay: decay as f32,
                shrink: shrink as f32,
            }
        };
        let of_biases = if config.decay_biases {
            config.weight_decay
        } else {
            0.0
        };
        [update(config.weight_decay), update(of_biases)]
    }
}

fn rule(
    config: &OptimizerConfig,
    lr: f64,
    scheduled_momentum: Option<f64>,
    step: u64,
    progress: &mut OptimizerProgress,
) -> Rule {
    let t = step as f64;
    let cycled = |betas: (f64, f64)| (scheduled_momentum.unwrap_or(betas.0), betas.1);
    let narrow = |betas: (f64, f64)| (betas.0 as f32, betas.1 as f32);
    let correction = |beta: f64| 1.0 - power(beta, step);
    match config.rule {
        OptimizerRule::Sgd {
            momentum,
            dampening,
            nesterov,
        } => Rule::Sgd {
            lr: lr as f32,
            momentum: scheduled_momentum.unwrap_or(momentum) as f32,
            keep: (1.0 - dampening) as f32,
            nesterov,
            first: step == 1,
        },
        OptimizerRule::Adam {
            betas,
            eps,
            amsgrad,
        } => {
            let betas = cycled(betas);
            Rule::Adam {
                step_size: (lr / correction(betas.0)) as f32,
                betas: narrow(betas),
                eps: eps as f32,
                inverse_root: (1.0 / correction(betas.1).sqrt()) as f32,
                amsgrad,
            }
        }
        OptimizerRule::NAdam {
            betas,
            eps,
            momentum_decay,
        } => {
            let betas = cycled(betas);
            let mu = |t: f64| betas.0 * (1.0 - 0.5 * libm::pow(0.96, t * momentum_decay));
            let (now, next) = (mu(t), mu(t + 1.0));
            progress.mu_product *= now;
            let product = progress.mu_product;
            Rule::NAdam {
                gradient_step: (lr * (1.0 - now) / (1.0 - product)) as f32,
                moment_step: (lr * next / (1.0 - product * next)) as f32,
                betas: narrow(betas),
                eps: eps as f32,
                inverse_root: (1.0 / correction(betas.1).sqrt()) as f32,
            }
        }
        OptimizerRule::RAdam { betas, eps } => {
            let betas = cycled(betas);
            let step_size = lr / correction(betas.0);
            let most = 2.0 / (1.0 - betas.1) - 1.0;
            let length = most - 2.0 * t * power(betas.1, step) / correction(betas.1);
            let rectified = if length > 5.0 {
                let rectification = ((length - 4.0) * (length - 2.0) * most
                    / ((most - 4.0) * (most - 2.0) * length))
                    .sqrt();
                step_size * rectification * correction(betas.1).sqrt()
            } else {
                0.0
            };
            Rule::RAdam {
                step_size: step_size as f32,
                betas: narrow(betas),
                eps: eps as f32,
                rectified_step: rectified as f32,
            }
        }
        OptimizerRule::RmsProp {
            alpha,
            eps,
            momentum,
            centered,
        } => Rule::RmsProp {
            lr: lr as f32,
            alpha: alpha as f32,
            eps: eps as f32,
            momentum: scheduled_momentum.unwrap_or(momentum) as f32,
            centered,
        },
        OptimizerRule::Adagrad { lr_decay, eps, .. } => Rule::Adagrad {
            lr: (lr / (1.0 + (t - 1.0) * lr_decay)) as f32,
            eps: eps as f32,
        },
        OptimizerRule::Adadelta { rho, eps } => Rule::Adadelta {
            lr: lr as f32,
            rho: rho as f32,
            eps: eps as f32,
        },
        OptimizerRule::Adamax { betas, eps } => {
            let betas = cycled(betas);
            Rule::Adamax {
                step_size: (lr / correction(betas.0)) as f32,
                betas: narrow(betas),
                eps: eps as f32,
            }
        }
    }
}

/// Parameters in a row, their gradients, and the arrays of the optimiser; those it does not have are empty.
pub(crate) struct Stretch<'a> {
    pub(crate) value: &'a mut [f32],
    pub(crate) gradient: &'a [f32],
    pub(crate) states: [&'a mut [f32]; 3],
}

/// `xⁿ` by squaring; `powf` belongs to the platform.
pub(crate) fn power(x: f64, n: u64) -> f64 {
    let (mut result, mut square, mut rest) = (1.0, x, n);
    while rest > 0 {
        if rest & 1 == 1 {
            result *= square;
        }
        square *= square;
        rest >>= 1;
    }
    result
}

/// Applies the update to a stretch of parameters and their state.
#[inline(always)]
#[expect(clippy::too_many_lines, reason = "one short loop for each rule")]
pub(crate) fn apply_update(update: Update, parameters: Stretch) {
    let n = parameters.value.len();
    let (value, gradient) = (&mut parameters.value[..n], &parameters.gradient[..n]);
    let [a, b, c] = parameters.states;
    let g = |i: usize, value: f32| gradient[i] * update.gradient_scale + update.decay * value;
    let shrink = update.shrink;
    match update.rule {
        Rule::Sgd {
            lr,
            momentum,
            keep,
            nesterov,
            first,
        } => {
            if a.is_empty() {
                for (i, value) in value.iter_mut().enumerate() {
                    *value -= lr * g(i, *value);
                }
                return;
            }
            // torch's momentum buffer begins as the first gradient, without dampening.
            let (kept, keep) = if first { (0.0, 1.0) } else { (momentum, keep) };
            let a = &mut a[..n];
            for i in 0..n {
                let g = g(i, value[i]);
                a[i] = kept * a[i] + keep * g;
                let direction = if nesterov { g + momentum * a[i] } else { a[i] };
                value[i] -= lr * direction;
            }
        }
        Rule::Adam {
            step_size,
            betas,
            eps,
            inverse_root,
            amsgrad,
        } => {
            let (a, b) = (&mut a[..n], &mut b[..n]);
            if amsgrad {
                let c = &mut c[..n];
                for i in 0..n {
                    (a[i], b[i]) = moments(betas, g(i, value[i]), a[i], b[i]);
                    c[i] = c[i].max(b[i]);
                    let denominator = c[i].sqrt() * inverse_root + eps;
                    value[i] = value[i] * shrink - step_size * (a[i] / denominator);
                }
                return;
            }
            for i in 0..n {
                let w = value[i];
                let (first, second) = moments(betas, g(i, w), a[i], b[i]);
                (a[i], b[i]) = (first, second);
                let denominator = second.sqrt() * inverse_root + eps;
                value[i] = w * shrink - step_size * (first / denominator);
            }
        }
        Rule::NAdam {
            gradient_step,
            moment_step,
            betas,
            eps,
            inverse_root,
        } => {
            let (a, b) = (&mut a[..n], &mut b[..n]);
            for i in 0..n {
                let g = g(i, value[i]);
                (a[i], b[i]) = moments(betas, g, a[i], b[i]);
                let denominator = b[i].sqrt() * inverse_root + eps;
                let direction = gradient_step * g + moment_step * a[i];
                value[i] = value[i] * shrink - direction / denominator;
            }
        }
        Rule::RAdam {
            step_size,
            betas,
            eps,
            rectified_step,
        } => {
            let (a, b) = (&mut a[..n], &mut b[..n]);
            for i in 0..n {
                (a[i], b[i]) = moments(betas, g(i, value[i]), a[i], b[i]);
                let change = if rectified_step == 0.0 {
                    step_size * a[i]
                } else {
                    rectified_step * a[i] / (b[i].sqrt() + eps)
                };
                value[i] = value[i] * shrink - change;
            }
        }
        Rule::RmsProp {
            lr,
            alpha,
            eps,
            momentum,
            centered,
        } => {
            let (a, b, c) = (&mut a[..n], &mut b[..n], &mut c[..n]);
            for i in 0..n {
                let g = g(i, value[i]);
                a[i] = normal(alpha * a[i] + (1.0 - alpha) * g * g);
                let square = if centered {
                    b[i] = normal(b[i] + (1.0 - alpha) * (g - b[i]));
                    // Rounding may take it below zero, whose root is not a number.
                    (a[i] - b[i] * b[i]).max(0.0)
                } else {
                    a[i]
                };
                let direction = g / (square.sqrt() + eps);
                c[i] = normal(momentum * c[i] + direction);
                value[i] -= lr * c[i];
            }
        }
        Rule::Adagrad { lr, eps } => {
            let a = &mut a[..n];
            for i in 0..n {
                let g = g(i, value[i]);
                a[i] += g * g;
                value[i] -= lr * (g / (a[i].sqrt() + eps));
            }
        }
        Rule::Adadelta { lr, rho, eps } => {
            let (a, b) = (&mut a[..n], &mut b[..n]);
            for i in 0..n {
                let g = g(i, value[i]);
                a[i] = normal(rho * a[i] + (1.0 - rho) * g * g);
                let change = (b[i] + eps).sqrt() / (a[i] + eps).sqrt() * g;
                b[i] = normal(rho * b[i] + (1.0 - rho) * change * change);
                value[i] -= lr * change;
            }
        }
        Rule::Adamax {
            step_size,
            betas,
            eps,
        } => {
            let (a, b) = (&mut a[..n], &mut b[..n]);
            for i in 0..n {
                let g = g(i, value[i]);
                a[i] = normal(a[i] + (1.0 - betas.0) * (g - a[i]));
                b[i] = (betas.1 * b[i]).max(g.abs() + eps);
                value[i] -= step_size * (a[i] / b[i]);
            }
        }
    }
}

#[inline(always)]
fn moments(betas: (f32, f32), g: f32, first: f32, second: f32) -> (f32, f32) {
    (
        normal(first + (1.0 - betas.0) * (g - first)),
        normal(betas.1 * second + (1.0 - betas.1) * g * g),
    )
}

/// Zero for subnormal numbers: the moments of units that have died decay into them, and the processor
/// takes a hundred times longer over each (an epoch took half as long again).
#[inline(always)]
fn normal(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE { 0.0 } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_exact_where_they_can_be() {
        assert_eq!(power(0.5, 10), 1.0 / 1024.0);
        assert_eq!(power(0.9, 0), 1.0);
        assert!((power(0.999, 1000) - 0.999_f64.powi(1000)).abs() < 1e-12);
    }
}
