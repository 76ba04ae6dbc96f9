//! `strata check-ignore`.

use std::fmt::Write as _;
use std::path::Path;

use strata_pipeline::{PipelineError, Repository};

use crate::exit::{Ended, Failure};
use crate::output;
use crate::pipeline_cli::CheckIgnoreArgs;

pub(crate) fn run(args: &CheckIgnoreArgs) -> Result<Ended, Failure> {
    let repository = Repository::open(Path::new("."))?;
    let mut text = String::new();
    for target in &args.targets {
        let path = repository.current.join(target);
        let reason = repository
            .ignore
            .reason(&path, path.is_dir())
            .map_err(PipelineError::from)?;
        let Some(reason) = reason else { continue };
        if args.details {
            let file = reason
                .file
                .map_or_else(String::new, |file| repository.display(&file));
            let _ = write!(text, "{file}:{}\t", reason.pattern);
        }
        let _ = writeln!(text, "{target}");
    }
    let is_ignored = !text.is_empty();
    if !args.quiet {
        output::print(&text)?;
    }
    Ok(if is_ignored {
        Ended::Done
    } else {
        Ended::Differs
    })
}
