//! `strata config …`.

use strata_experiment::ExperimentConfig;

use crate::cli::{ConfigArgs, ConfigCommand};
use crate::exit::{Ended, Failure};
use crate::output;

pub(crate) fn run(args: &ConfigArgs) -> Result<Ended, Failure> {
    match &args.command {
        ConfigCommand::Validate { compose } => {
            let composition = compose.compose("train")?;
            ExperimentConfig::from_composition(&composition)?;
            output::print("the configuration is valid\n")?;
        }
        ConfigCommand::ParseOverride { text } => {
            let parsed = strata_config::json::override_to_json(text)?;
            output::print(&format!("{parsed}\n"))?;
        }
    }
    Ok(Ended::Done)
}
