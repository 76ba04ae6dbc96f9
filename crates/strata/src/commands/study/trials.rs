//! `strata study trials`.

use clap::Args;
use jiff::tz::TimeZone;
use strata_study::{Trial, TrialState};
use strata_track::runs::Fact;

use super::opened::{Opened, StudyChoice, fact};
use crate::commands::table::{FormatArgs, Table};
use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata study trials multirun/2026-01-31/14-05-09 --sort value
  strata study trials sqlite:///study.db --study-name mlp --state complete --csv > trials.csv")]
pub(super) struct TrialsArgs {
    #[command(flatten)]
    study: StudyChoice,

    /// Only trials in this state: running, complete, pruned, fail, waiting
    #[arg(long, value_parser = state)]
    state: Option<TrialState>,

    /// Order by value, the best first, in place of number
    #[arg(long, value_name = "KEY", value_parser = ["number", "value"], default_value = "number")]
    sort: String,

    /// Not more trials than this
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,

    #[command(flatten)]
    format: FormatArgs,
}

fn state(text: &str) -> Result<TrialState, String> {
    let found = TrialState::from_name(&text.to_uppercase());
    found.ok_or_else(|| "states: running, complete, pruned, fail, waiting".to_owned())
}

pub(super) fn run(args: &TrialsArgs) -> Result<Ended, Failure> {
    let mut study = args.study.open()?;
    if let Some(state) = args.state {
        study.trials.retain(|trial| trial.state == state);
    }
    if args.sort == "value" {
        let direction = study.record.directions[0];
        // Those without a value come last.
        study.trials.sort_by(|a, b| {
            let loss = |trial: &Trial| {
                let value = trial.values.first();
                value.map_or(f64::INFINITY, |value| direction.loss(*value))
            };
            loss(a).total_cmp(&loss(b))
        });
    }
    study.trials.truncate(args.limit.unwrap_or(usize::MAX));
    table(&study).print(args.format)?;
    Ok(Ended::Done)
}

/// A row for each trial: number, state, values, parameters, steps, time.
pub(super) fn table(study: &Opened) -> Table {
    let n_values = study.record.directions.len();
    let params = study.param_names();
    let values: Vec<String> = if n_values == 1 {
        vec!["value".to_owned()]
    } else {
        (0..n_values).map(|i| format!("value_{i}")).collect()
    };
    let mut columns = vec!["number".to_owned(), "state".to_owned()];
    columns.extend(values);
    columns.extend(params.iter().cloned());
    columns.extend(["steps", "started", "seconds"].map(str::to_owned));
    let rows = study
        .trials
        .iter()
        .map(|trial| row(trial, n_values, &params));
    Table {
        columns,
        rows: rows.collect(),
    }
}

fn row(trial: &Trial, n_values: usize, params: &[String]) -> Vec<Option<Fact>> {
    let mut row = vec![
        Some(Fact::Number(trial.number as f64)),
        Some(Fact::Text(trial.state.name().to_lowercase())),
    ];
    row.extend((0..n_values).map(|i| trial.values.get(i).map(|value| Fact::Number(*value))));
    row.extend(
        params
            .iter()
            .map(|name| trial.params.get(name).map(|param| fact(&param.value()))),
    );
    let seconds = trial
        .started
        .zip(trial.completed)
        .map(|(started, completed)| {
            let took = completed.duration_since(started);
            Fact::Number((took.as_secs_f64() * 1000.0).round() / 1000.0)
        });
    row.push(Some(Fact::Number(trial.intermediate_values.len() as f64)));
    row.push(trial.started.map(|time| {
        let local = time.to_zoned_datetime(TimeZone::system());
        Fact::Text(local.strftime("%Y-%m-%d %H:%M:%S").to_string())
    }));
    row.push(seconds);
    row
}
