//! `strata eval`.

use std::fmt::Write as _;

use anyhow::Context;
use strata_experiment::{EvaluateRequest, EvaluatedRun, SourceName, evaluate_run};

use crate::cli::{DataName, EvalArgs};
use crate::exit::{Ended, Failure};
use crate::load_events::ConsoleEvents;
use crate::{interrupt, output};

pub(crate) fn run(args: &EvalArgs) -> Result<Ended, Failure> {
    let interrupted = interrupt::flag()?;
    let request = EvaluateRequest {
        run: args.run.clone(),
        source: args.data.map(|name| match name {
            DataName::Emnist => SourceName::Emnist,
            DataName::Glyphs => SourceName::Glyphs,
        }),
        root: args.root.clone(),
        threads: args.threads.map(usize::from),
    };
    let evaluated = evaluate_run(&request, &mut ConsoleEvents::new(&interrupted))?;
    if !evaluated.same_data {
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

fn table(evaluated: &EvaluatedRun) -> String {
    let mut text = format!("model of epoch {}\n", evaluated.epoch);
    for part in ["validation", "test"] {
        let figure = |name: &str| evaluated.figures.get(&format!("{part}/{name}"));
        if let (Some(loss), Some(accuracy)) = (figure("loss"), figure("accuracy")) {
            writeln!(text, "{part:<11} loss {loss:.5}  accuracy {accuracy:.5}")
                .expect("a string takes everything");
        }
    }
    text
}
