//! Runs as the subcommands see them: found, read, their problems told.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use strata_track::runs::{RunFacts, find_run_directories};

use super::kept_config;
use crate::exit::Failure;

/// Where runs lie unless `hydra.run.dir` or `hydra.sweep.dir` said otherwise.
const USUAL: [&str; 2] = ["runs", "multirun"];

/// Of one run with many damaged rows the first few say enough.
const MOST_PROBLEMS: usize = 3;

/// The runs below some paths, by default below `runs/` and `multirun/`. What cannot be read is told.
pub(super) fn runs_below(paths: &[PathBuf]) -> Result<Vec<RunFacts>, Failure> {
    let paths = if paths.is_empty() {
        let usual = USUAL.map(PathBuf::from);
        usual.into_iter().filter(|path| path.exists()).collect()
    } else {
        paths.to_vec()
    };
    if let Some(missing) = paths.iter().find(|path| !path.exists()) {
        return Err(Failure::Usage(anyhow!(
            "there is no `{}`; name a run directory or a folder above some",
            missing.display()
        )));
    }
    let found = find_run_directories(&paths);
    for (path, error) in &found.unreadable {
        anstream::eprintln!("warning: cannot look into `{}`: {error}", path.display());
    }
    // One that was removed meanwhile is none.
    let runs = found
        .runs
        .iter()
        .filter_map(|path| RunFacts::read(path).ok());
    let mut runs: Vec<RunFacts> = runs.collect();
    for run in &mut runs {
        complete(run);
        tell_problems(run);
    }
    if runs.is_empty() {
        let places: Vec<String> = if paths.is_empty() {
            USUAL.map(str::to_owned).to_vec()
        } else {
            paths
                .iter()
                .map(|path| path.display().to_string())
                .collect()
        };
        anstream::eprintln!("there are no runs below {}", places.join(", "));
    }
    Ok(runs)
}

/// The run in a directory; a slash behind its name, which completion leaves there, is not part of it.
pub(super) fn run_at(path: &Path) -> Result<RunFacts, Failure> {
    let path: PathBuf = path.components().collect();
    let mut run = RunFacts::read(&path).map_err(|error| Failure::Work(error.into()))?;
    complete(&mut run);
    tell_problems(&run);
    Ok(run)
}

/// Takes the configuration from Hydra's file if the record has none.
fn complete(run: &mut RunFacts) {
    if !run.config.is_empty() {
        return;
    }
    match kept_config::read(&run.path) {
        Ok(Some(config)) => run.set_config(&config),
        Ok(None) => run.problems.push(format!(
            "`{}` has no configuration: neither in `run.json` nor in `.hydra/config.yaml`",
            run.path.display()
        )),
        Err(problem) => run.problems.push(problem),
    }
}

fn tell_problems(run: &RunFacts) {
    for problem in run.problems.iter().take(MOST_PROBLEMS) {
        anstream::eprintln!("warning: {problem}");
    }
    if run.problems.len() > MOST_PROBLEMS {
        let more = run.problems.len() - MOST_PROBLEMS;
        anstream::eprintln!("warning: and {more} more of `{}`", run.path.display());
    }
}

/// Keys that no run knows are mistakes.
pub(super) fn check_keys<'a>(
    runs: &[RunFacts],
    keys: impl IntoIterator<Item = &'a str>,
) -> Result<(), Failure> {
    if runs.is_empty() {
        return Ok(());
    }
    let mut known = BTreeSet::new();
    for key in keys {
        if runs.iter().any(|run| run.get(key).is_some()) {
            continue;
        }
        if known.is_empty() {
            known.extend(runs.iter().flat_map(RunFacts::keys));
        }
        // Such as the epoch, if all runs have only just begun.
        if known.contains(key) {
            continue;
        }
        let mended = strata_diag::closest(key, known.iter().map(String::as_str));
        let mended = mended.map_or_else(
            || "; `strata runs show RUN --json` lists the keys of a run".to_owned(),
            |meant| format!("; did you mean `{meant}`?"),
        );
        return Err(Failure::Usage(anyhow!("no run knows `{key}`{mended}")));
    }
    Ok(())
}
