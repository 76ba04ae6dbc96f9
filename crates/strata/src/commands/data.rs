//! `strata data info|show|fetch`.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use strata_data::{DataError, Description, PIXELS, SIDE, Splits, contact_sheet, describe};
use strata_experiment::{SourceName, data_request, load_splits};
use strata_figure::{ContactSheet, SheetRow, Tile};

use crate::cli::{DataArgs, DataCommand};
use crate::compose_args::ComposeArgs;
use crate::exit::{Ended, Failure};
use crate::load_events::ConsoleEvents;
use crate::{interrupt, output};

pub(crate) fn run(args: &DataArgs) -> Result<Ended, Failure> {
    let interrupted = interrupt::flag()?;
    match &args.command {
        DataCommand::Status(args) => return super::pipeline::data_status::run(args),
        DataCommand::Info { compose, json } => {
            let description = describe(&load(compose, &interrupted)?);
            let text = if *json {
                serde_json::to_string_pretty(&description).context("the description as JSON")?
                    + "\n"
            } else {
                table(&description)
            };
            output::print(&text)?;
        }
        DataCommand::Show {
            compose,
            output,
            per_class,
        } => {
            let splits = load(compose, &interrupted)?;
            draw(&splits, usize::from(*per_class), output)?;
            output::print(&format!("{}\n", output.display()))?;
        }
        DataCommand::Fetch { compose } => return fetch(compose, &interrupted),
    }
    Ok(Ended::Done)
}

/// The data of a configuration; looking at data downloads nothing.
fn load(compose: &ComposeArgs, interrupted: &Arc<AtomicBool>) -> Result<Splits, Failure> {
    let mut config = compose.checked()?;
    config.data.download = false;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut events = ConsoleEvents::new(interrupted);
    Ok(load_splits(
        &config.data,
        config.training.seed,
        threads,
        &mut events,
    )?)
}

fn fetch(compose: &ComposeArgs, interrupted: &Arc<AtomicBool>) -> Result<Ended, Failure> {
    let config = compose.checked()?;
    if config.data.name == SourceName::Glyphs {
        return Err(Failure::Usage(anyhow::anyhow!(
            "glyphs are drawn, not downloaded; `strata train data=glyphs` draws them"
        )));
    }
    let request = data_request(&config.data, config.training.seed);
    match strata_data::fetch(&request, &mut ConsoleEvents::new(interrupted)) {
        Ok(folder) => {
            output::print(&format!("{}\n", folder.display()))?;
            Ok(Ended::Done)
        }
        Err(DataError::Download(error)) if interrupted.load(Ordering::Relaxed) => {
            anstream::eprintln!("{error}");
            Ok(Ended::Interrupted)
        }
        Err(error) => Err(error.into()),
    }
}

fn draw(splits: &Splits, per_class: usize, file: &Path) -> anyhow::Result<()> {
    let classes = splits.class_names.len();
    let rows = contact_sheet(&splits.train, classes, per_class, 0);
    let rows = splits
        .class_names
        .iter()
        .zip(rows)
        .map(|(name, positions)| SheetRow {
            label: name.clone(),
            tiles: positions
                .into_iter()
                .map(|position| {
                    let pixels = splits.train.pixels(position as usize);
                    debug_assert_eq!(pixels.len(), PIXELS);
                    Tile {
                        pixels: pixels.to_vec(),
                        width: SIDE,
                        height: SIDE,
                        title: String::new(),
                    }
                })
                .collect(),
        });
    let sheet = ContactSheet {
        rows: rows.collect(),
        dpi: 100,
        title: Some(splits.source.clone()),
    };
    let png = sheet.to_png().context("cannot draw the contact sheet")?;
    strata_fs::write_atomically(file, &png)
        .with_context(|| format!("cannot write {}", file.display()))
}

fn table(description: &Description) -> String {
    let parts = [
        ("train", &description.train),
        ("validation", &description.validation),
        ("test", &description.test),
    ];
    let mut text = format!(
        "{}\nfingerprint {}\n\n",
        description.source, description.fingerprint
    );
    for (name, part) in parts {
        writeln!(
            text,
            "{name:<11} {:>7} images  sha256 {}",
            part.images, part.sha256
        )
        .expect("a string takes everything");
    }
    writeln!(
        text,
        "\n{:<6} {:>7} {:>11} {:>6}",
        "class", "train", "validation", "test"
    )
    .expect("a string takes everything");
    for (class, name) in description.classes.iter().enumerate() {
        let [train, validation, test] = parts.map(|(_, part)| part.class_counts[class]);
        writeln!(text, "{name:<6} {train:>7} {validation:>11} {test:>6}")
            .expect("a string takes everything");
    }
    text
}
