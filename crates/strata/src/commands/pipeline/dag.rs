//! `strata dag`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use strata_figure::layered;
use strata_pipeline::project::graph::Graph;
use strata_pipeline::project::targets::Extent;
use strata_pipeline::stage::Output;
use strata_pipeline::{PipelineError, Project};

use super::open;
use super::volume::Volume;
use crate::exit::{Ended, Failure};
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata dag                    what depends on what, in boxes
  strata dag train              train and all that it depends on
  strata dag --full train       all that is connected with it
  strata dag --mermaid -o       outputs, for a page")]
#[command(group(clap::ArgGroup::new("form").args(["dot", "mermaid", "md"])))]
pub(crate) struct DagArgs {
    /// A stage, .dvc file or output, shown with what it depends on; without one everything
    target: Option<String>,
    /// In Graphviz's language
    #[arg(long)]
    dot: bool,
    /// In Mermaid's language
    #[arg(long)]
    mermaid: bool,
    /// In Mermaid's language, as a block of Markdown
    #[arg(long)]
    md: bool,
    /// The stages of each foreach or matrix as one
    #[arg(long, conflicts_with = "outs")]
    collapse_foreach_matrix: bool,
    /// All that is connected with the target, not only what it depends on
    #[arg(long)]
    full: bool,
    /// Outputs, not stages
    #[arg(short, long)]
    outs: bool,
    #[command(flatten)]
    volume: Volume,
}

/// Names, and for each those that it depends on, in the order of their dependencies.
#[derive(Debug, Default)]
struct Drawing {
    nodes: Vec<String>,
    makers: Vec<Vec<usize>>,
}

pub(crate) fn run(args: &DagArgs) -> Result<Ended, Failure> {
    args.volume.apply();
    let drawing = drawing(args)?;
    let text = if args.dot {
        drawing.dot()
    } else if args.md {
        format!("```mermaid\n{}```\n", drawing.mermaid())
    } else if args.mermaid {
        drawing.mermaid()
    } else {
        layered::boxes(&drawing.nodes, &drawing.edges()) + "\n"
    };
    output::print(&text)?;
    Ok(Ended::Done)
}

fn drawing(args: &DagArgs) -> Result<Drawing, PipelineError> {
    let project = open()?;
    let graph = Graph::of(&project)?;
    let targets = match &args.target {
        Some(target) => project.select(std::slice::from_ref(target), Extent::default())?,
        None => Vec::new(),
    };
    let mut drawing = if args.outs {
        of_outputs(&project)
    } else {
        of_stages(&project, &graph)
    };
    if let Some(target) = &args.target {
        let path = project.path(target);
        let outs = targets
            .iter()
            .flat_map(|&stage| &project.stages[stage].outs);
        let outs: Vec<&Output> = outs.collect();
        let named = outs.iter().find(|out| path.starts_with(&out.at));
        let names: Vec<String> = match (args.outs, named) {
            (false, _) => targets
                .iter()
                .map(|&stage| project.display_address(&project.stages[stage].address))
                .collect(),
            (true, Some(out)) => vec![project.display(&out.at)],
            (true, None) => outs.iter().map(|out| project.display(&out.at)).collect(),
        };
        drawing.keep(&names, args.full);
    }
    if args.collapse_foreach_matrix {
        drawing.collapse();
    }
    Ok(drawing)
}

fn of_stages(project: &Project, graph: &Graph) -> Drawing {
    let stages = project.stages.iter();
    Drawing {
        nodes: stages
            .map(|stage| project.display_address(&stage.address))
            .collect(),
        makers: (0..project.stages.len())
            .map(|stage| graph.makers(stage).to_vec())
            .collect(),
    }
}

fn of_outputs(project: &Project) -> Drawing {
    let outs = project.stages.iter().flat_map(|stage| &stage.outs);
    let mut paths: Vec<&PathBuf> = outs.map(|out| &out.at).collect();
    sort_as_tree(&mut paths);
    let mut drawing = Drawing {
        nodes: paths.iter().map(|path| project.display(path)).collect(),
        makers: vec![Vec::new(); paths.len()],
    };
    for stage in &project.stages {
        let deps = stage.deps.iter().map(|dep| &dep.at);
        for dep in deps.chain(stage.params.iter().map(|params| &params.at)) {
            let read = |path: &PathBuf| dep.starts_with(path) || path.starts_with(dep);
            for maker in (0..paths.len()).filter(|&maker| read(paths[maker])) {
                for out in &stage.outs {
                    let own = paths.iter().position(|path| **path == out.at);
                    if let Some(own) = own
                        && !drawing.makers[own].contains(&maker)
                    {
                        drawing.makers[own].push(maker);
                    }
                }
            }
        }
    }
    drawing
}

/// Paths as a walk through their folders meets them; folders and files come in the order in which they were first named.
fn sort_as_tree(paths: &mut [&PathBuf]) {
    let mut seen: HashMap<&Path, usize> = HashMap::new();
    for path in paths.iter() {
        let from_root: Vec<&Path> = path.ancestors().collect();
        for ancestor in from_root.into_iter().rev() {
            let next = seen.len();
            seen.entry(ancestor).or_insert(next);
        }
    }
    paths.sort_by_cached_key(|path| {
        let mut key: Vec<usize> = path.ancestors().map(|ancestor| seen[ancestor]).collect();
        key.reverse();
        key
    });
}

impl Drawing {
    /// From what is depended on to what depends on it.
    fn edges(&self) -> Vec<(usize, usize)> {
        let nodes = self.makers.iter().enumerate();
        let edges = nodes.flat_map(|(node, makers)| makers.iter().map(move |&maker| (maker, node)));
        edges.collect()
    }

    /// Leaves some nodes and what they depend on, or all that is connected with them.
    fn keep(&mut self, names: &[String], full: bool) {
        let edges = self.edges();
        let mut kept: Vec<bool> = self.nodes.iter().map(|node| names.contains(node)).collect();
        let mut waiting: Vec<usize> = (0..kept.len()).filter(|&node| kept[node]).collect();
        while let Some(node) = waiting.pop() {
            for &(from, to) in &edges {
                let next = if to == node {
                    from
                } else if full && from == node {
                    to
                } else {
                    continue;
                };
                if !std::mem::replace(&mut kept[next], true) {
                    waiting.push(next);
                }
            }
        }
        let names = self.nodes.clone();
        self.rebuild(|node| kept[node].then(|| names[node].clone()));
    }

    /// Takes the stages of one group together.
    fn collapse(&mut self) {
        let names = self.nodes.clone();
        self.rebuild(|node| {
            let name = &names[node];
            let group = name.split('@').next().unwrap_or(name);
            let is_data = Path::new(name).extension().is_some_and(|end| end == "dvc");
            Some(if is_data { name } else { group }.to_owned())
        });
    }

    /// The drawing with other names, of which equal ones are one node; nodes without a name are left out.
    fn rebuild(&mut self, name: impl Fn(usize) -> Option<String>) {
        let mut built = Self::default();
        let mut places = Vec::new();
        for node in 0..self.nodes.len() {
            let Some(name) = name(node) else {
                places.push(None);
                continue;
            };
            let place = built.nodes.iter().position(|other| *other == name);
            places.push(Some(place.unwrap_or_else(|| {
                built.nodes.push(name);
                built.makers.push(Vec::new());
                built.nodes.len() - 1
            })));
        }
        for (maker, node) in self.edges() {
            if let (Some(maker), Some(node)) = (places[maker], places[node])
                && maker != node
                && !built.makers[node].contains(&maker)
            {
                built.makers[node].push(maker);
            }
        }
        *self = built;
    }

    fn dot(&self) -> String {
        let mut text = String::from("strict digraph {\n");
        for node in &self.nodes {
            let _ = writeln!(text, "\"{node}\";");
        }
        for (from, to) in self.edges() {
            let _ = writeln!(text, "\"{}\" -> \"{}\";", self.nodes[from], self.nodes[to]);
        }
        text + "}\n"
    }

    /// Each connected part after the other, its nodes and edges sorted.
    fn mermaid(&self) -> String {
        let mut text = String::from("flowchart TD\n");
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let parts = self.parts();
        for part in 0..parts.iter().max().map_or(0, |last| last + 1) {
            let mut nodes: Vec<&str> = (0..self.nodes.len())
                .filter(|&node| parts[node] == part)
                .map(|node| self.nodes[node].as_str())
                .collect();
            nodes.sort_unstable();
            for node in nodes {
                let number = numbers.len() + 1;
                numbers.insert(node, number);
                let _ = writeln!(text, "\tnode{number}[\"{node}\"]");
            }
            let edges = self.edges().into_iter();
            let mut edges: Vec<(&str, &str)> = edges
                .filter(|&(from, _)| parts[from] == part)
                .map(|(from, to)| (self.nodes[from].as_str(), self.nodes[to].as_str()))
                .collect();
            edges.sort_unstable();
            for (from, to) in edges {
                let _ = writeln!(text, "\tnode{}-->node{}", numbers[from], numbers[to]);
            }
        }
        text
    }

    /// For each node which connected part it belongs to; parts are numbered by their first nodes.
    fn parts(&self) -> Vec<usize> {
        let edges = self.edges();
        let mut parts: Vec<Option<usize>> = vec![None; self.nodes.len()];
        let mut count = 0;
        for start in 0..parts.len() {
            if parts[start].is_some() {
                continue;
            }
            let mut waiting = vec![start];
            while let Some(node) = waiting.pop() {
                if parts[node].replace(count).is_none() {
                    let touching = edges
                        .iter()
                        .filter(|(from, to)| *from == node || *to == node);
                    waiting
                        .extend(touching.map(|(from, to)| if *from == node { *to } else { *from }));
                }
            }
            count += 1;
        }
        parts.into_iter().flatten().collect()
    }
}
