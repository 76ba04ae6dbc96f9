//! `strata eval`.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use strata_experiment::{
    EvaluateRequest, EvaluatedRun, SourceName, evaluate_run, evaluate_weights,
};

use crate::cli::{DataName, EvalArgs};
use crate::exit::{Ended, Failure};
use crate::load_events::ConsoleEvents;
use crate::{interrupt, output};

pub(crate) fn run(args: &EvalArgs) -> Result<Ended, Failure> {
    let interrupted = interrupt::flag()?;
    let events = &mut ConsoleEvents::new(&interrupted);
    let (run, overrides) = words(&args.compose.overrides)?;
    let threads = args.threads.map(usize::from);
    let evaluated = match (run, &args.weights) {
        (Some(run), weights) => {
            if let Some(first) = overrides.first() {
                return Err(Failure::Usage(anyhow!(
                    "`{first}`: a run has its own configuration; overrides are for --weights without a run"
                )));
            }
            let request = EvaluateRequest {
                run,
                weights: weights.clone(),
                source: args.data.map(source_of),
                root: args.root.clone(),
                threads,
            };
            evaluate_run(&request, events)?
        }
        (None, Some(weights)) => {
            let mut config = args.compose.checked()?;
            config.data.root = args.root.clone().unwrap_or(config.data.root);
            config.data.name = args.data.map_or(config.data.name, source_of);
            evaluate_weights(weights, &config, threads, events)?
        }
        (None, None) => {
            return Err(Failure::Usage(anyhow!(
                "what is to be evaluated: a run directory, or --weights FILE?"
            )));
        }
    };
    if evaluated.same_data == Some(false) {
        anstream::eprintln!(
            "warning: these are other images than those of the run, or another split"
        );
    }
    let text = if args.json {
        serde_json::to_string_pretty(&evaluated).context("figures as JSON")? + "\n"
    } else {
        table(&evaluated)
    };
    output::print(&text)?;
    Ok(Ended::Done)
}

/// The run directory, if one is named, and the overrides.
fn words(words: &[String]) -> Result<(Option<PathBuf>, Vec<&String>), Failure> {
    let is_override = |word: &str| word.contains('=') || word.starts_with(['~', '+']);
    let mut runs = words.iter().filter(|word| !is_override(word));
    let run = runs.next().map(PathBuf::from);
    if let Some(second) = runs.next() {
        return Err(Failure::Usage(anyhow!(
            "`{second}`: one run at a time is evaluated"
        )));
    }
    let overrides = words.iter().filter(|word| is_override(word));
    Ok((run, overrides.collect()))
}

fn source_of(name: DataName) -> SourceName {
    match name {
        DataName::Emnist => SourceName::Emnist,
        DataName::Glyphs => SourceName::Glyphs,
    }
}

fn table(evaluated: &EvaluatedRun) -> String {
    let mut text = String::new();
    if let Some(epoch) = evaluated.epoch {
        text = format!("model of epoch {epoch}\n");
    }
    for part in ["validation", "test"] {
        let Some(figures) = evaluated.parts.get(part) else {
            continue;
        };
        writeln!(
            text,
            "{part:<11} loss {:.5}  accuracy {:.5}  top-5 {:.5}  calibration error {:.5}",
            figures.loss, figures.accuracy, figures.top5_accuracy, figures.calibration_error
        )
        .expect("a string takes everything");
    }
    text
}
