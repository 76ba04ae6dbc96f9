//! Schedules by torch's names and parameters.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Cyclic, CyclicScale, OneCycle, Plateau, SchedulerConfig};
use crate::parameters::{ParameterError, Parameters, SettingError, integer_of, invalid};

const KIND: &str = "scheduler";

/// Arguments of torch's that mean nothing here: runs are resumed as a whole, and nothing is printed.
const IGNORED: [&str; 2] = ["last_epoch", "verbose"];

type Checked<T> = Result<T, ParameterError>;

pub(super) fn from_name(
    name: &str,
    params: &BTreeMap<String, Value>,
) -> Result<SchedulerConfig, SettingError> {
    let read = Parameters(params);
    let parsed = match name {
        "StepLR" => step(&read),
        "MultiStepLR" => multi_step(&read),
        "ExponentialLR" => exponential(&read),
        "CosineAnnealingLR" => cosine(&read),
        "CosineAnnealingWarmRestarts" => warm_restarts(&read),
        "LinearLR" => linear(&read),
        "ConstantLR" => constant(&read),
        "PolynomialLR" => polynomial(&read),
        "OneCycleLR" => one_cycle(&read),
        "CyclicLR" => cyclic(&read),
        "ReduceLROnPlateau" => plateau(&read),
        "SequentialLR" => return sequential(&read),
        _ => {
            return Err(SettingError::UnknownName {
                kind: KIND,
                name: name.to_owned(),
                known: &SchedulerConfig::NAMES,
            });
        }
    };
    parsed.map_err(|error| error.of(KIND, name))
}

fn step(read: &Parameters) -> Checked<SchedulerConfig> {
    read.allow(&["step_size", "gamma"], &IGNORED)?;
    Ok(SchedulerConfig::StepLR {
        step_size: read.integer("step_size", None, 1)?,
        gamma: read.number("gamma", 0.1)?,
    })
}

fn multi_step(read: &Parameters) -> Checked<SchedulerConfig> {
    read.allow(&["milestones", "gamma"], &IGNORED)?;
    Ok(SchedulerConfig::MultiStepLR {
        milestones: milestones(read)?,
        gamma: read.number("gamma", 0.1)?,
    })
}

fn milestones(read: &Parameters) -> Checked<Vec<u64>> {
    let list = read.get("milestones").and_then(Value::as_array);
    let numbers: Option<Vec<u64>> = list.and_then(|list| list.iter().map(integer_of).collect());
    numbers
        .filter(|numbers| numbers.is_sorted())
        .ok_or_else(|| invalid("milestones", "a list of ascending integers"))
}

fn exponential(read: &Parameters) -> Checked<SchedulerConfig> {
    read.allow(&["gamma"], &IGNORED)?;
    Ok(SchedulerConfig::ExponentialLR {
        gamma: read.number("gamma", None)?,
    })
}

fn cosine(read: &Parameters) -> Checked<SchedulerConfig> {
    read.allow(&["T_max", "eta_min"], &IGNORED)?;
    Ok(SchedulerConfig::CosineAnnealingLR {
        t_max: read.number_in("T_max", None, |t| t > 0.0, "greater than 0")?,
        eta_min: read.number("eta_min", 0.0)?,
    })
}

fn warm_restarts(read: &Parameters) -> Checked<SchedulerConfig> {
    read.allow(&["T_0", "T_mult", "eta_min"], &IGNORED)?;
    Ok(SchedulerConfig::CosineAnnealingWarmRestarts {
        t_0: read.integer("T_0", None, 1)?,
        t_mult: read.integer("T_mult", 1, 1)?,
        eta_min: read.number("eta_min", 0.0)?,
    })
}

fn linear(read: &Parameters) -> Checked<SchedulerConfig> {
    read.allow(&["start_factor", "end_factor", "total_iters"], &IGNORED)?;
    let start = |factor: f64| factor > 0.0 && factor <= 1.0;
    let end = |factor: f64| (0.0..=1.0).contains(&factor);
    let rule = "greater than 0, and at most 1";
    Ok(SchedulerConfig::LinearLR {
        start_factor: read.number_in("start_factor", 1.0 / 3.0, start, rule)?,
        end_factor: read.number_in("end_factor", 1.0, end, "between 0 and 1")?,
        total_iters: read.integer("total_iters", 5, 0)?,
    })
}

fn constant(read: &Parameters) -> Checked<SchedulerConfig> {
    read.allow(&["factor", "total_iters"], &IGNORED)?;
    let holds = |factor: f64| (0.0..=1.0).contains(&factor);
    Ok(SchedulerConfig::ConstantLR {
        factor: read.number_in("factor", 1.0 / 3.0, holds, "between 0 and 1")?,
        total_iters: read.integer("total_iters", 5, 0)?,
    })
}

fn polynomial(read: &Parameters) -> Checked<SchedulerConfig> {
    read.allow(&["total_iters", "power"], &IGNORED)?;
    Ok(SchedulerConfig::PolynomialLR {
        total_iters: read.integer("total_iters", 5, 1)?,
        power: read.number("power", 1.0)?,
    })
}

fn one_cycle(read: &Parameters) -> Checked<SchedulerConfig> {
    let known = [
        "max_lr",
        "total_steps",
        "epochs",
        "steps_per_epoch",
        "pct_start",
        "anneal_strategy",
        "cycle_momentum",
        "base_momentum",
        "max_momentum",
        "div_factor",
        "final_div_factor",
        "three_phase",
    ];
    read.allow(&known, &IGNORED)?;
    let total_steps = if read.get("total_steps").is_none() && read.get("epochs").is_some() {
        let steps = read.integer("steps_per_epoch", None, 1)?;
        read.integer("epochs", None, 1)?.saturating_mul(steps)
    } else {
        read.integer("total_steps", None, 1)?
    };
    let positive = |x: f64| x > 0.0;
    let share = |x: f64| (0.0..=1.0).contains(&x);
    Ok(SchedulerConfig::OneCycleLR(OneCycle {
        max_lr: read.number_in("max_lr", None, positive, "greater than 0")?,
        total_steps,
        pct_start: read.number_in("pct_start", 0.3, share, "between 0 and 1")?,
        linear: read.choice("anneal_strategy", &["cos", "linear"], "`cos` or `linear`")? == 1,
        cycle_momentum: read.switch("cycle_momentum", true)?,
        base_momentum: read.number("base_momentum", 0.85)?,
        max_momentum: read.number("max_momentum", 0.95)?,
        div_factor: read.number_in("div_factor", 25.0, positive, "greater than 0")?,
        final_div_factor: read.number_in("final_div_factor", 1e4, positive, "greater than 0")?,
        three_phase: read.switch("three_phase", false)?,
    }))
}

fn cyclic(read: &Parameters) -> Checked<SchedulerConfig> {
    let known = [
        "base_lr",
        "max_lr",
        "step_size_up",
        "step_size_down",
        "mode",
        "gamma",
        "cycle_momentum",
        "base_momentum",
        "max_momentum",
    ];
    read.allow(&known, &IGNORED)?;
    let positive = |x: f64| x > 0.0;
    let up = read.number_in("step_size_up", 2000.0, positive, "greater than 0")?;
    let gamma = read.number("gamma", 1.0)?;
    let modes = ["triangular", "triangular2", "exp_range"];
    let scale = match read.choice("mode", &modes, "one of triangular, triangular2, exp_range")? {
        0 => CyclicScale::Triangular,
        1 => CyclicScale::Triangular2,
        _ => CyclicScale::ExpRange(gamma),
    };
    Ok(SchedulerConfig::CyclicLR(Cyclic {
        base_lr: read.number("base_lr", None)?,
        max_lr: read.number("max_lr", None)?,
        step_size_up: up,
        step_size_down: read.number_in("step_size_down", up, positive, "greater than 0")?,
        scale,
        cycle_momentum: read.switch("cycle_momentum", true)?,
        base_momentum: read.number("base_momentum", 0.8)?,
        max_momentum: read.number("max_momentum", 0.9)?,
    }))
}

fn plateau(read: &Parameters) -> Checked<SchedulerConfig> {
    let known = [
        "mode",
        "factor",
        "patience",
        "threshold",
        "threshold_mode",
        "cooldown",
        "min_lr",
        "eps",
    ];
    read.allow(&known, &IGNORED)?;
    Ok(SchedulerConfig::ReduceLROnPlateau(Plateau {
        maximize: read.choice("mode", &["min", "max"], "`min` or `max`")? == 1,
        factor: read.number_in("factor", 0.1, |x| x < 1.0, "less than 1")?,
        patience: read.integer("patience", 10, 0)?,
        threshold: read.number("threshold", 1e-4)?,
        absolute: read.choice("threshold_mode", &["rel", "abs"], "`rel` or `abs`")? == 1,
        cooldown: read.integer("cooldown", 0, 0)?,
        min_lr: read.not_negative("min_lr", 0.0)?,
        eps: read.not_negative("eps", 1e-8)?,
    }))
}

fn sequential(read: &Parameters) -> Result<SchedulerConfig, SettingError> {
    const NAME: &str = "SequentialLR";
    let own = |error: ParameterError| error.of(KIND, NAME);
    read.allow(&["schedulers", "milestones"], &IGNORED)
        .map_err(own)?;
    let milestones = milestones(read).map_err(own)?;
    let shape = || own(invalid("schedulers", "a list of {name, params}"));
    let list = read.get("schedulers").and_then(Value::as_array);
    let schedulers = list.ok_or_else(shape)?.iter().map(|entry| {
        let name = entry.get("name").and_then(Value::as_str);
        let params: BTreeMap<String, Value> = match entry.get("params") {
            None | Some(Value::Null) => BTreeMap::new(),
            Some(Value::Object(map)) => map.clone().into_iter().collect(),
            Some(_) => return Err(shape()),
        };
        match from_name(name.ok_or_else(shape)?, &params)? {
            // As torch does: it would have to be told its metric.
            SchedulerConfig::ReduceLROnPlateau(_) => Err(own(invalid(
                "schedulers",
                "without ReduceLROnPlateau, which stands alone",
            ))),
            scheduler => Ok(scheduler),
        }
    });
    let schedulers: Vec<SchedulerConfig> = schedulers.collect::<Result<_, _>>()?;
    if schedulers.len() != milestones.len() + 1 {
        return Err(own(invalid("milestones", "one fewer than the schedulers")));
    }
    Ok(SchedulerConfig::SequentialLR {
        schedulers,
        milestones,
    })
}
