//! `strata synth`.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use indicatif::{ProgressBar, ProgressStyle};
use strata_data::synthetic::SynthError;
use strata_experiment::{ExperimentError, SynthParams, SynthReport, synth};

use crate::cli::SynthArgs;
use crate::exit::{Ended, Failure};
use crate::load_events::ConsoleEvents;
use crate::{interrupt, output};

/// Of EMNIST Balanced, and of the glyphs; other splits end before the bar does.
const CLASSES: usize = 47;

pub(crate) fn run(args: &SynthArgs) -> Result<Ended, Failure> {
    let interrupted = interrupt::flag()?;
    let params = SynthParams::read(&args.params)?;
    let bar = ProgressBar::new(params.expected_images(CLASSES) as u64);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} images, {eta} left") {
        bar.set_style(style);
    }
    let progress = |made: usize| {
        bar.inc(made as u64);
        if interrupted.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let threads = args.threads.map(usize::from);
    let made = synth(
        &params,
        threads,
        &mut ConsoleEvents::new(&interrupted),
        &progress,
    );
    bar.finish_and_clear();
    match made {
        Ok(report) => {
            output::print(&told(&report))?;
            Ok(Ended::Done)
        }
        Err(ExperimentError::Synth(SynthError::Interrupted)) => {
            anstream::eprintln!("interrupted; nothing was written");
            Ok(Ended::Interrupted)
        }
        Err(error) => Err(error.into()),
    }
}

fn told(report: &SynthReport) -> String {
    let mut text = format!(
        "{} synthetic images in {:.2} s\n",
        report.images,
        report.made_in.as_secs_f64()
    );
    if !report.drawn_with_replacement.is_empty() {
        writeln!(
            text,
            "drawn with replacement, since there are fewer images: {}",
            report.drawn_with_replacement.join(" ")
        )
        .expect("a string takes everything");
    }
    for file in &report.files {
        writeln!(text, "{}", file.display()).expect("a string takes everything");
    }
    text
}
