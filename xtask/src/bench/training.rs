//! Training epochs of strata and of `PyTorch`, in turn, in one run.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, bail, ensure};
use clap::Args;
use serde_json::Value;

use super::measure::median;
use crate::{Torch, binary, must, workspace};

/// What to measure, and with what.
#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    torch: Torch,
    /// Turns; each is one process of the peer and one of strata
    #[arg(long, default_value_t = 3)]
    turns: usize,
    /// Epochs a process
    #[arg(long, default_value_t = 3)]
    epochs: usize,
    /// Only networks whose name contains this
    #[arg(long, default_value = "")]
    network: String,
    /// Threads of either side
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// One network, as either side is told about it.
struct Case {
    name: &'static str,
    dims: &'static [u64],
    peer: &'static [&'static str],
    strata: &'static [&'static str],
}

const CASES: [Case; 3] = [
    Case {
        name: "512-512-256, batch 128, dropout 0.3, AdamW, clip 1.0",
        dims: &[784, 512, 512, 256, 47],
        peer: &["512,512,256"],
        strata: &[],
    },
    Case {
        name: "128-128-128, batch 100, Adam",
        dims: &[784, 128, 128, 128, 47],
        peer: &[
            "128,128,128",
            "--bs",
            "100",
            "--opt",
            "adam",
            "--dropout",
            "0",
            "--clip",
            "0",
        ],
        strata: &[
            "model.hidden_dims=[128,128,128]",
            ADAM,
            "data.batch_size=100",
            "model.dropout=0",
            UNCLIPPED,
        ],
    },
    Case {
        name: "128, batch 100, Adam",
        dims: &[784, 128, 47],
        peer: &[
            "128",
            "--bs",
            "100",
            "--opt",
            "adam",
            "--dropout",
            "0",
            "--clip",
            "0",
        ],
        strata: &[
            "model.hidden_dims=[128]",
            ADAM,
            "data.batch_size=100",
            "model.dropout=0",
            UNCLIPPED,
        ],
    },
];

const ADAM: &str = "training.optimizer={name:Adam,params:{weight_decay:0}}";
const UNCLIPPED: &str = "training.max_grad_norm=null";

/// Seconds and images of each training epoch.
#[derive(Default)]
struct Epochs {
    seconds: Vec<f64>,
}

/// Measures every case and prints a table.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    must(Command::new("cargo").args(["build", "--release", "--package", "strata"]))?;
    let mut table = String::from(
        "| network | PyTorch, s | strata, s | ratio | strata, GFLOP/s |\n| --- | --- | --- | --- | --- |\n",
    );
    for case in CASES
        .iter()
        .filter(|case| case.name.contains(&options.network))
    {
        let (mut peer, mut ours) = (Epochs::default(), Epochs::default());
        for turn in 1..=options.turns {
            eprintln!("{}: turn {turn} of {}", case.name, options.turns);
            peer.seconds.extend(peer_epochs(options, case)?);
            ours.seconds.extend(our_epochs(options, case)?);
        }
        let images = training_images(&options.torch.root)?;
        let gflops = work_per_image(case.dims) * images as f64 / 1e9 / median(&ours.seconds);
        let ratio = median(&peer.seconds) / median(&ours.seconds);
        writeln!(
            table,
            "| {} | {} | {} | {ratio:.2} | {gflops:.0} |",
            case.name,
            peer.show(),
            ours.show()
        )?;
    }
    eprintln!("{table}");
    Ok(())
}

/// Floating-point operations of forward and backward passes; nobody needs the first layer's input gradient.
fn work_per_image(dims: &[u64]) -> f64 {
    let layers = dims.windows(2).map(|pair| pair[0] * pair[1]);
    let first = dims[0] * dims[1];
    (2 * (3 * layers.sum::<u64>() - first)) as f64
}

fn peer_epochs(options: &Options, case: &Case) -> anyhow::Result<Vec<f64>> {
    let (epochs, threads) = (options.epochs.to_string(), options.threads.to_string());
    let (dims, rest) = case.peer.split_first().expect("the network comes first");
    let output = Command::new(&options.torch.python)
        .arg(workspace().join("bench/torch_inmemory.py"))
        .arg(&options.torch.root)
        .args([dims, epochs.as_str(), "--threads", &threads])
        .args(rest)
        // A cap that some machines set for older OpenBLAS builds would slow the peer down.
        .env_remove("OPENBLAS_CORETYPE")
        .env_remove("OPENBLAS_L2_SIZE")
        .output()
        .with_context(|| format!("cannot start {}", options.torch.python.display()))?;
    ensure!(
        output.status.success(),
        "the peer failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    column(&String::from_utf8(output.stdout)?, "train_s")
}

fn our_epochs(options: &Options, case: &Case) -> anyhow::Result<Vec<f64>> {
    let folder = env::temp_dir().join(format!("strata-bench-{}", std::process::id()));
    let status = Command::new(binary("release"))
        .current_dir(workspace())
        // With the sinks of a default run, but nothing leaves this folder.
        .env("WANDB_MODE", "offline")
        .env("WANDB_DIR", &folder)
        .arg("train")
        .args(case.strata)
        .args([
            format!("hydra.run.dir={}", folder.display()),
            format!("data.root={}", options.torch.root.display()),
            format!("training.epochs={}", options.epochs),
            format!("training.threads={}", options.threads),
            "training.eval_test=false".to_owned(),
            "logging.matplotlib.enabled=false".to_owned(),
        ])
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .status()?;
    if !status.success() {
        bail!("strata train ended with {status}; see {}", folder.display());
    }
    let rows = fs::read_to_string(folder.join("metrics.jsonl"))?;
    fs::remove_dir_all(&folder)?;
    column(&rows, "time/train_s")
}

/// The values of `key` in a file of JSON lines.
fn column(lines: &str, key: &str) -> anyhow::Result<Vec<f64>> {
    let mut values = Vec::new();
    for line in lines.lines().filter(|line| line.starts_with('{')) {
        let row: Value = serde_json::from_str(line)?;
        values.extend(row.get(key).and_then(Value::as_f64));
    }
    ensure!(!values.is_empty(), "no `{key}` in the output");
    Ok(values)
}

/// Training images after a tenth is held out.
fn training_images(root: &Path) -> anyhow::Result<u64> {
    let output = Command::new(binary("release"))
        .current_dir(workspace())
        .args([
            "data",
            "info",
            "--json",
            &format!("data.root={}", root.display()),
        ])
        .output()?;
    let info: Value =
        serde_json::from_slice(&output.stdout).context("`strata data info --json`")?;
    info["train"]["images"]
        .as_u64()
        .context("`strata data info --json` names no train.images")
}

impl Epochs {
    fn show(&self) -> String {
        let least = self.seconds.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.seconds.iter().copied().fold(0.0, f64::max);
        format!("{:.3} ({least:.3}–{most:.3})", median(&self.seconds))
    }
}
