//! `strata stage list`.

use std::fmt::Write as _;

use strata_pipeline::Project;
use strata_pipeline::definition::OutKind;
use strata_pipeline::stage::Stage;

use super::{chosen, open};
use crate::exit::{Ended, Failure};
use crate::output;
use crate::pipeline_cli::{StageArgs, StageCommand};

pub(crate) fn run(args: &StageArgs) -> Result<Ended, Failure> {
    let StageCommand::List {
        targets,
        name_only,
        all,
    } = &args.command;
    let project = open()?;
    let here = ["dvc.yaml".to_owned()];
    let targets = match (all, targets.is_empty()) {
        (true, _) => &[][..],
        (_, true) => &here[..],
        _ => targets,
    };
    let stages = chosen(&project, targets)?;
    let rows: Vec<(String, String)> = stages
        .iter()
        .map(|&index| {
            let stage = &project.stages[index];
            (
                project.display_address(&stage.address),
                description(&project, stage),
            )
        })
        .collect();
    let width = rows
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (name, description) in &rows {
        let _ = if *name_only {
            writeln!(text, "{name}")
        } else {
            writeln!(text, "{name:width$}  {description}")
        };
    }
    output::print(&text)?;
    Ok(Ended::Done)
}

/// The stage's own, or what it makes.
fn description(project: &Project, stage: &Stage) -> String {
    if let Some(text) = &stage.description {
        return text.lines().next().unwrap_or_default().to_owned();
    }
    let kinds = [
        ("Outputs", OutKind::Out),
        ("Reports", OutKind::Metric),
        ("Reports", OutKind::Plot),
    ];
    let mut parts: Vec<(&str, Vec<String>)> = Vec::new();
    for (word, kind) in kinds {
        let outs = stage.outs.iter().filter(|out| out.kind == kind);
        for out in outs {
            let path = project.display(&out.at);
            match parts.last_mut() {
                Some((last, paths)) if *last == word => paths.push(path),
                _ => parts.push((word, vec![path])),
            }
        }
    }
    let parts = parts
        .iter()
        .map(|(word, paths)| format!("{word} {}", paths.join(", ")));
    parts.collect::<Vec<_>>().join("; ")
}
