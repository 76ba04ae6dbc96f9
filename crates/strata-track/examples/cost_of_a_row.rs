//! What a row of four scalars costs, for comparison with `wandb.log` and `SummaryWriter.add_scalar`.
//!
//! `cargo run --release -p strata-track --example cost_of_a_row -- FOLDER 100000` prints microseconds a row: for the
//! caller, who hands it to a queue, and until all rows are in the files.

#![expect(clippy::print_stdout, reason = "its figures are its purpose")]

use std::path::PathBuf;
use std::time::Instant;

use strata_track::{Run, RunOptions, SinkError};

fn main() -> Result<(), SinkError> {
    let mut args = std::env::args().skip(1);
    let (Some(folder), Some(rows)) = (args.next(), args.next().and_then(|rows| rows.parse().ok()))
    else {
        eprintln!("usage: cost_of_a_row FOLDER ROWS");
        std::process::exit(2);
    };
    let rows: u32 = rows;
    for (name, wandb, tensorboard) in [("wandb", true, false), ("tensorboard", false, true)] {
        let mut run = Run::start(RunOptions {
            directory: PathBuf::from(&folder).join(name),
            wandb,
            tensorboard,
            ..RunOptions::default()
        })?;
        let started = Instant::now();
        for row in 0..rows {
            let x = f64::from(row);
            run.log([
                ("train/loss", 1.0 / (x + 1.0)),
                ("train/acc", x),
                ("lr", 0.001),
                ("grad_norm", x * 0.5),
            ]);
        }
        let logged = started.elapsed();
        run.finish(0);
        let each_us = |seconds: f64| seconds * 1e6 / f64::from(rows);
        println!(
            "{name} {:.3} {:.3}",
            each_us(logged.as_secs_f64()),
            each_us(started.elapsed().as_secs_f64())
        );
    }
    Ok(())
}
