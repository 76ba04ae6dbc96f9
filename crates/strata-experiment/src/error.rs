//! Why a run, an evaluation or a prediction failed.

use std::path::PathBuf;

use thiserror::Error;

/// Work that could not be done.
#[derive(Debug, Error)]
pub enum ExperimentError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] strata_config::ConfigError),
    /// The data could not be had.
    #[error(transparent)]
    Data(#[from] strata_data::DataError),
    /// A file of synthetic images cannot be used.
    #[error(transparent)]
    Artifact(#[from] strata_data::synthetic::ArtifactError),
    /// Synthetic images cannot be made.
    #[error(transparent)]
    Synth(#[from] strata_data::synthetic::SynthError),
    /// There are no synthetic images where the configuration names them.
    #[error("there is no `{}`, which `data.use_synthetic` asks for\nhelp: `strata synth` makes it, or `strata repro \
             synth_emnist` in a pipeline; `data.synthetic_artifact=FILE` names another file", .path.display())]
    NoArtifact {
        /// The artifact.
        path: PathBuf,
    },
    /// Synthetic images do not fit the images that they are added to.
    #[error("{} cannot be added to the training set: {problem}", .path.display())]
    NotTheSource {
        /// The artifact.
        path: PathBuf,
        /// What does not fit, and what would mend it.
        problem: String,
    },
    /// A file of parameters cannot be read.
    #[error("cannot read {}: {source}{}", .path.display(), .help)]
    Parameters {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
        /// What would mend it, on a line of its own.
        help: &'static str,
    },
    /// The data do not fit the network.
    #[error("{what} has {found} {unit}, but `{key}` is {expected}; set `{key}={found}`")]
    Mismatch {
        /// What was measured: `the data set`.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// Of what.
        unit: &'static str,
        /// The key that disagrees.
        key: &'static str,
        /// Its value.
        expected: usize,
    },
    /// A metric decides which model is the best, but is never computed.
    #[error("`training.sweep.metric` is `{metric}`, but {reason}")]
    NoMetric {
        /// The metric.
        metric: String,
        /// Why it is not computed, and what would mend it.
        reason: &'static str,
    },
    /// Training could not go on.
    #[error(transparent)]
    Train(#[from] strata_nn::TrainError),
    /// The run directory could not be made or written.
    #[error(transparent)]
    RunDirectory(#[from] strata_track::RunDirectoryError),
    /// The log could not be opened.
    #[error(transparent)]
    Log(#[from] strata_track::LogError),
    /// A sink could not be opened.
    #[error(transparent)]
    Sink(#[from] strata_track::SinkError),
    /// A figure could not be drawn.
    #[error(transparent)]
    Figure(#[from] strata_figure::FigureError),
    /// A model file could not be read or written.
    #[error(transparent)]
    Model(#[from] strata_tensorfile::TensorFileError),
    /// A state dict could not be read or written.
    #[error(transparent)]
    StateDict(#[from] strata_tensorfile::PtError),
    /// A model file that was not written by a run, or by a later version.
    #[error("{} is not the model of a run: {problem}", .path.display())]
    NotAModel {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Weights of another network.
    #[error("the weights of {} cannot be used: {problem}", .path.display())]
    NotTheWeights {
        /// The file.
        path: PathBuf,
        /// What is wrong with them.
        problem: String,
    },
    /// Neither the last checkpoint nor the one before it can be used.
    #[error("{} cannot be used: {problem}", .path.display())]
    NotACheckpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A checkpoint of another network or optimiser.
    #[error("the checkpoint does not fit the run: {0}")]
    State(#[from] strata_nn::StateError),
    /// The data are not those the run began with.
    #[error(
        "images, labels or split are not those the run began with, so that it cannot go on; bring back the data, or start a new run"
    )]
    OtherData,
    /// A run that cannot go on.
    #[error(transparent)]
    Resume(#[from] crate::run::ResumeError),
    /// The metrics of a run that goes on could not be read.
    #[error(transparent)]
    Metrics(#[from] strata_track::MetricsError),
    /// A picture could not be read.
    #[error(transparent)]
    Picture(#[from] strata_data::PictureError),
    /// `hydra.job.chdir` could not be followed.
    #[error("cannot change to the folder {}: {source}", .path.display())]
    ChangeDirectory {
        /// The run directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The user stopped the work before there was anything to keep.
    #[error("interrupted")]
    Interrupted,
}

/// Writes a file whole or not at all, its folder made if need be.
pub(crate) fn write_file(path: &std::path::Path, bytes: &[u8]) -> Result<(), ExperimentError> {
    strata_fs::write_atomically(path, bytes).map_err(|source| ExperimentError::Write {
        path: path.to_owned(),
        source,
    })
}
