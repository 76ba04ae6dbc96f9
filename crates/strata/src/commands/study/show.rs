//! `strata study show`.

use std::fmt::Write as _;

use clap::Args;
use strata_json::{Json, Style};
use strata_study::TrialState;

use super::export::{study_json, trial_json};
use super::opened::{Opened, StudyChoice, directions};
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata study show multirun/2026-01-31/14-05-09
  strata study show sqlite:///study.db --study-name mlp --json")]
pub(super) struct ShowArgs {
    #[command(flatten)]
    study: StudyChoice,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ShowArgs) -> Result<Ended, Failure> {
    let study = args.study.open()?;
    let text = if args.json {
        let mut json = study_json(&study.record);
        json.insert("n_trials".to_owned(), Json::Int(study.trials.len() as i64));
        let best = study.best();
        let best = best.iter().map(|trial| trial_json(trial)).collect();
        json.insert("best_trials".to_owned(), Json::List(best));
        Json::Map(json).written(Style::Default) + "\n"
    } else {
        in_words(&study)
    };
    output::print(&text)?;
    Ok(Ended::Done)
}

fn in_words(study: &Opened) -> String {
    let record = &study.record;
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        writeln!(text, "{name:<12} {value}").expect("a string takes any text");
    };
    line("study", &record.name);
    line("direction", &directions(&record.directions));
    let counts = TrialState::ALL.into_iter().filter_map(|state| {
        let count = study
            .trials
            .iter()
            .filter(|trial| trial.state == state)
            .count();
        (count > 0).then(|| format!("{count} {}", state.name().to_lowercase()))
    });
    let counts: Vec<String> = counts.collect();
    line(
        "trials",
        &format!("{} ({})", study.trials.len(), counts.join(", ")),
    );
    for (key, value) in &record.user_attrs {
        line(
            "attribute",
            &format!("{key} = {}", value.written(Style::Default)),
        );
    }
    for name in study.param_names() {
        let params = study.trials.iter().rev();
        let last = params.filter_map(|trial| trial.params.get(&name)).next();
        if let Some(param) = last {
            line(
                "parameter",
                &format!("{name}: {}", distribution(&param.distribution)),
            );
        }
    }
    for best in study.best() {
        let values: Vec<String> = best.values.iter().map(ToString::to_string).collect();
        line(
            "best",
            &format!("trial {}: {}", best.number, values.join(", ")),
        );
        for (name, param) in &best.params {
            line(
                "",
                &format!("{name} = {}", param.value().written(Style::Default)),
            );
        }
    }
    text
}

fn distribution(distribution: &strata_study::Distribution) -> String {
    use strata_study::Distribution::{Categorical, Float, Int};
    let scale = |log: bool| if log { ", logarithmic" } else { "" };
    match distribution {
        Float {
            low,
            high,
            log,
            step,
        } => {
            let step = step.map_or_else(String::new, |step| format!(", step {step}"));
            format!("float {low} to {high}{step}{}", scale(*log))
        }
        Int {
            low,
            high,
            log,
            step,
        } => {
            let step = if *step == 1 {
                String::new()
            } else {
                format!(", step {step}")
            };
            format!("int {low} to {high}{step}{}", scale(*log))
        }
        Categorical { choices } => {
            let choices: Vec<String> = choices
                .iter()
                .map(|choice| choice.written(Style::Default))
                .collect();
            format!("one of {}", choices.join(", "))
        }
    }
}
