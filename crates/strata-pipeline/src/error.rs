//! What can go wrong, in DVC's words where scripts look for them.

use std::io;

use thiserror::Error;

use crate::cache::CacheError;
use crate::definition::{DefinitionError, SchemaError};
use crate::lock::LockError;
use crate::params::ParamsError;
use crate::remote::RemoteError;
use crate::yaml::YamlError;

/// Why a command on a project cannot be carried out.
#[derive(Debug, Error)]
pub enum PipelineError {
    /// No `.dvc` folder here or above.
    #[error(
        "you are not inside of a DVC repository (checked up to mount point '/'); `strata init` makes one here"
    )]
    NotARepository,
    /// There is a `.dvc` folder, but neither Git nor the setting that says that there is none.
    #[error("{folder} is not a git repository")]
    NotAGitRepository {
        /// The project's folder.
        folder: String,
    },
    /// `init` where it cannot be.
    #[error("failed to initiate DVC - {why}")]
    Initiate {
        /// What is in the way.
        why: String,
    },
    /// A settings file.
    #[error("configuration error - config file error: {why}")]
    Config {
        /// What is wrong, with file and line.
        why: String,
    },
    /// What was typed cannot be meant.
    #[error("{why}")]
    Usage {
        /// Why.
        why: String,
    },
    /// A file that is no YAML.
    #[error("'{file}' is invalid.\n{source}")]
    Syntax {
        /// The file, from the current folder, `./` before a plain name.
        file: String,
        /// What is wrong, with line and column.
        source: YamlError,
    },
    /// A `dvc.yaml` or `.dvc` file that does not say what it must.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// A `dvc.lock` that is none.
    #[error("'{file}' validation failed.\n{why}")]
    LockFile {
        /// The file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// Something named that is not there.
    #[error("'{path}' does not exist")]
    NoSuchFile {
        /// The path.
        path: String,
    },
    /// A target that names nothing.
    #[error(
        "'{target}' does not exist as an output or a stage name in 'dvc.yaml': Stage '{target}' not found inside 'dvc.yaml' file"
    )]
    NoSuchTarget {
        /// As it was typed.
        target: String,
        /// The nearest stage or output that there is.
        closest: Option<String>,
    },
    /// A file with stages that Git ignores.
    #[error("bad DVC file name '{path}' is git-ignored.")]
    GitIgnored {
        /// The file.
        path: String,
    },
    /// Two stages with one output.
    #[error(
        "output '{path}' is specified in:\n{stages}Use `strata remove` with any of the above targets to stop tracking the overlapping output."
    )]
    DuplicateOutput {
        /// The output.
        path: String,
        /// A line for each stage.
        stages: String,
    },
    /// Outputs inside each other.
    #[error(
        "The output paths:\n'{outer}'('{outer_stage}')\n'{inner}'('{inner_stage}')\noverlap and are thus in the same tracked directory.\nTo keep reproducibility, outputs should be in separate tracked directories or tracked individually."
    )]
    OverlappingOutputs {
        /// The folder.
        outer: String,
        /// Its stage.
        outer_stage: String,
        /// What lies in it.
        inner: String,
        /// Its stage.
        inner_stage: String,
    },
    /// A circle of stages.
    #[error("Same item(s) are defined as both a dependency and an output in {what}: {stages}.")]
    Cycle {
        /// `stage` or `stages`.
        what: &'static str,
        /// Their names.
        stages: String,
    },
    /// An output that does not count.
    #[error("Path '{path}' is ignored by\n{pattern}")]
    IgnoredOutput {
        /// The output.
        path: String,
        /// File and pattern.
        pattern: String,
    },
    /// An output outside of the project.
    #[error(
        "Output(s) outside of DVC project: {path}. See <https://dvc.org/doc/user-guide/pipelines/external-dependencies-and-outputs> for more info."
    )]
    OutsideOutput {
        /// The output.
        path: String,
    },
    /// A stage failed.
    #[error("failed to reproduce '{stage}': {source}")]
    Reproduce {
        /// Its address.
        stage: String,
        /// Why.
        source: Box<PipelineError>,
    },
    /// What is to be done after a failure.
    #[error("{source}{advice}")]
    Advised {
        /// The failure.
        source: Box<PipelineError>,
        /// Lines for the user, each after a line break.
        advice: String,
    },
    /// Stages failed, each told when it did.
    #[error("failed to reproduce {stages}")]
    ReproduceSeveral {
        /// Their addresses, quoted.
        stages: String,
    },
    /// A command failed.
    #[error("failed to run: {command}, exited with {code}")]
    CommandFailed {
        /// The command.
        command: String,
        /// Its exit code; minus the signal's number where one ended it.
        code: i32,
    },
    /// A stage did not write what it says.
    #[error("output '{path}' does not exist")]
    MissingOutput {
        /// The output.
        path: String,
    },
    /// A path that a stage makes, and nobody else may track.
    #[error("cannot track '{path}': it is an output of stage '{stage}'")]
    IsOutput {
        /// The path.
        path: String,
        /// The stage.
        stage: String,
    },
    /// Contents that would be lost.
    #[error(
        "Can't remove the following unsaved files without confirmation. Use `--force` to force.\n{paths}"
    )]
    Unsaved {
        /// A line for each.
        paths: String,
    },
    /// A checkout that is not complete.
    #[error(
        "Checkout failed for following targets:\n{paths}\nIs your cache up to date?\n<https://error.dvc.org/missing-files>"
    )]
    CheckoutFailed {
        /// A line for each.
        paths: String,
    },
    /// A stage that cannot be changed where it stands.
    #[error("{why}")]
    CannotEdit {
        /// Why, and what to do.
        why: String,
    },
    /// No remote is named, and none is the default.
    #[error(
        "config file error: no remote specified in {folder}. Setup default remote with\n    strata remote add -d NAME URL"
    )]
    NoRemote {
        /// The project.
        folder: String,
    },
    /// Objects that neither side has, or that could not be moved.
    #[error("failed to {verb} data: {why}")]
    NotTransferred {
        /// `push`, `fetch`, `pull`.
        verb: &'static str,
        /// How many of which kind, and a line for each.
        why: String,
    },
    /// A remote.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// Data that differ from what is kept.
    #[error("unable to commit changed {stage}. Use `-f|--force` to force.")]
    NotCommitted {
        /// The stage.
        stage: String,
    },
    /// A target could not be committed.
    #[error("failed to commit{target} - {source}")]
    Commit {
        /// A space and the target as it was typed; nothing for everything.
        target: String,
        /// Why.
        source: Box<PipelineError>,
    },
    /// A dependency is not there.
    #[error("[Errno 2] No such file or directory: '{path}'")]
    MissingDependency {
        /// The absolute path.
        path: String,
    },
    /// Data that should be there and are not.
    #[error("missing data 'source': {paths}")]
    MissingData {
        /// Their paths.
        paths: String,
    },
    /// An output that is in Git.
    #[error(
        "output '{path}' is already tracked by SCM (e.g. Git).\n    You can remove it from Git, then add to DVC.\n        To stop tracking from Git:\n            git rm -r --cached '{path}'\n            git commit -m \"stop tracking {path}\""
    )]
    TrackedByGit {
        /// The output.
        path: String,
    },
    /// Nothing is in a folder, or matches a pattern.
    #[error("no stages match '{target}'; `strata stage list --all` shows all there are")]
    NoStages {
        /// As it was typed.
        target: String,
    },
    /// A lock file was meant to be a target.
    #[error("Did you mean: `{meant}`?")]
    LockFileAsTarget {
        /// The file with the stages.
        meant: String,
    },
    /// A reproduction was killed, and its commands were not.
    #[error(
        "commands of a reproduction that was killed are still running: wait for them, or end them with\n    kill {processes}"
    )]
    StillRunning {
        /// Their numbers.
        processes: String,
    },
    /// Ctrl-C or SIGTERM.
    #[error("interrupted by the user{details}")]
    Interrupted {
        /// What has become of the stages that ran, each on a line of its own.
        details: String,
    },
    /// The user said no.
    #[error("reproduction aborted by the user")]
    Aborted,
    /// Parameters.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// A lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The file system.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<SchemaError> for PipelineError {
    fn from(error: SchemaError) -> Self {
        Self::Definition(error.into())
    }
}

impl PipelineError {
    /// The exit code after Ctrl-C, DVC's.
    pub const INTERRUPTED: u8 = 252;

    /// The same with what is to be done.
    pub(crate) fn with_advice(self, advice: String) -> Self {
        match self {
            Self::Interrupted { details } => Self::Interrupted {
                details: details + &advice,
            },
            source if advice.is_empty() => source,
            source => Self::Advised {
                source: Box::new(source),
                advice,
            },
        }
    }

    /// What would mend it, if something can be said.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Definition(error) => error.help(),
            Self::NoSuchTarget {
                closest: Some(name),
                ..
            } => Some(format!("did you mean `{name}`?")),
            Self::Reproduce { source, .. }
            | Self::Advised { source, .. }
            | Self::Commit { source, .. } => source.help(),
            _ => None,
        }
    }

    /// The exit code that DVC has for it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotARepository => 253,
            Self::Config { .. } => 251,
            Self::Interrupted { .. } => Self::INTERRUPTED,
            Self::Usage { .. } => 254,
            Self::Remote(RemoteError::Interrupted) => 252,
            Self::Commit { source, .. } => source.exit_code(),
            Self::Initiate { .. } | Self::NoRemote { .. } | Self::NotTransferred { .. } => 1,
            _ => 255,
        }
    }
}
