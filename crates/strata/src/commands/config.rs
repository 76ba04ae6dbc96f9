//! `strata config …`.

use crate::cli::{ConfigArgs, ConfigCommand};
use crate::exit::{Ended, Failure};
use crate::output;

pub(crate) fn run(args: &ConfigArgs) -> Result<Ended, Failure> {
    match &args.command {
        ConfigCommand::Validate { compose } => {
            compose.checked()?;
            output::print("the configuration is valid\n")?;
        }
        ConfigCommand::SearchSpace { overrides } => {
            let space = strata_config::SearchSpace::from_overrides(overrides)?;
            output::print(&format!("{}\n", space.to_json()))?;
        }
        ConfigCommand::ParseOverride { text } => {
            let parsed = strata_config::json::override_to_json(text)?;
            output::print(&format!("{parsed}\n"))?;
        }
    }
    Ok(Ended::Done)
}
