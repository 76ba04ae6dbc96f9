//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::pipeline::add::AddArgs;
use crate::commands::pipeline::check_ignore::CheckIgnoreArgs;
use crate::commands::pipeline::checkout::CheckoutArgs;
use crate::commands::pipeline::commit::CommitArgs;
use crate::commands::pipeline::config::{PROJECT_CONFIG_EXAMPLES, ProjectConfigArgs};
use crate::commands::pipeline::dag::DagArgs;
use crate::commands::pipeline::data_status::DataStatusArgs;
use crate::commands::pipeline::diff::DiffArgs;
use crate::commands::pipeline::doctor::DoctorArgs;
use crate::commands::pipeline::edit::{MoveArgs, RemoveArgs, StagesArgs, UnprotectArgs};
use crate::commands::pipeline::gc::GcArgs;
use crate::commands::pipeline::init::InitArgs;
use crate::commands::pipeline::lock::{GitHookArgs, LockArgs};
use crate::commands::pipeline::metrics::MetricsArgs;
use crate::commands::pipeline::params::ParamsArgs;
use crate::commands::pipeline::plots::PlotsArgs;
use crate::commands::pipeline::remote::RemoteArgs;
use crate::commands::pipeline::repro::ReproArgs;
use crate::commands::pipeline::root::RootArgs;
use crate::commands::pipeline::stage::StageArgs;
use crate::commands::pipeline::status::StatusArgs;
use crate::commands::pipeline::transfer::TransferArgs;
use crate::commands::runs::RunsArgs;
use crate::commands::study::StudyArgs;
use crate::commands::sync::SyncArgs;
use crate::commands::track::TrackArgs;
use crate::commands::wandb::WandbArgs;
use crate::compose_args::ComposeArgs;
use crate::exit::Failure;

/// Runs a whole experimental study in machine learning
#[derive(Debug, Parser)]
#[command(name = "strata", version = VERSION, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The version, and the language of configurations that is spoken.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (configurations as in Hydra 1.3.8 and OmegaConf 2.3.1)"
);

const EXAMPLES: &str = "\
Examples:
  strata train data=glyphs                 train the study's network, no files needed
  strata train data.root=~/emnist model.dropout=0.5 training.epochs=50
  strata resume                            go on with the newest interrupted run or sweep
  strata eval runs/2026-01-31_14-05-09     the saved model's figures, computed again
  strata predict runs/2026-01-31_14-05-09 letter.png

Exit codes: 0 done, 1 the work failed, 2 wrong usage, 130 interrupted.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train one network, from the composed configuration to a run directory
    Train(TrainArgs),
    /// Let an interrupted run go on
    Resume(ResumeArgs),
    /// A process of a sweep whose jobs run elsewhere
    #[command(hide = true)]
    SweepWorker(SweepWorkerArgs),
    /// Compute the figures of a run's saved model again, or of weights that torch saved
    Eval(EvalArgs),
    /// Classify images with a run's saved model
    Predict(PredictArgs),
    /// Look at a data set, draw it, download it
    Data(DataArgs),
    /// Make this folder a project with pipelines
    Init(InitArgs),
    /// Run the stages of a pipeline that have changed
    Repro(ReproArgs),
    /// Show what has changed since the stages of a pipeline ran
    Status(StatusArgs),
    /// Track files and folders without a stage
    Add(AddArgs),
    /// Bring the outputs that lock files name from the cache
    Checkout(CheckoutArgs),
    /// Put outputs into the cache, and what they are into the lock file
    Commit(CommitArgs),
    /// Keep stages from running
    Freeze(StagesArgs),
    /// Let frozen stages run again
    Unfreeze(StagesArgs),
    /// Remove stages and .dvc files; data and cache stay
    Remove(RemoveArgs),
    /// Make files of their own of data that are links into the cache
    Unprotect(UnprotectArgs),
    /// Remove what nothing needs from the cache
    Gc(GcArgs),
    /// Write a stage of a pipeline, list them
    Stage(StageArgs),
    /// Send what is kept to a remote
    Push(TransferArgs),
    /// Bring what is kept from a remote
    Fetch(TransferArgs),
    /// Bring what is kept from a remote, and check it out
    Pull(TransferArgs),
    /// Add, list, change and remove remotes
    Remote(RemoteArgs),
    /// Show what depends on what
    Dag(DagArgs),
    /// Move tracked data
    Move(MoveArgs),
    /// Merge what commands write, for Git
    Lock(LockArgs),
    /// What Git calls
    #[command(hide = true)]
    GitHook(GitHookArgs),
    /// Tell which paths .dvcignore leaves out
    CheckIgnore(CheckIgnoreArgs),
    /// Show which outputs differ from those of a commit
    Diff(DiffArgs),
    /// Compare parameters
    Params(ParamsArgs),
    /// Show and compare metrics
    Metrics(MetricsArgs),
    /// Draw data of stages and runs to a page
    Plots(PlotsArgs),
    /// Print the way to the project's folder
    Root(RootArgs),
    /// Print versions and settings
    #[command(alias = "version")]
    Doctor(DoctorArgs),
    /// Make augmented copies of training images, as `params.yaml` says
    Synth(SynthArgs),
    /// List, compare, follow and remove runs
    Runs(RunsArgs),
    /// Log a run of any program, told in JSON lines on standard input
    Track(TrackArgs),
    /// Look at the studies of searches, ours and Optuna's
    Study(StudyArgs),
    /// Send runs that are kept on disk to W&B
    Sync(SyncArgs),
    /// Log in at W&B
    Wandb(WandbArgs),
    /// Work with configurations; look up and change the settings of a project
    Config(ConfigArgs),
    /// Print the script that lets a shell complete keys, values, options and flags
    #[command(after_help = COMPLETION_EXAMPLES)]
    Completion {
        /// The shell
        shell: Shell,
    },
}

const COMPLETION_EXAMPLES: &str = "\
Examples:
  eval \"$(strata completion bash)\"                                   in ~/.bashrc
  eval \"$(strata completion zsh)\"                                    in ~/.zshrc, after compinit
  strata completion fish > ~/.config/fish/completions/strata.fish";

/// The shells that can be taught to complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}

const TRAIN_EXAMPLES: &str = "\
Examples:
  strata train data=glyphs training.epochs=3
  strata train model=mlp_small 'model.hidden_dims=[256,128]' +note=wide
  strata train --cfg job                   print the configuration, run nothing
  strata train -m model.dropout=0.2,0.4 training.seed='range(3)'
  strata train -m model.dropout='zip(0.2,0.4)' training.epochs='zip(20,40)'

The run directory is `hydra.run.dir`, by default runs/<date>_<time>. Ctrl-C stops after the current
batch, and `strata resume` goes on from there; a second Ctrl-C ends at once. Quote overrides with ~ [ ] { } * or
spaces, or the shell takes them for its own.";

#[derive(Debug, Args)]
#[command(after_help = TRAIN_EXAMPLES, disable_help_flag = true, infer_long_args = true)]
#[command(group(clap::ArgGroup::new("what").args(["run", "multirun", "cfg", "info", "shell_completion"])))]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) compose: ComposeArgs,

    /// Run one job; this is what happens without a flag
    #[arg(short, long, help_heading = "Configuration")]
    pub(crate) run: bool,

    /// Run a job for each combination of the values: `model=a,b`, `training.seed=range(3)`
    #[arg(short, long, help_heading = "Configuration")]
    pub(crate) multirun: bool,

    /// Print the configuration instead of running
    #[arg(short, long, value_name = "WHAT", help_heading = "Configuration")]
    pub(crate) cfg: Option<CfgPart>,

    /// With --cfg or --help: resolve interpolations
    #[arg(long, help_heading = "Configuration")]
    pub(crate) resolve: bool,

    /// With --cfg: print only this part
    #[arg(short, long, value_name = "KEY", help_heading = "Configuration")]
    pub(crate) package: Option<String>,

    /// Print how the configuration is put together instead of running
    #[arg(
        short,
        long,
        value_name = "WHAT",
        num_args = 0..=1,
        default_missing_value = "all",
        help_heading = "Configuration"
    )]
    pub(crate) info: Option<InfoPart>,

    /// Print the overrides of each job as JSON, one line a job, instead of running
    #[arg(long, help_heading = "Configuration")]
    pub(crate) dry_run: bool,

    /// For shells: `install=bash`, `uninstall=bash`, `query=bash`, or with zsh or fish
    #[arg(long, help_heading = "Configuration")]
    pub(crate) shell_completion: bool,

    /// Print the groups and the configuration of the tree (its `hydra.help`)
    #[arg(short, long)]
    pub(crate) help: bool,

    /// Print these flags
    #[arg(long)]
    pub(crate) hydra_help: bool,
}

impl TrainArgs {
    /// Refuses flags that mean nothing without another.
    pub(crate) fn check_flags(&self) -> Result<(), Failure> {
        if self.resolve && self.cfg.is_none() && !self.help {
            return Err(Failure::Usage(anyhow::anyhow!(
                "The --resolve flag can only be used in conjunction with --cfg or --help"
            )));
        }
        if self.package.is_some() && self.cfg.is_none() {
            return Err(Failure::Usage(anyhow::anyhow!(
                "The --package flag can only be used in conjunction with --cfg"
            )));
        }
        Ok(())
    }
}

/// The parts that `--cfg` prints, as Hydra names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CfgPart {
    /// The job's configuration
    Job,
    /// Hydra's own node
    Hydra,
    /// Both
    All,
}

/// The parts that `--info` prints, as Hydra names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InfoPart {
    /// Everything below
    All,
    /// The flattened defaults list
    Defaults,
    /// The tree of defaults lists
    DefaultsTree,
    /// The composed configuration, after the three that follow
    Config,
    /// What Hydra has as plugins
    Plugins,
    /// Where configurations are looked for
    Searchpath,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata resume                            the newest interrupted run or sweep below runs/ and multirun/
  strata resume runs/2026-01-31_14-05-09
  strata resume multirun/2026-01-31/14-05-09 --retry-failed

A run goes on from its last checkpoint, whether it was interrupted, killed, or failed, and ends as if
it had not been. `training.checkpoint.every` says how often one is written. A sweep goes on with the jobs
that are not done; a job is done if its configuration, its data and the engine are the same.")]
pub(crate) struct ResumeArgs {
    /// Directory of a run or a sweep [default: the newest one that was interrupted]
    #[arg(value_name = "DIR")]
    pub(crate) run: Option<PathBuf>,

    /// Of a sweep: run the jobs that failed once more
    #[arg(long)]
    pub(crate) retry_failed: bool,

    /// Threads, if other than before; results do not depend on it
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<std::num::NonZeroU16>,
}

#[derive(Debug, Args)]
pub(crate) struct SweepWorkerArgs {
    /// What to do, as JSON
    pub(crate) request: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata eval runs/2026-01-31_14-05-09
  strata eval runs/2026-01-31_14-05-09 --root ~/emnist --json
  strata eval runs/2026-01-31_14-05-09 --data emnist --root ~/emnist
  strata eval runs/2026-01-31_14-05-09 --weights other.pt
  strata eval --weights model.pt 'model.hidden_dims=[128,128]' data.root=~/emnist

The word without `=` is the run directory. Without one, --weights names a state dict saved by torch
(or a safetensors file), and the other words override the configuration of network and data.")]
pub(crate) struct EvalArgs {
    #[command(flatten)]
    pub(crate) compose: ComposeArgs,

    /// Weights to evaluate: a `.pt` state dict or a `.safetensors` file
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: Option<PathBuf>,

    /// Another data set than the run's
    #[arg(long, value_name = "NAME")]
    pub(crate) data: Option<DataName>,

    /// Folder of the data, where it has moved since the run
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,

    /// Threads [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The data sets, as `data.name` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DataName {
    /// Images on disk
    Emnist,
    /// Procedural handwriting
    Glyphs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata predict runs/2026-01-31_14-05-09 a.png b.png
  strata predict runs/2026-01-31_14-05-09 scans/*.png --json")]
pub(crate) struct PredictArgs {
    /// Run directory
    pub(crate) run: PathBuf,

    /// PNG images, one character each; other sizes than 28x28 are cut, centred and scaled as EMNIST's were
    #[arg(required = true, value_name = "IMAGE")]
    pub(crate) images: Vec<PathBuf>,

    /// Classes to print for each image, the likeliest first
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub(crate) top: usize,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    pub(crate) command: DataCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Print class counts and checksums
    #[command(after_help = "\
Examples:
  strata data info data=glyphs
  strata data info data.root=~/emnist --json")]
    Info {
        #[command(flatten)]
        compose: ComposeArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Draw a contact sheet: a row of training images for each class
    #[command(after_help = "\
Examples:
  strata data show data=glyphs
  strata data show data.root=~/emnist --per-class 20 --output emnist.png")]
    Show {
        #[command(flatten)]
        compose: ComposeArgs,
        /// PNG file to write; one that exists is replaced
        #[arg(short, long, default_value = "contact_sheet.png", value_name = "FILE")]
        output: PathBuf,
        /// Images of each class
        #[arg(long, default_value_t = 12, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
        per_class: u16,
    },
    /// Show how tracked data differ from the cache and the last commit
    Status(DataStatusArgs),
    /// Download the official EMNIST archive and unpack the chosen split
    #[command(after_help = "\
Examples:
  strata data fetch
  strata data fetch data.root=~/emnist data.split=letters")]
    Fetch {
        #[command(flatten)]
        compose: ComposeArgs,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strata synth
  strata synth --params other.yaml
  strata train data=emnist_synthetic       train on them as well

Reads the section `synth_emnist`, and writes synthetic_emnist.pt, synthetic_emnist.safetensors, metadata.yaml and
contact_sheet.png to its `output_dir`; those that exist are replaced.")]
pub(crate) struct SynthArgs {
    /// File of parameters
    #[arg(long, default_value = "params.yaml", value_name = "FILE")]
    pub(crate) params: PathBuf,

    /// Threads [default: all cores]; the images do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = PROJECT_CONFIG_EXAMPLES)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ConfigCommand>,
    #[command(flatten)]
    pub(crate) project: ProjectConfigArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the configuration as a job would, and with each option of each group in turn
    #[command(after_help = "\
Examples:
  strata config validate
  strata config validate model=mlp_small training.epochs=5
  strata config validate --only data=glyphs     this one alone, not the other options")]
    Validate {
        #[command(flatten)]
        compose: ComposeArgs,
        /// Check only what is composed, not the other options of the groups
        #[arg(long)]
        only: bool,
    },
    /// Print where a value came from: every file and override that set it
    #[command(after_help = "\
Examples:
  strata config explain model.dropout
  strata config explain training.optimizer.params.lr model=mlp_small training.optimizer.params.lr=0.01

The step in force is marked with `*`.")]
    Explain {
        /// The key
        key: String,
        #[command(flatten)]
        compose: ComposeArgs,
    },
    /// Print the keys in which two configurations differ
    #[command(after_help = "\
Examples:
  strata config diff runs/a runs/b                      two runs
  strata config diff runs/a conf/other.yaml             a run and a file
  strata config diff 'model=mlp_small' 'model=mlp_large training.epochs=5'
  strata config diff '' runs/a                          the defaults of the tree and a run")]
    Diff {
        /// A run directory, a YAML file, or overrides in one word
        a: String,
        /// Another
        b: String,
        /// Folder of the configuration tree for overrides [default: ./conf, else the tree in this binary]
        #[arg(long, value_name = "DIR")]
        config_path: Option<PathBuf>,
        /// Primary configuration of that tree
        #[arg(long, value_name = "NAME", default_value = "config")]
        config_name: String,
    },
    /// Print the distributions that overrides describe for a search, as JSON
    #[command(after_help = "\
Examples:
  strata config search-space 'model.dropout=interval(0,0.6)' 'training.epochs=range(5,20,5)'
  strata config search-space 'training.optimizer.params.lr=tag(log,interval(1e-5,1e-1))'")]
    SearchSpace {
        /// Overrides, quoted for the shell
        #[arg(allow_hyphen_values = true)]
        overrides: Vec<String>,
    },
    /// Print how one override is understood, as JSON
    #[command(after_help = "\
Examples:
  strata config parse-override '+model.dropout=choice(0.1,0.2)'")]
    ParseOverride {
        /// The override, quoted for the shell
        #[arg(allow_hyphen_values = true)]
        text: String,
    },
}
