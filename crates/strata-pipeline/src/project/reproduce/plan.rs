//! Which stages are looked at, and in which order.

use super::{Reach, Request};
use crate::error::PipelineError;
use crate::project::graph::Graph;
use crate::project::index::{PIPELINE_FILE, Project};

/// Stages in the order in which they are looked at.
pub(super) fn plan(
    project: &Project,
    graph: &Graph,
    request: &Request,
) -> Result<Vec<usize>, PipelineError> {
    let all = vec![true; project.stages.len()];
    let active = active(project, graph);
    if request.reach == Reach::Everything {
        return Ok(active.order(&all));
    }
    let default = [PIPELINE_FILE.to_owned()];
    let targets = if request.targets.is_empty() {
        &default[..]
    } else {
        &request.targets
    };
    let mut stages = Vec::new();
    for target in targets {
        for stage in stages_of(project, graph, request, target)? {
            if !stages.contains(&stage) {
                stages.push(stage);
            }
        }
    }
    let chosen = match request.reach {
        Reach::Single => return Ok(stages),
        Reach::Upstream | Reach::Everything => active.upstream(&stages),
        Reach::Pipeline => active.connected(&stages),
        Reach::Downstream => active.downstream(&stages),
    };
    Ok(active.order(&chosen))
}

/// What a frozen stage depends on is of no consequence.
pub(super) fn active(project: &Project, graph: &Graph) -> Graph {
    graph.without_makers_of(|stage| {
        project.stages[stage].is_frozen && !project.stages[stage].is_data()
    })
}

fn stages_of(
    project: &Project,
    graph: &Graph,
    request: &Request,
    target: &str,
) -> Result<Vec<usize>, PipelineError> {
    let folder = project.path(target);
    if request.recursive && folder.is_dir() {
        let inside = |&stage: &usize| project.stages[stage].address.file.starts_with(&folder);
        let order = graph.order(&vec![true; project.stages.len()]);
        return some(order.into_iter().filter(inside).collect(), target);
    }
    if request.glob {
        return some(project.stages_of_pattern(target)?, target);
    }
    project.stages_of_target(target)
}

/// DVC takes the whole project if nothing is in a folder or matches a pattern, which nobody means.
fn some(stages: Vec<usize>, target: &str) -> Result<Vec<usize>, PipelineError> {
    if stages.is_empty() {
        return Err(PipelineError::NoStages {
            target: target.to_owned(),
        });
    }
    Ok(stages)
}
