//! The commands of pipelines: strata and the real DVC on projects of the same contents.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use tempfile::TempDir;

use super::measure::{Seconds, run_silently};
use crate::{binary, must};

/// What to measure, and with what.
#[derive(Args)]
pub(crate) struct Options {
    /// The real DVC, 3.67
    #[arg(long)]
    dvc: PathBuf,
    /// Turns; each is one measurement of DVC and one of strata
    #[arg(long, default_value_t = 5)]
    turns: usize,
    /// Only cases whose name contains this
    #[arg(long, default_value = "")]
    case: String,
    /// Files of the folders
    #[arg(long, default_value_t = 10_000)]
    files: usize,
    /// Bytes of the large file, in MiB
    #[arg(long, default_value_t = 1024)]
    mib: usize,
}

/// One of the two programs and the project that it works on.
struct Side {
    program: PathBuf,
    /// Calls in a row that make one measurement of a short command.
    calls: u32,
    folder: TempDir,
}

struct Case {
    name: &'static str,
    args: &'static [&'static str],
    /// Makes the project, once.
    make: fn(&Side, &Options) -> anyhow::Result<()>,
    /// Puts it back, before each call.
    reset: fn(&Side) -> anyhow::Result<()>,
    /// Whether calls can follow each other without being put back.
    is_short: bool,
}

const CASES: [Case; 8] = [
    Case {
        name: "repro, 3 stages, nothing to do",
        args: &["repro"],
        make: make_stages,
        reset: keep,
        is_short: true,
    },
    Case {
        name: "status, 3 stages",
        args: &["status"],
        make: make_stages,
        reset: keep,
        is_short: true,
    },
    Case {
        name: "status, many files, warm",
        args: &["status"],
        make: make_added_files,
        reset: keep,
        is_short: true,
    },
    Case {
        name: "status, many files, state removed",
        args: &["status"],
        make: make_added_files,
        reset: remove_state,
        is_short: false,
    },
    Case {
        name: "add, many files",
        args: &["add", "data"],
        make: make_files,
        reset: remove_added,
        is_short: false,
    },
    Case {
        name: "checkout, many files",
        args: &["checkout"],
        make: make_added_files,
        reset: remove_data,
        is_short: false,
    },
    Case {
        name: "add, one large file",
        args: &["add", "data"],
        make: make_large_file,
        reset: delete_added,
        is_short: false,
    },
    Case {
        name: "status, one large file, warm",
        args: &["status"],
        make: make_added_large_file,
        reset: keep,
        is_short: true,
    },
];

/// Measures every case and prints a table.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    must(Command::new("cargo").args(["build", "--release", "--package", "strata"]))?;
    let mut table = format!(
        "Medians (least) of {} turns; many files: {}, a large file: {} MiB.\n\n\
         | case | DVC, wall s | DVC, CPU s | strata, wall s | strata, CPU s | ratio of wall | of CPU |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
        options.turns, options.files, options.mib
    );
    for case in CASES
        .iter()
        .filter(|case| case.name.contains(&options.case))
    {
        let sides = [
            Side::new(&options.dvc, 1)?,
            Side::new(&binary("release"), if case.is_short { 20 } else { 1 })?,
        ];
        let mut seconds = [Seconds::default(), Seconds::default()];
        for side in &sides {
            side.init()?;
            (case.make)(side, options)?;
        }
        for turn in 1..=options.turns {
            eprintln!("{}: turn {turn} of {}", case.name, options.turns);
            for (side, seconds) in sides.iter().zip(&mut seconds) {
                (case.reset)(side)?;
                seconds.measure(side.calls, || side.command(case.args))?;
            }
        }
        let [dvc, ours] = &seconds;
        writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} | {} |",
            case.name,
            show(Some(dvc.wall())),
            show(dvc.cpu()),
            show(Some(ours.wall())),
            show(ours.cpu()),
            ratio(Some(dvc.wall()), Some(ours.wall())),
            ratio(dvc.cpu(), ours.cpu()),
        )?;
    }
    eprintln!("{table}");
    Ok(())
}

fn show(seconds: Option<(f64, f64)>) -> String {
    seconds.map_or_else(
        || "–".to_owned(),
        |(median, least)| format!("{median:.3} ({least:.3})"),
    )
}

/// Of the medians, and of the least, which other programs on the machine disturb less.
fn ratio(dvc: Option<(f64, f64)>, ours: Option<(f64, f64)>) -> String {
    dvc.zip(ours).map_or_else(
        || "–".to_owned(),
        |(dvc, ours)| format!("{:.1} ({:.1})", dvc.0 / ours.0, dvc.1 / ours.1),
    )
}

impl Side {
    fn new(program: &Path, calls: u32) -> anyhow::Result<Self> {
        Ok(Self {
            program: program.to_owned(),
            calls,
            folder: tempfile::tempdir()?,
        })
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// Where either program keeps what it knows of files.
    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .current_dir(self.project())
            .env("DVC_SITE_CACHE_DIR", self.state())
            .env("DVC_NO_ANALYTICS", "1");
        command
    }

    fn run(&self, args: &[&str]) -> anyhow::Result<()> {
        run_silently(&mut self.command(args))
    }

    fn init(&self) -> anyhow::Result<()> {
        fs::create_dir_all(self.project())?;
        must(
            Command::new("git")
                .args(["init", "--quiet"])
                .arg(self.project()),
        )?;
        self.run(&["init", "--quiet"])
    }

    /// Moves a file or folder out of the way, to be deleted with all else in the end: for minutes after many files were
    /// deleted ext4 searches long for the place of each new one, which would be measured.
    fn put_away(&self, path: &Path) -> anyhow::Result<()> {
        if !path.exists() {
            return Ok(());
        }
        let away = self.folder.path().join("away");
        fs::create_dir_all(&away)?;
        let number = fs::read_dir(&away)?.count();
        Ok(fs::rename(path, away.join(number.to_string()))?)
    }

    fn write(&self, file: &str, text: &str) -> anyhow::Result<()> {
        Ok(fs::write(self.project().join(file), text)?)
    }
}

fn make_stages(side: &Side, _: &Options) -> anyhow::Result<()> {
    side.write("raw.txt", "b\na\n")?;
    side.write("params.yaml", "lr: 0.1\n")?;
    side.write(
        "dvc.yaml",
        "stages:\n  \
         prepare:\n    cmd: sort raw.txt > sorted.txt\n    deps: [raw.txt]\n    outs: [sorted.txt]\n  \
         train:\n    cmd: cat sorted.txt > model.txt\n    deps: [sorted.txt]\n    params: [lr]\n    outs: [model.txt]\n  \
         evaluate:\n    cmd: wc -l model.txt > lines.txt\n    deps: [model.txt]\n    outs: [lines.txt]\n",
    )?;
    side.run(&["repro"])
}

/// Files of some 700 bytes in ten folders.
fn make_files(side: &Side, options: &Options) -> anyhow::Result<()> {
    let data = side.project().join("data");
    for folder in 0..10 {
        fs::create_dir_all(data.join(folder.to_string()))?;
    }
    for index in 0..options.files {
        let line = format!("{index} is a number of one among many files\n");
        let text = line.repeat(700 / line.len());
        fs::write(data.join(format!("{}/{index}.txt", index % 10)), text)?;
    }
    Ok(())
}

fn make_added_files(side: &Side, options: &Options) -> anyhow::Result<()> {
    make_files(side, options)?;
    side.run(&["add", "data"])?;
    side.run(&["status"])
}

fn make_large_file(side: &Side, options: &Options) -> anyhow::Result<()> {
    let mut file = fs::File::create(side.project().join("data"))?;
    // Xorshift: bytes that no file system stores in less.
    let mut word = 0x9e37_79b9_7f4a_7c15_u64;
    let mut block = vec![0_u8; 1 << 20];
    for _ in 0..options.mib {
        for bytes in block.chunks_exact_mut(8) {
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        file.write_all(&block)?;
    }
    // Writing them back later would disturb what is measured.
    Ok(file.sync_all()?)
}

fn make_added_large_file(side: &Side, options: &Options) -> anyhow::Result<()> {
    make_large_file(side, options)?;
    side.run(&["add", "data"])?;
    side.run(&["status"])
}

#[expect(clippy::unnecessary_wraps, reason = "one of the cases' functions")]
fn keep(_: &Side) -> anyhow::Result<()> {
    Ok(())
}

fn remove_state(side: &Side) -> anyhow::Result<()> {
    side.put_away(&side.state())
}

fn remove_added(side: &Side) -> anyhow::Result<()> {
    remove_state(side)?;
    side.put_away(&side.project().join(".dvc/cache"))?;
    side.put_away(&side.project().join("data.dvc"))?;
    side.put_away(&side.project().join(".gitignore"))
}

/// A few files are deleted without consequences, and their bytes would fill the disk.
fn delete_added(side: &Side) -> anyhow::Result<()> {
    let cache = side.project().join(".dvc/cache");
    if cache.exists() {
        fs::remove_dir_all(cache)?;
    }
    remove_added(side)
}

fn remove_data(side: &Side) -> anyhow::Result<()> {
    side.put_away(&side.project().join("data"))
}
