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
    // What a frozen stage depends on is of no consequence.
    let active = graph.without_makers_of(|stage| {
        project.stages[stage].is_frozen && !project.stages[stage].is_data()
    });
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
        for stage in project.stages_of_target(target)? {
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
