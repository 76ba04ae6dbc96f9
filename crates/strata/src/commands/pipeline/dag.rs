//! `strata dag`.

use std::fmt::Write as _;

use strata_pipeline::project::graph::Graph;
use strata_pipeline::{PipelineError, Project};

use super::open;
use crate::exit::{Ended, Failure};
use crate::output;
use crate::pipeline_cli::DagArgs;

/// Names, and pairs of them of which the second depends on the first.
struct Drawing {
    nodes: Vec<String>,
    edges: Vec<(String, String)>,
}

pub(crate) fn run(args: &DagArgs) -> Result<Ended, Failure> {
    let drawing = drawing(args)?;
    let text = if args.dot {
        drawing.dot()
    } else if args.md {
        format!("```mermaid\n{}```\n", drawing.mermaid())
    } else if args.mermaid {
        drawing.mermaid()
    } else {
        drawing.lines()
    };
    output::print(&text)?;
    Ok(Ended::Done)
}

fn drawing(args: &DagArgs) -> Result<Drawing, PipelineError> {
    let project = open()?;
    let graph = Graph::of(&project)?;
    let chosen = match &args.target {
        Some(target) => graph.upstream(&project.stages_of_target(target)?),
        None => vec![true; project.stages.len()],
    };
    let stages: Vec<usize> = (0..chosen.len()).filter(|&stage| chosen[stage]).collect();
    let mut drawing = Drawing {
        nodes: stages
            .iter()
            .flat_map(|&stage| names(&project, stage, args.outs))
            .collect(),
        edges: Vec::new(),
    };
    for &reader in &stages {
        for &maker in graph.makers(reader) {
            for from in names_read(&project, maker, reader, args.outs) {
                for to in names(&project, reader, args.outs) {
                    drawing.edges.push((from.clone(), to));
                }
            }
        }
    }
    Ok(drawing)
}

/// The stage's own name, or those of its outputs.
fn names(project: &Project, stage: usize, outs: bool) -> Vec<String> {
    let stage = &project.stages[stage];
    if outs {
        stage
            .outs
            .iter()
            .map(|out| project.display(&out.at))
            .collect()
    } else {
        vec![project.display_address(&stage.address)]
    }
}

/// Of a maker those names that a reader reads.
fn names_read(project: &Project, maker: usize, reader: usize, outs: bool) -> Vec<String> {
    if !outs {
        return names(project, maker, false);
    }
    let deps = &project.stages[reader].deps;
    let outs = project.stages[maker].outs.iter();
    let read = outs.filter(|out| {
        deps.iter()
            .any(|dep| dep.at.starts_with(&out.at) || out.at.starts_with(&dep.at))
    });
    read.map(|out| project.display(&out.at)).collect()
}

impl Drawing {
    fn dot(&self) -> String {
        let mut text = String::from("strict digraph {\n");
        for node in &self.nodes {
            let _ = writeln!(text, "\"{node}\";");
        }
        for (from, to) in &self.edges {
            let _ = writeln!(text, "\"{from}\" -> \"{to}\";");
        }
        text + "}\n"
    }

    fn mermaid(&self) -> String {
        let mut nodes = self.nodes.clone();
        nodes.sort();
        let mut edges = self.edges.clone();
        edges.sort();
        let number = |name: &String| {
            nodes
                .iter()
                .position(|node| node == name)
                .map_or(0, |at| at + 1)
        };
        let mut text = String::from("flowchart TD\n");
        for node in &nodes {
            let _ = writeln!(text, "\tnode{}[\"{node}\"]", number(node));
        }
        for (from, to) in &edges {
            let _ = writeln!(text, "\tnode{}-->node{}", number(from), number(to));
        }
        text
    }

    /// A line for each node: what it depends on.
    fn lines(&self) -> String {
        let mut text = String::new();
        for node in &self.nodes {
            let made_from = self.edges.iter().filter(|(_, to)| to == node);
            let made_from: Vec<&str> = made_from.map(|(from, _)| from.as_str()).collect();
            let _ = if made_from.is_empty() {
                writeln!(text, "{node}")
            } else {
                writeln!(text, "{node} <- {}", made_from.join(", "))
            };
        }
        text
    }
}
