//! `strata config …`: our own verbs; everything else is about the settings of a project.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use strata_config::{Node, Value};

use crate::cli::{ConfigArgs, ConfigCommand};
use crate::compose_args::ComposeArgs;
use crate::exit::{Ended, Failure};
use crate::output;

pub(crate) fn run(args: &ConfigArgs) -> Result<Ended, Failure> {
    let Some(command) = &args.command else {
        return super::pipeline::config::run(&args.project);
    };
    match command {
        ConfigCommand::Validate { compose, only } => return validate(compose, *only),
        ConfigCommand::Explain { key, compose } => {
            let composition = compose.compose("train")?;
            output::print(&composition.explain(key)?.to_text())?;
        }
        ConfigCommand::Diff {
            a,
            b,
            config_path,
            config_name,
        } => {
            let compose = ComposeArgs::of_tree(config_path.clone(), config_name);
            let (before, after) = (tree_of(a, &compose)?, tree_of(b, &compose)?);
            output::print(&difference_text(&before, &after))?;
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

/// Checks the configuration, and with each option of each group of the tree.
fn validate(compose: &ComposeArgs, only: bool) -> Result<Ended, Failure> {
    let (composition, _) = compose.checked_composition()?;
    let mut valid = 1;
    let mut failures = Vec::new();
    let groups = if only {
        Vec::new()
    } else {
        composition.groups()
    };
    for (group, options) in groups {
        for option in options {
            let plus = if composition.has_choice(&group) {
                ""
            } else {
                "+"
            };
            let choice = format!("{plus}{group}={option}");
            let mut with_option = compose.clone();
            with_option.overrides.push(choice.clone());
            match with_option.checked() {
                Ok(_) => valid += 1,
                Err(error) => failures.push((choice, error)),
            }
        }
    }
    if failures.is_empty() {
        output::print(&match valid {
            1 => "the configuration is valid\n".to_owned(),
            count => format!(
                "the configuration is valid, with each of {} options\n",
                count - 1
            ),
        })?;
        return Ok(Ended::Done);
    }
    for (choice, error) in &failures {
        anstream::eprintln!("with `{choice}`:\n{}\n", error.diagnostic().render_styled());
    }
    Err(Failure::Usage(anyhow::anyhow!(
        "{} of {} configurations are not valid",
        failures.len(),
        failures.len() + valid
    )))
}

/// The unresolved tree of a run, of a file, or of overrides.
fn tree_of(what: &str, compose: &ComposeArgs) -> Result<Node, Failure> {
    let path = Path::new(what);
    let of_run = path.join(".hydra/config.yaml");
    let file = if of_run.is_file() {
        of_run.as_path()
    } else {
        path
    };
    if file.is_file() {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        return Ok(strata_config::from_named_yaml(
            &file.display().to_string(),
            &text,
        )?);
    }
    if path.is_dir() {
        return Err(Failure::Usage(anyhow::anyhow!(
            "{} is no run: it has no .hydra/config.yaml",
            path.display()
        )));
    }
    let mut compose = compose.clone();
    compose.overrides = words(what);
    let composition = compose.compose("train")?;
    let map = composition.root().as_map().into_iter().flatten();
    let of_job = map.filter(|(key, _)| key.to_string() != "hydra");
    let of_job = of_job.map(|(key, node)| (key.clone(), node.clone()));
    Ok(Node::new(Value::Map(of_job.collect())))
}

/// Cuts a line into overrides at blanks outside quotes and brackets.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut depth, mut quote) = (0_usize, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[' | '{' | '(') => depth += 1,
            (None, ']' | '}' | ')') => depth = depth.saturating_sub(1),
            (None, c) if c.is_whitespace() && depth == 0 => {
                words.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn difference_text(before: &Node, after: &Node) -> String {
    let mut text = String::new();
    for difference in strata_config::differences(before, after) {
        let key = &difference.key;
        match (&difference.before, &difference.after) {
            (Some(before), Some(after)) => writeln!(text, "  {key}: {before} -> {after}"),
            (Some(before), None) => writeln!(text, "- {key}: {before}"),
            (None, after) => writeln!(text, "+ {key}: {}", after.as_deref().unwrap_or_default()),
        }
        .expect("a string takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn overrides_are_cut_at_blanks_that_belong_to_none() {
        assert_eq!(
            words(" a=1  b='x y' c=[1, 2] "),
            ["a=1", "b='x y'", "c=[1, 2]"]
        );
    }
}
