//! How stages depend on each other.

use std::collections::HashSet;
use std::path::Path;

use super::index::Project;
use crate::error::PipelineError;
use crate::stage::{Output, Stage};

/// For each stage, those that make what it reads, by their places in [`Project::stages`].
#[derive(Debug, Clone)]
pub struct Graph {
    makers: Vec<Vec<usize>>,
    /// The same the other way round.
    readers: Vec<Vec<usize>>,
}

impl Graph {
    /// Of all stages of a project.
    ///
    /// # Errors
    /// An output that two stages make, outputs inside each other, circles.
    pub fn of(project: &Project) -> Result<Self, PipelineError> {
        check_outputs(project)?;
        let graph = Self::unchecked(project);
        graph.check_circles(project)?;
        Ok(graph)
    }

    /// The same of stages that may be in each other's way.
    pub fn unchecked(project: &Project) -> Self {
        let outs = Makers::of(&project.stages);
        let makers = project.stages.iter().map(|stage| outs.for_reader(stage));
        Self::from_makers(makers.collect())
    }

    fn from_makers(makers: Vec<Vec<usize>>) -> Self {
        let mut readers = vec![Vec::new(); makers.len()];
        for (stage, makers) in makers.iter().enumerate() {
            for &maker in makers {
                readers[maker].push(stage);
            }
        }
        Self { makers, readers }
    }

    /// The stages that make what a stage reads, in the order of its dependencies.
    pub fn makers(&self, stage: usize) -> &[usize] {
        &self.makers[stage]
    }

    /// The stages that read what a stage makes, in the project's order.
    pub fn readers(&self, stage: usize) -> Vec<usize> {
        self.readers[stage].clone()
    }

    /// The graph in which stages of some kind depend on nothing.
    #[must_use]
    pub fn without_makers_of(&self, is_cut: impl Fn(usize) -> bool) -> Self {
        let makers = self.makers.iter().enumerate();
        let makers = makers.map(|(stage, makers)| {
            if is_cut(stage) {
                Vec::new()
            } else {
                makers.clone()
            }
        });
        Self::from_makers(makers.collect())
    }

    /// Chosen stages, each after those that it depends on: networkx's `dfs_postorder_nodes` over the subgraph.
    pub fn order(&self, chosen: &[bool]) -> Vec<usize> {
        let mut done = vec![false; chosen.len()];
        let mut order = Vec::new();
        for start in 0..chosen.len() {
            self.visit(start, chosen, &mut done, &mut order);
        }
        order
    }

    fn visit(&self, start: usize, chosen: &[bool], done: &mut [bool], order: &mut Vec<usize>) {
        if !chosen[start] || done[start] {
            return;
        }
        done[start] = true;
        let mut path = vec![(start, 0)];
        while let Some((stage, next)) = path.last_mut() {
            let Some(&maker) = self.makers[*stage].get(*next) else {
                order.push(*stage);
                path.pop();
                continue;
            };
            *next += 1;
            if chosen[maker] && !done[maker] {
                done[maker] = true;
                path.push((maker, 0));
            }
        }
    }

    /// A stage and all that it depends on.
    pub fn upstream(&self, stages: &[usize]) -> Vec<bool> {
        self.reached(stages, |stage| self.makers[stage].clone())
    }

    /// A stage and all that depend on it.
    pub fn downstream(&self, stages: &[usize]) -> Vec<bool> {
        self.reached(stages, |stage| self.readers(stage))
    }

    /// All stages connected with some, either way.
    pub fn connected(&self, stages: &[usize]) -> Vec<bool> {
        self.reached(stages, |stage| {
            let mut next = self.makers[stage].clone();
            next.extend(self.readers(stage));
            next
        })
    }

    fn reached(&self, stages: &[usize], next: impl Fn(usize) -> Vec<usize>) -> Vec<bool> {
        let mut reached = vec![false; self.makers.len()];
        let mut waiting = stages.to_vec();
        while let Some(stage) = waiting.pop() {
            if !reached[stage] {
                reached[stage] = true;
                waiting.extend(next(stage));
            }
        }
        reached
    }

    fn check_circles(&self, project: &Project) -> Result<(), PipelineError> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            OnPath,
            Done,
        }
        let mut marks = vec![Mark::New; self.makers.len()];
        for start in 0..self.makers.len() {
            if marks[start] != Mark::New {
                continue;
            }
            marks[start] = Mark::OnPath;
            let mut path = vec![(start, 0)];
            while let Some((stage, next)) = path.last_mut() {
                let Some(&maker) = self.makers[*stage].get(*next) else {
                    marks[*stage] = Mark::Done;
                    path.pop();
                    continue;
                };
                *next += 1;
                match marks[maker] {
                    Mark::New => {
                        marks[maker] = Mark::OnPath;
                        path.push((maker, 0));
                    }
                    Mark::OnPath => {
                        let stages = path.iter().map(|(stage, _)| *stage);
                        let circle = stages.skip_while(|&stage| stage != maker);
                        return Err(circle_error(project, &circle.collect::<Vec<_>>()));
                    }
                    Mark::Done => {}
                }
            }
        }
        Ok(())
    }
}

fn circle_error(project: &Project, circle: &[usize]) -> PipelineError {
    let names = circle
        .iter()
        .map(|&stage| project.display_address(&project.stages[stage].address));
    PipelineError::Cycle {
        what: if circle.len() > 1 { "stages" } else { "stage" },
        stages: names.collect::<Vec<_>>().join(", "),
    }
}

/// The outputs of all stages in the order of their paths, in which what lies in a folder follows it.
struct Makers<'a> {
    outs: Vec<(&'a Path, usize)>,
}

impl<'a> Makers<'a> {
    fn of(stages: &'a [Stage]) -> Self {
        let stages = stages.iter().enumerate();
        let outs = stages.flat_map(|(index, stage)| {
            let outs = stage.outs.iter();
            outs.map(move |out| (out.at.as_path(), index))
        });
        let mut outs: Vec<_> = outs.collect();
        outs.sort_unstable();
        Self { outs }
    }

    /// Stages that make a path, something in it or something around it, each once, in the order of the paths that
    /// `reader` reads, for one path in their own order.
    fn for_reader(&self, reader: &Stage) -> Vec<usize> {
        let paths = reader.deps.iter().map(|dep| &dep.at);
        let paths = paths.chain(reader.params.iter().map(|params| &params.at));
        let (mut makers, mut seen) = (Vec::new(), HashSet::new());
        for path in paths {
            let mut found: Vec<usize> = path
                .ancestors()
                .skip(1)
                .flat_map(|above| self.from(above).take_while(move |(out, _)| *out == above))
                .chain(self.from(path).take_while(|(out, _)| out.starts_with(path)))
                .map(|(_, stage)| *stage)
                .collect();
            found.sort_unstable();
            makers.extend(found.into_iter().filter(|stage| seen.insert(*stage)));
        }
        makers
    }

    fn from(&self, path: &Path) -> impl Iterator<Item = &(&'a Path, usize)> {
        let first = self.outs.partition_point(|(out, _)| *out < path);
        self.outs[first..].iter()
    }
}

fn check_outputs(project: &Project) -> Result<(), PipelineError> {
    let mut outs: Vec<(&Output, &Stage)> = project
        .stages
        .iter()
        .flat_map(|stage| stage.outs.iter().map(move |out| (out, stage)))
        .collect();
    // Stable: of equal outputs the one of the first stage comes first. What lies in a folder follows it.
    outs.sort_by(|a, b| a.0.at.cmp(&b.0.at));
    let name = |stage: &Stage| project.display_address(&stage.address);
    for pair in outs.windows(2) {
        let [(first, first_stage), (second, second_stage)] = pair else {
            continue;
        };
        if first.at == second.at {
            return Err(PipelineError::DuplicateOutput {
                path: project.display(&first.at),
                stages: format!("\t- {}\n\t- {}\n", name(first_stage), name(second_stage)),
            });
        }
        if second.at.starts_with(&first.at) {
            return Err(PipelineError::OverlappingOutputs {
                outer: project.display(&first.at),
                outer_stage: name(first_stage),
                inner: project.display(&second.at),
                inner_stage: name(second_stage),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;
    use crate::definition::{DataFile, OutKind};
    use crate::stage::Dependency;

    fn stage(deps: &[PathBuf], outs: &[PathBuf]) -> Stage {
        let mut stage = Stage::of_data(PathBuf::from("/x.dvc"), DataFile::default());
        stage.deps = deps
            .iter()
            .map(|at| Dependency {
                path: String::new(),
                at: at.clone(),
                locked: None,
            })
            .collect();
        stage.outs = outs
            .iter()
            .map(|at| Output {
                path: String::new(),
                at: at.clone(),
                kind: OutKind::Out,
                is_cached: true,
                is_persistent: false,
                is_pushed: true,
                remote: None,
                plot: crate::value::Map::new(),
                locked: None,
            })
            .collect();
        stage
    }

    /// Every dependency compared with every output of every stage.
    fn makers_by_pairs(stages: &[Stage], reader: &Stage) -> Vec<usize> {
        let mut makers = Vec::new();
        for dep in &reader.deps {
            for (index, stage) in stages.iter().enumerate() {
                let meets =
                    |out: &Output| dep.at.starts_with(&out.at) || out.at.starts_with(&dep.at);
                if stage.outs.iter().any(meets) && !makers.contains(&index) {
                    makers.push(index);
                }
            }
        }
        makers
    }

    fn paths() -> impl Strategy<Value = Vec<PathBuf>> {
        let path = "(/[ab](\\.x)?){1,4}".prop_map(PathBuf::from);
        prop::collection::vec(path, 0..4)
    }

    proptest! {
        #[test]
        fn makers_are_those_that_comparing_all_pairs_finds(
            all in prop::collection::vec((paths(), paths()), 1..12)
        ) {
            let stages: Vec<Stage> = all.iter().map(|(deps, outs)| stage(deps, outs)).collect();
            let makers = Makers::of(&stages);
            for reader in &stages {
                prop_assert_eq!(makers.for_reader(reader), makers_by_pairs(&stages, reader));
            }
        }
    }
}
