//! `study bench` without the rest of strata, for quick comparisons of samplers:
//! `python3 conformance/sweep/compare.py --bin target/release/examples/study_bench`.

use std::collections::HashMap;

use strata_study::bench::{Bench, Problem};
use strata_study::pruners::PrunerName;
use strata_study::samplers::SamplerName;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut options: HashMap<&str, &str> = HashMap::new();
    for pair in arguments.windows(2) {
        if let Some(name) = pair[0].strip_prefix("--") {
            options.insert(name, &pair[1]);
        }
    }
    let option = |name: &str| {
        let value = options.get(name).copied();
        value.ok_or_else(|| format!("--{name} is missing"))
    };
    let sampler = option("sampler")?;
    let pruner = option("pruner").unwrap_or("none");
    let bench = Bench {
        problem: Problem::from_text(&std::fs::read_to_string(option("space")?)?)?,
        command: option("problem-cmd")?.to_owned(),
        sampler: SamplerName::from_name(sampler).ok_or("no such sampler")?,
        pruner: PrunerName::from_name(pruner).ok_or("no such pruner")?,
        n_trials: option("trials")?.parse()?,
        step_budget: option("step-budget").ok().map(str::parse).transpose()?,
        seed: option("seed")?.parse()?,
    };
    bench.run(&mut std::io::stdout().lock())?;
    Ok(())
}
