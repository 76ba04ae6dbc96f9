//! `ReduceLROnPlateau`.

use super::PlateauState;

/// Parameters of `torch.optim.lr_scheduler.ReduceLROnPlateau`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plateau {
    /// Whether more of the metric is better (`mode: max`).
    pub maximize: bool,
    /// What the rate is multiplied by (default 0.1).
    pub factor: f64,
    /// Times without improvement that are borne (default 10).
    pub patience: u64,
    /// What counts as an improvement (default 1e-4).
    pub threshold: f64,
    /// Whether the threshold is a difference and not a share of the best (`threshold_mode: abs`).
    pub absolute: bool,
    /// Times after a reduction during which nothing is counted (default 0).
    pub cooldown: u64,
    /// The least rate (default 0).
    pub min_lr: f64,
    /// A reduction smaller than this is not made (default 1e-8).
    pub eps: f64,
}

impl Plateau {
    /// One step of torch's scheduler.
    pub(super) fn observe(&self, state: &mut PlateauState, metric: f64) {
        if state.best.is_none_or(|best| self.is_better(metric, best)) {
            state.best = Some(metric);
            state.bad = 0;
        } else {
            state.bad += 1;
        }
        if state.cooldown > 0 {
            state.cooldown -= 1;
            state.bad = 0;
        }
        if state.bad > self.patience {
            let reduced = (state.lr * self.factor).max(self.min_lr);
            if state.lr - reduced > self.eps {
                state.lr = reduced;
            }
            state.cooldown = self.cooldown;
            state.bad = 0;
        }
    }

    fn is_better(&self, metric: f64, best: f64) -> bool {
        match (self.maximize, self.absolute) {
            (false, false) => metric < best * (1.0 - self.threshold),
            (false, true) => metric < best - self.threshold,
            (true, false) => metric > best * (1.0 + self.threshold),
            (true, true) => metric > best + self.threshold,
        }
    }
}
