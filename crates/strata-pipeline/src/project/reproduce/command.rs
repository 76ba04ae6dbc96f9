//! The commands of a stage.

use std::path::Path;
use std::process::Command as Process;

use crate::definition::Command;
use crate::error::PipelineError;
use crate::project::Project;
use crate::stage::Stage;

/// The commands of a stage: DVC gives each line of a text a shell of its own.
pub(super) fn lines_of(command: &Command) -> Vec<String> {
    match command {
        Command::Text(text) => text.lines().map(str::to_owned).collect(),
        Command::List(items) => items.clone(),
    }
}

pub(super) fn run_command(
    project: &Project,
    stage: &Stage,
    name: &str,
    command: &Command,
) -> Result<(), PipelineError> {
    let shell = std::env::var("SHELL")
        .ok()
        .filter(|shell| !shell.is_empty());
    let shell = shell.unwrap_or_else(|| "/bin/sh".to_owned());
    let flags: &[&str] = match shell.rsplit('/').next() {
        Some("zsh") => &["--no-rcs"],
        Some("bash") => &["--noprofile", "--norc"],
        _ => &[],
    };
    // The folder may be one that the stage makes files in for the first time.
    if !stage.folder.is_dir() {
        fs_err::create_dir_all(&stage.folder)?;
    }
    for line in lines_of(command) {
        let mut process = Process::new(&shell);
        process
            .args(flags)
            .arg("-c")
            .arg(&line)
            .current_dir(&stage.folder)
            .env("DVC_ROOT", &project.repository.root)
            .env("DVC_STAGE", name)
            .env("PATH", path_with_own_folder());
        let status = process.status().map_err(|error| {
            std::io::Error::new(
                error.kind(),
                format!("cannot start the shell '{shell}': {error}"),
            )
        })?;
        if !status.success() {
            use std::os::unix::process::ExitStatusExt as _;
            let code = status
                .code()
                .or_else(|| status.signal().map(|signal| -signal));
            return Err(PipelineError::CommandFailed {
                command: line,
                code: code.unwrap_or(1),
            });
        }
    }
    Ok(())
}

/// A stage that calls `strata` gets this very program.
fn path_with_own_folder() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::current_exe().ok();
    let own = own.as_deref().and_then(Path::parent).map(Path::to_owned);
    let folders = own.into_iter().chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap_or(path)
}
