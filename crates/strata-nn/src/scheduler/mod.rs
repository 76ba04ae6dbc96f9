//! Schedules of the learning rate (and of the momentum), with torch's names, parameters and semantics.
//!
//! A [`SchedulerConfig`] is a schedule in closed form: [`SchedulerConfig::at`] gives the rate after so many
//! steps of the scheduler. [`Scheduler`] is one in use; it adds what must be remembered, which is what
//! `ReduceLROnPlateau` has seen.

mod parse;
mod plateau;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::math::cos_pi;
use crate::optimizer::{OptimizerConfig, power};
use crate::parameters::SettingError;

pub use plateau::Plateau;

/// A schedule and its parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum SchedulerConfig {
    /// `lr·gamma^⌊t/step_size⌋`
    StepLR {
        /// Length of a stair.
        step_size: u64,
        /// Factor between two stairs (default 0.1).
        gamma: f64,
    },
    /// `lr·gammaⁿ` for the n milestones that t has reached
    MultiStepLR {
        /// Where the stairs are.
        milestones: Vec<u64>,
        /// Factor between two stairs (default 0.1).
        gamma: f64,
    },
    /// `lr·gammaᵗ`
    ExponentialLR {
        /// Factor of each time.
        gamma: f64,
    },
    /// `eta_min + (lr - eta_min)·(1 + cos(π·t/T_max))/2` (Loshchilov & Hutter 2017)
    CosineAnnealingLR {
        /// Half a period.
        t_max: f64,
        /// The least learning rate (default 0).
        eta_min: f64,
    },
    /// The same over `T_0`, `T_0·T_mult`, … times, beginning anew after each
    CosineAnnealingWarmRestarts {
        /// Length of the first period.
        t_0: u64,
        /// Factor between two periods (default 1).
        t_mult: u64,
        /// The least learning rate (default 0).
        eta_min: f64,
    },
    /// From `start_factor·lr` to `end_factor·lr` in `total_iters` even steps
    LinearLR {
        /// Factor at the beginning (default 1/3).
        start_factor: f64,
        /// Factor at the end (default 1).
        end_factor: f64,
        /// Number of steps (default 5).
        total_iters: u64,
    },
    /// `factor·lr` until `total_iters`, then `lr`
    ConstantLR {
        /// The factor (default 1/3).
        factor: f64,
        /// Number of steps (default 5).
        total_iters: u64,
    },
    /// `lr·(1 - t/total_iters)^power`
    PolynomialLR {
        /// Number of steps (default 5).
        total_iters: u64,
        /// The power (default 1).
        power: f64,
    },
    /// Up and down once (Smith & Topin 2018)
    OneCycleLR(OneCycle),
    /// Up and down again and again (Smith 2017)
    CyclicLR(Cyclic),
    /// Reduces when a metric no longer improves
    ReduceLROnPlateau(Plateau),
    /// One after the other, the next one from each milestone on; each counts from its own beginning
    SequentialLR {
        /// The schedules.
        schedulers: Vec<SchedulerConfig>,
        /// Where all but the first begin.
        milestones: Vec<u64>,
    },
}

/// Parameters of [`SchedulerConfig::OneCycleLR`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OneCycle {
    /// The greatest learning rate.
    pub max_lr: f64,
    /// Length of the cycle; the last rate is kept after it.
    pub total_steps: u64,
    /// Share of the cycle that goes up (default 0.3).
    pub pct_start: f64,
    /// Whether the rates lie on lines, and not on cosines.
    pub linear: bool,
    /// Whether the momentum goes the other way (default true).
    pub cycle_momentum: bool,
    /// Least momentum (default 0.85).
    pub base_momentum: f64,
    /// Greatest momentum (default 0.95).
    pub max_momentum: f64,
    /// `max_lr` over the first rate (default 25).
    pub div_factor: f64,
    /// The first rate over the last (default 1e4).
    pub final_div_factor: f64,
    /// Whether the way down ends at the first rate and a third phase follows.
    pub three_phase: bool,
}

/// Parameters of [`SchedulerConfig::CyclicLR`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cyclic {
    /// The least learning rate.
    pub base_lr: f64,
    /// The greatest one.
    pub max_lr: f64,
    /// Steps up (default 2000).
    pub step_size_up: f64,
    /// Steps down (default as many).
    pub step_size_down: f64,
    /// What the height of a cycle does.
    pub scale: CyclicScale,
    /// Whether the momentum goes the other way (default true).
    pub cycle_momentum: bool,
    /// Least momentum (default 0.8).
    pub base_momentum: f64,
    /// Greatest momentum (default 0.9).
    pub max_momentum: f64,
}

/// `mode` of [`Cyclic`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CyclicScale {
    /// The same height always.
    Triangular,
    /// Half the height after each cycle.
    Triangular2,
    /// `gammaᵗ`
    ExpRange(f64),
}

/// A learning rate, and the momentum (or first beta) if the schedule sets it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Learning rate.
    pub lr: f64,
    /// Momentum.
    pub momentum: Option<f64>,
}

impl SchedulerConfig {
    /// The names that [`SchedulerConfig::from_name`] knows.
    pub const NAMES: [&'static str; 12] = [
        "StepLR",
        "MultiStepLR",
        "ExponentialLR",
        "CosineAnnealingLR",
        "CosineAnnealingWarmRestarts",
        "LinearLR",
        "ConstantLR",
        "PolynomialLR",
        "OneCycleLR",
        "CyclicLR",
        "ReduceLROnPlateau",
        "SequentialLR",
    ];

    /// The scheduler `name` with torch's parameters. Those of `SequentialLR` are `schedulers`, a list of
    /// `{name, params}`, and `milestones`.
    ///
    /// # Errors
    /// An unknown name, an unknown parameter, or one that is absent without a default or out of range.
    pub fn from_name(name: &str, params: &BTreeMap<String, Value>) -> Result<Self, SettingError> {
        parse::from_name(name, params)
    }

    /// This schedule after a linear warm-up from `start_factor·lr` over `total_iters` steps of the scheduler.
    #[must_use]
    pub fn after_warmup(self, start_factor: f64, total_iters: u64) -> Self {
        Self::SequentialLR {
            schedulers: vec![
                Self::LinearLR {
                    start_factor,
                    end_factor: 1.0,
                    total_iters,
                },
                self,
            ],
            milestones: vec![total_iters],
        }
    }

    /// Whether the schedule sets the optimiser's momentum.
    pub fn cycles_momentum(&self) -> bool {
        match self {
            Self::OneCycleLR(cycle) => cycle.cycle_momentum,
            Self::CyclicLR(cycle) => cycle.cycle_momentum,
            Self::SequentialLR { schedulers, .. } => schedulers.iter().any(Self::cycles_momentum),
            _ => false,
        }
    }

    /// The rate after the scheduler has stepped `t` times, from the optimiser's `lr`. For
    /// `ReduceLROnPlateau`, which depends on what it is told, `lr`.
    pub fn at(&self, lr: f64, t: u64) -> Rate {
        let plain = |lr| Rate { lr, momentum: None };
        match self {
            Self::StepLR { step_size, gamma } => plain(lr * power(*gamma, t / step_size)),
            Self::MultiStepLR { milestones, gamma } => {
                let reached = milestones.iter().filter(|&&milestone| milestone <= t);
                plain(lr * power(*gamma, reached.count() as u64))
            }
            Self::ExponentialLR { gamma } => plain(lr * power(*gamma, t)),
            Self::CosineAnnealingLR { t_max, eta_min } => {
                plain(annealed(lr, *eta_min, t as f64 / t_max))
            }
            Self::CosineAnnealingWarmRestarts {
                t_0,
                t_mult,
                eta_min,
            } => {
                let (mut begin, mut length) = (0, *t_0);
                if *t_mult == 1 {
                    begin = t / length * length;
                }
                while t - begin >= length {
                    begin += length;
                    length = length.saturating_mul(*t_mult);
                }
                plain(annealed(lr, *eta_min, (t - begin) as f64 / length as f64))
            }
            Self::LinearLR {
                start_factor,
                end_factor,
                total_iters,
            } => {
                let done = t.min(*total_iters) as f64 / (*total_iters).max(1) as f64;
                let done = if *total_iters == 0 { 1.0 } else { done };
                plain(lr * (start_factor + (end_factor - start_factor) * done))
            }
            Self::ConstantLR {
                factor,
                total_iters,
            } => plain(if t < *total_iters { lr * factor } else { lr }),
            Self::PolynomialLR { total_iters, power } => {
                let left = 1.0 - t.min(*total_iters) as f64 / *total_iters as f64;
                plain(lr * libm::pow(left, *power))
            }
            Self::OneCycleLR(cycle) => cycle.at(t),
            Self::CyclicLR(cycle) => cycle.at(t),
            Self::ReduceLROnPlateau(_) => plain(lr),
            Self::SequentialLR {
                schedulers,
                milestones,
            } => {
                let reached = milestones.iter().filter(|&&milestone| milestone <= t);
                let current = reached.count();
                let begin = current.checked_sub(1).map_or(0, |last| milestones[last]);
                schedulers[current].at(lr, t - begin)
            }
        }
    }
}

/// From `from` to `to` on half a cosine; `done` in 0..=1, and periodic beyond.
fn annealed(from: f64, to: f64, done: f64) -> f64 {
    to + (from - to) * (1.0 + cos_pi(done)) / 2.0
}

impl OneCycle {
    fn at(&self, t: u64) -> Rate {
        let first = self.max_lr / self.div_factor;
        let last = first / self.final_div_factor;
        let end = self.total_steps as f64 - 1.0;
        let up = self.pct_start * self.total_steps as f64 - 1.0;
        let (base, most) = (self.base_momentum, self.max_momentum);
        let two = [
            (up, (first, self.max_lr), (most, base)),
            (end, (self.max_lr, last), (base, most)),
        ];
        let three = [
            (up, (first, self.max_lr), (most, base)),
            (2.0 * up, (self.max_lr, first), (base, most)),
            (end, (first, last), (most, most)),
        ];
        let phases: &[_] = if self.three_phase { &three } else { &two };
        let t = (t as f64).min(end);
        let current = phases
            .iter()
            .position(|phase| t <= phase.0)
            .unwrap_or(phases.len() - 1);
        let begin = current.checked_sub(1).map_or(0.0, |last| phases[last].0);
        let (end, lr, momentum) = phases[current];
        let done = if end > begin {
            (t - begin) / (end - begin)
        } else {
            1.0
        };
        let between = |(from, to): (f64, f64)| {
            if self.linear {
                from + (to - from) * done
            } else {
                annealed(from, to, done)
            }
        };
        Rate {
            lr: between(lr),
            momentum: self.cycle_momentum.then(|| between(momentum)),
        }
    }
}

impl Cyclic {
    fn at(&self, t: u64) -> Rate {
        let total = self.step_size_up + self.step_size_down;
        let ratio = self.step_size_up / total;
        let turns = t as f64 / total;
        let cycle = (1.0 + turns).floor();
        let x = 1.0 + turns - cycle;
        let height = if x <= ratio {
            x / ratio
        } else {
            (x - 1.0) / (ratio - 1.0)
        };
        let scale = match self.scale {
            CyclicScale::Triangular => 1.0,
            CyclicScale::Triangular2 => power(0.5, cycle as u64 - 1),
            CyclicScale::ExpRange(gamma) => power(gamma, t),
        };
        let height = height * scale;
        let momentum = self.max_momentum - (self.max_momentum - self.base_momentum) * height;
        Rate {
            lr: self.base_lr + (self.max_lr - self.base_lr) * height,
            momentum: self.cycle_momentum.then_some(momentum),
        }
    }
}

/// A schedule in use.
#[derive(Debug, Clone)]
pub(crate) struct Scheduler {
    config: Option<SchedulerConfig>,
    lr: f64,
    pub(crate) plateau: Option<PlateauState>,
}

/// What `ReduceLROnPlateau` has seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlateauState {
    /// The rate now.
    pub lr: f64,
    /// The best metric so far.
    pub best: Option<f64>,
    /// Times without improvement.
    pub bad: u64,
    /// Times until counting goes on.
    pub cooldown: u64,
}

impl Scheduler {
    pub(crate) fn new(config: Option<SchedulerConfig>, optimizer: &OptimizerConfig) -> Self {
        let plateau = matches!(config, Some(SchedulerConfig::ReduceLROnPlateau(_)));
        Self {
            config,
            lr: optimizer.lr,
            plateau: plateau.then_some(PlateauState {
                lr: optimizer.lr,
                best: None,
                bad: 0,
                cooldown: 0,
            }),
        }
    }

    /// The rate after `t` steps of the scheduler.
    pub(crate) fn at(&self, t: u64) -> Rate {
        let lr = self.plateau.map_or(self.lr, |state| state.lr);
        match &self.config {
            Some(config) => config.at(lr, t),
            None => Rate { lr, momentum: None },
        }
    }

    /// Tells `ReduceLROnPlateau` its metric; others do not listen.
    pub(crate) fn observe(&mut self, metric: f64) {
        if let (Some(SchedulerConfig::ReduceLROnPlateau(plateau)), Some(state)) =
            (&self.config, &mut self.plateau)
        {
            plateau.observe(state, metric);
        }
    }
}

#[cfg(test)]
mod tests;
