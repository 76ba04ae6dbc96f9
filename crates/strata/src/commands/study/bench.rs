//! `strata study bench`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use strata_study::bench::{Bench, BenchError, Problem};
use strata_study::pruners::PrunerName;
use strata_study::samplers::SamplerName;

use crate::exit::{Ended, Failure};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata study bench --space branin.json --problem-cmd 'python3 problem_eval.py branin' --sampler tpe --trials 100

The space is `{\"name\": …, \"directions\": [\"minimize\"], \"space\": [{\"name\": \"x\", \"type\": \"float\", \"low\": 0, \"high\": 1}]}`.
The command reads `{\"id\": 0, \"params\": {…}}`, a line each, and answers `{\"id\": 0, \"state\": \"complete\", \"value\": 0.1}`.")]
pub(super) struct BenchArgs {
    /// What is searched, as JSON
    #[arg(long, value_name = "FILE")]
    space: PathBuf,

    /// The objective: a command that answers lines of JSON
    #[arg(long, value_name = "COMMAND")]
    problem_cmd: String,

    /// random, tpe, tpe_univariate, tpe_multivariate, tpe_group, gp, cmaes, qmc, nsgaii
    #[arg(long, value_name = "NAME", default_value = "tpe", value_parser = sampler)]
    sampler: SamplerName,

    /// none, median, percentile25, asha, hyperband, patient_median
    #[arg(long, value_name = "NAME", default_value = "none", value_parser = pruner)]
    pruner: PrunerName,

    /// Trials
    #[arg(long, value_name = "N", default_value_t = 100)]
    trials: u64,

    /// End after the trial in which so many steps have been reported in all
    #[arg(long, value_name = "N")]
    step_budget: Option<u64>,

    /// Seed of the sampler; the same seed gives the same trials
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Print a line of JSON for each trial; there is no other output
    #[arg(long)]
    json: bool,
}

fn sampler(name: &str) -> Result<SamplerName, String> {
    let known = SamplerName::ALL.map(SamplerName::name).join(", ");
    SamplerName::from_name(name).ok_or_else(|| format!("samplers: {known}"))
}

fn pruner(name: &str) -> Result<PrunerName, String> {
    let known = PrunerName::ALL.map(PrunerName::name).join(", ");
    PrunerName::from_name(name).ok_or_else(|| format!("pruners: {known}"))
}

pub(super) fn run(args: &BenchArgs) -> Result<Ended, Failure> {
    let text = std::fs::read_to_string(&args.space)
        .with_context(|| format!("cannot read {}", args.space.display()))
        .map_err(Failure::Usage)?;
    let bench = Bench {
        problem: Problem::from_text(&text).map_err(|error| Failure::Usage(error.into()))?,
        command: args.problem_cmd.clone(),
        sampler: args.sampler,
        pruner: args.pruner,
        n_trials: args.trials,
        step_budget: args.step_budget,
        seed: args.seed,
    };
    match bench.run(&mut std::io::stdout().lock()) {
        Ok(()) => Ok(Ended::Done),
        // Whoever read has seen enough.
        Err(BenchError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            Ok(Ended::Done)
        }
        Err(error) => Err(Failure::Work(error.into())),
    }
}
