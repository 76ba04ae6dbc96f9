//! `strata study export`.

use clap::Args;
use indexmap::IndexMap;
use strata_json::{Json, Style};
use strata_study::storage::StudyRecord;
use strata_study::{Attributes, Trial};

use super::opened::StudyChoice;
use super::trials::table;
use crate::commands::table::FormatArgs;
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata study export multirun/2026-01-31/14-05-09 > study.json
  strata study export sqlite:///study.db --study-name mlp --csv > trials.csv

The JSON has everything: attributes, distributions, reported values. Numbers that are not finite are the
words NaN, Infinity and -Infinity, as Python writes and reads them.")]
pub(super) struct ExportArgs {
    #[command(flatten)]
    study: StudyChoice,

    #[command(flatten)]
    format: FormatArgs,
}

pub(super) fn run(args: &ExportArgs) -> Result<Ended, Failure> {
    let study = args.study.open()?;
    if args.format.is_for_programs() && !args.format.is_json() {
        table(&study).print(args.format)?;
        return Ok(Ended::Done);
    }
    let mut json = study_json(&study.record);
    let trials = study.trials.iter().map(|trial| trial_json(trial)).collect();
    json.insert("trials".to_owned(), Json::List(trials));
    output::print(&format!("{}\n", Json::Map(json).written(Style::Default)))?;
    Ok(Ended::Done)
}

pub(super) fn study_json(record: &StudyRecord) -> IndexMap<String, Json> {
    let directions = record
        .directions
        .iter()
        .map(|direction| direction.name().to_uppercase());
    let directions: Vec<String> = directions.collect();
    IndexMap::from([
        ("study_name".to_owned(), record.name.clone().into()),
        ("directions".to_owned(), directions.into()),
        ("user_attrs".to_owned(), attributes(&record.user_attrs)),
        ("system_attrs".to_owned(), attributes(&record.system_attrs)),
    ])
}

pub(super) fn trial_json(trial: &Trial) -> Json {
    let params = trial.params.iter();
    let params = params.map(|(name, param)| (name.as_str(), param.value()));
    let distributions = trial.params.iter().map(|(name, param)| {
        let text = param.distribution.to_json();
        (
            name.as_str(),
            strata_json::parse(&text).unwrap_or(Json::Null),
        )
    });
    let steps = trial.intermediate_values.iter();
    let steps = steps.map(|(step, value)| Json::List(vec![Json::Int(*step), Json::Float(*value)]));
    let time = |time: Option<jiff::Timestamp>| Json::from(time.map(|time| time.to_string()));
    Json::object([
        ("number", Json::Int(trial.number as i64)),
        ("state", trial.state.name().into()),
        ("values", trial.values.clone().into()),
        ("params", Json::object(params)),
        ("distributions", Json::object(distributions)),
        ("intermediate_values", Json::List(steps.collect())),
        ("user_attrs", attributes(&trial.user_attrs)),
        ("system_attrs", attributes(&trial.system_attrs)),
        ("datetime_start", time(trial.started)),
        ("datetime_complete", time(trial.completed)),
    ])
}

fn attributes(attributes: &Attributes) -> Json {
    Json::Map(attributes.clone())
}
