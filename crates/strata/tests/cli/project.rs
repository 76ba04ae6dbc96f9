//! A fresh folder to run the binary in, with a small data set on demand.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

pub(crate) const SIDE: usize = 28;
const CLASSES: u8 = 47;

/// Where a project keeps what it knows of its files: out of Git's sight.
pub(crate) const SITE: &str = ".dvc/tmp/site";

/// A folder of a test's own.
pub(crate) struct Project {
    folder: TempDir,
}

/// What one call of the binary gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Project {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().expect("a temporary folder"),
        }
    }

    /// A project with a small data set in EMNIST's layout below `data/`.
    pub(crate) fn with_images() -> Self {
        let project = Self::new();
        write_split(&project.path("data/EMNIST/raw"), "train", 20);
        write_split(&project.path("data/EMNIST/raw"), "test", 4);
        project
    }

    /// A project with pipelines in a Git repository, with a branch `master`.
    pub(crate) fn in_git() -> Self {
        let project = Self::new();
        project.git(&["init", "-q", "-b", "master"]);
        project.strata(&["init", "-q"]).ends_with(0);
        project
    }

    /// A project with pipelines without Git.
    pub(crate) fn without_git() -> Self {
        let project = Self::new();
        project.strata(&["init", "-q", "--no-scm"]).ends_with(0);
        project
    }

    /// Runs Git here; gives what it says.
    #[track_caller]
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.try_git(args).ends_with(0).stdout
    }

    /// Git without anybody's settings, which finds the binary under test.
    pub(crate) fn try_git(&self, args: &[&str]) -> Outcome {
        let binary = Path::new(env!("CARGO_BIN_EXE_strata"));
        let folder = binary.parent().expect("a file has a folder");
        let others = env::var("PATH").expect("a path");
        self.git_with_path(args, &format!("{}:{others}", folder.display()))
    }

    /// Git without anybody's settings, with other folders of programs.
    pub(crate) fn git_with_path(&self, args: &[&str], path: &str) -> Outcome {
        let mut command = Command::new("git");
        command
            .current_dir(self.folder.path())
            .args(["-c", "user.name=a", "-c", "user.email=a@b.c"])
            .args(args)
            .env("PATH", path)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        Outcome::of(command.output().expect("Git starts"))
    }

    /// Commits everything.
    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub(crate) fn write(&self, below: &str, content: impl AsRef<[u8]>) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }

    pub(crate) fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
    }

    pub(crate) fn json(&self, below: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(below)).expect("JSON")
    }

    /// The binary in this folder, with nothing of the caller's environment that it would read.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strata"));
        command
            .current_dir(self.folder.path())
            .args(args)
            .stdin(Stdio::null())
            .env("SHELL", "/bin/sh")
            .env("XDG_CONFIG_HOME", self.path(".dvc/tmp/user"))
            .env("XDG_CONFIG_DIRS", self.path(".dvc/tmp/machine"))
            .env("DVC_SITE_CACHE_DIR", self.path(SITE))
            .env("NETRC", self.path("netrc"));
        for variable in [
            "DVC_ROOT",
            "STRATA_REPRO",
            "MLP_DATA_DIR",
            "ASSIGNMENT1_OUTDIR",
            "WANDB_MODE",
            "WANDB_API_KEY",
            "WANDB_BASE_URL",
            "WANDB_DIR",
            "WANDB_PROJECT",
            "WANDB_RUN_ID",
            "NO_COLOR",
        ] {
            command.env_remove(variable);
        }
        command
    }

    pub(crate) fn strata(&self, args: &[&str]) -> Outcome {
        Outcome::of(self.command(args).output().expect("the binary starts"))
    }

    /// A short training of a small network into `runs/a` or wherever `args` say.
    pub(crate) fn train(&self, args: &[&str]) -> Outcome {
        Outcome::of(
            self.train_command(args)
                .output()
                .expect("the binary starts"),
        )
    }

    /// The same, not started yet.
    pub(crate) fn train_command(&self, args: &[&str]) -> Command {
        let mut all = vec![
            "train",
            "data.download=false",
            "model.hidden_dims=[32]",
            "data.batch_size=32",
            "training.epochs=3",
        ];
        all.extend_from_slice(args);
        self.command(&all)
    }

    /// The rows of a run's metrics without the keys that hold times.
    pub(crate) fn rows_without_times(&self, run: &str) -> Vec<serde_json::Value> {
        let text = self.read(&format!("{run}/metrics.jsonl"));
        let rows = text.lines().map(|line| {
            let mut row: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(line).expect("a row of JSON");
            row.retain(|key, _| !key.starts_with("time"));
            row.into()
        });
        rows.collect()
    }
}

/// Files below a folder, links as such, sorted.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return files;
    };
    for entry in entries {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_dir() {
            files.extend(files_below(&entry.path()));
        } else {
            files.push(entry.path());
        }
    }
    files.sort();
    files
}

impl Outcome {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout: {}\nstderr: {}",
            self.stdout,
            self.stderr
        );
        self
    }

    #[track_caller]
    pub(crate) fn says(self, fragments: &[&str]) -> Self {
        for fragment in fragments {
            let said = self.stdout.contains(fragment) || self.stderr.contains(fragment);
            assert!(
                said,
                "`{fragment}` is missing\nstdout: {}\nstderr: {}",
                self.stdout, self.stderr
            );
        }
        self
    }
}

/// The picture of a class: its number in binary, each bit a bar, so that a small network learns it.
pub(crate) fn picture(class: u8, variant: usize) -> Vec<u8> {
    let mut pixels = vec![0; SIDE * SIDE];
    for bit in 0..6 {
        if class >> bit & 1 == 1 {
            let row = 3 + 4 * bit;
            let start = 2 + variant % 5;
            pixels[row * SIDE + start..row * SIDE + start + 18].fill(200 + (variant % 50) as u8);
        }
    }
    pixels[variant % SIDE] = 60;
    pixels
}

/// Writes one split in the official layout: big-endian IDX, each image stored transposed.
pub(crate) fn write_split(raw: &Path, name: &str, per_class: usize) {
    let images = usize::from(CLASSES) * per_class;
    let mut pixel_file = idx_header(0x0803, &[images, SIDE, SIDE]);
    let mut label_file = idx_header(0x0801, &[images]);
    for image in 0..images {
        let class = (image % usize::from(CLASSES)) as u8;
        let upright = picture(class, image / usize::from(CLASSES));
        for column in 0..SIDE {
            pixel_file.extend((0..SIDE).map(|row| upright[row * SIDE + column]));
        }
        label_file.push(class);
    }
    fs::create_dir_all(raw).expect("a folder");
    fs::write(
        raw.join(format!("emnist-balanced-{name}-images-idx3-ubyte")),
        pixel_file,
    )
    .expect("images");
    fs::write(
        raw.join(format!("emnist-balanced-{name}-labels-idx1-ubyte")),
        label_file,
    )
    .expect("labels");
}

pub(crate) fn idx_header(magic: u32, sizes: &[usize]) -> Vec<u8> {
    let mut header = magic.to_be_bytes().to_vec();
    for &size in sizes {
        header.extend((size as u32).to_be_bytes());
    }
    header
}

/// A grey PNG of 28x28 pixels.
pub(crate) fn png_of(pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIDE as u32, SIDE as u32);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(pixels).expect("pixels");
    writer.finish().expect("an end");
    bytes
}
