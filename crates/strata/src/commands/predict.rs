//! `strata predict`.

use std::fmt::Write as _;

use anyhow::Context;
use strata_experiment::{Prediction, SavedModel, predict};

use crate::cli::PredictArgs;
use crate::exit::{Ended, Failure};
use crate::output;

pub(crate) fn run(args: &PredictArgs) -> Result<Ended, Failure> {
    let model = SavedModel::of_run(&args.run)?;
    let predictions = predict(model, &args.images, args.top)?;
    let text = if args.json {
        serde_json::to_string_pretty(&predictions).context("predictions as JSON")? + "\n"
    } else {
        lines(&predictions)
    };
    output::print(&text)?;
    Ok(Ended::Done)
}

fn lines(predictions: &[Prediction]) -> String {
    let mut text = String::new();
    for prediction in predictions {
        write!(text, "{}", prediction.file.display()).expect("a string takes everything");
        for class in &prediction.classes {
            write!(text, "  {} {:.1} %", class.class, 100.0 * class.probability)
                .expect("a string takes everything");
        }
        text.push('\n');
    }
    text
}
