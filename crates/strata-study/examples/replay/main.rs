//! For developers: replays searches on recorded learning curves, to choose the methods of `hydra/sweeper=strata`.
//!
//! ```text
//! replay curves STUDY                        what the recording is like, and how well a surface predicts it
//! replay pruners STUDY ORDERS                every pruner on the configurations in random orders
//! replay samplers STUDY SURFACE SEEDS WORKERS EPOCHS SAMPLERS PRUNERS
//!                                            samplers with pruners, names with commas between, on a surface, gaussian
//!                                            or cubic
//! ```
//!
//! STUDY is a file with one study of random configurations; docs/design/0004-sweeps.md has the command that records it,
//! and what was found. Regrets are in units of 1e-4, with their standard errors.
#![expect(clippy::print_stdout, reason = "a program for developers")]

mod kernel_ridge;
mod methods;
mod recorded;
mod simulation;
mod statistics;
mod surface;

use std::error::Error;
use std::sync::Arc;

use methods::{Method, pruners, samplers};
use recorded::{Recording, point};
use simulation::{Course, Limits, Outcome, for_each, simulate};
use statistics::{Mean, rank_correlation};
use strata_study::samplers::RandomSampler;
use strata_study::storage::MemoryStorage;
use strata_study::{Pruner, Random, Sampler, Study};
use surface::Surface;

type Done = Result<(), Box<dyn Error>>;

/// Epochs at which searches are compared.
const BUDGETS: [usize; 4] = [100, 200, 400, 1000];

/// Trials after which they are compared.
const TRIALS: [usize; 3] = [20, 50, 100];

fn main() -> Done {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["curves", study] => curves(&Recording::open(study)?),
        ["pruners", study, orders] => replay_pruners(&Recording::open(study)?, orders.parse()?),
        [
            "samplers",
            study,
            surface,
            seeds,
            workers,
            epochs,
            samplers,
            pruners,
        ] => {
            let recording = Recording::open(study)?;
            let surface = Surface::new(&recording, surface)?;
            let epochs: usize = epochs.parse()?;
            let limits = Limits {
                epochs,
                trials: epochs / recording.epochs(),
                workers: workers.parse()?,
            };
            let names = (samplers, pruners);
            replay_samplers(&recording, &surface, limits, seeds.parse()?, names)
        }
        _ => Err("usage: replay curves|pruners|samplers STUDY ...".into()),
    }
}

/// What the recording is like.
fn curves(recording: &Recording) -> Done {
    let values = recording.values();
    let mut order: Vec<usize> = (0..values.len()).collect();
    let loss = |run: &usize| recording.direction.loss(values[*run]);
    order.sort_by(|a, b| loss(a).total_cmp(&loss(b)));
    let best: Vec<String> = order[..5]
        .iter()
        .map(|run| format!("{:.4}", values[*run]))
        .collect();
    println!(
        "{} configurations of {} epochs, the best {}, the median {:.4}, the worst {:.4}",
        values.len(),
        recording.epochs(),
        best.join(" "),
        values[order[values.len() / 2]],
        values[order[values.len() - 1]]
    );
    println!(
        "\nrank correlation with the value: epoch, all, the best quarter; places of the best five"
    );
    for epoch in 1..=recording.epochs() {
        let after = recording.after(epoch);
        let quarter = &order[..order.len() / 4];
        let of = |values: &[f64]| -> Vec<f64> { quarter.iter().map(|run| values[*run]).collect() };
        let place = |run: &usize| {
            let is_better = |other: &&f64| recording.direction.is_better(**other, after[*run]);
            after.iter().filter(is_better).count() + 1
        };
        let places: Vec<String> = order[..5]
            .iter()
            .map(|run| place(run).to_string())
            .collect();
        println!(
            "{epoch:2}  {:.3}  {:.3}  {}",
            rank_correlation(&after, &values),
            rank_correlation(&of(&after), &of(&values)),
            places.join(" ")
        );
    }
    println!("\nsurfaces, leaving one out: R², that of the better half, its error; the best point");
    for kernel in ["gaussian", "cubic"] {
        let surface = Surface::new(recording, kernel)?;
        let quality = surface.quality();
        let optimum = surface.optimum();
        println!(
            "{kernel}  {:.3}  {:.3}  {:.4}; {:.4} at {}",
            quality.r_squared,
            quality.of_better_half,
            quality.error,
            surface.truth(&optimum),
            surface.describe(&optimum)
        );
    }
    Ok(())
}

fn study_of(
    recording: &Recording,
    seed: u64,
    sampler: Box<dyn Sampler>,
    pruner: Box<dyn Pruner>,
) -> Result<Study, Box<dyn Error>> {
    Ok(Study::open_or_create(
        Arc::new(MemoryStorage::default()),
        // Hyperband's brackets depend on the name.
        &format!("replay-{seed}"),
        &[recording.direction],
        seed,
        sampler,
        pruner,
    )?)
}

/// Every pruner on the recorded configurations, in random orders that are the same for all.
fn replay_pruners(recording: &Recording, orders: usize) -> Done {
    let values = recording.values();
    let limits = Limits {
        epochs: 0,
        trials: values.len(),
        workers: 1,
    };
    let best = recorded::best(recording.direction, &values);
    let mut table = Table::new(best, values.len() * recording.epochs(), values.len());
    for pruner in pruners() {
        let courses = for_each(orders, |seed| {
            let mut order: Vec<usize> = (0..values.len()).collect();
            Random::new(seed as u64, "order", 0).shuffle(&mut order);
            let sampler = Box::new(RandomSampler);
            let study = study_of(recording, seed as u64, sampler, pruner.make())?;
            simulate(&study, limits, &mut |trial| {
                let run = order[trial.number() as usize];
                Ok(Outcome {
                    curve: recording.runs[run].curve.clone(),
                    truth: values[run],
                })
            })
        })?;
        table.add(&pruner.name, &courses);
    }
    table.print();
    Ok(())
}

/// Samplers with pruners on the surface; a seed has the same noise for all of them.
fn replay_samplers(
    recording: &Recording,
    surface: &Surface<'_>,
    limits: Limits,
    seeds: usize,
    (sampler_names, pruner_names): (&str, &str),
) -> Done {
    let samplers = chosen(samplers(), sampler_names)?;
    let pruners = chosen(pruners(), pruner_names)?;
    let best = surface.truth(&surface.optimum());
    let mut table = Table::new(best, limits.epochs, limits.trials);
    for sampler in &samplers {
        for pruner in &pruners {
            let courses = for_each(seeds, |seed| {
                let seed = seed as u64;
                let study = study_of(recording, seed, sampler.make(), pruner.make())?;
                simulate(&study, limits, &mut |trial| {
                    for (name, distribution) in &recording.space {
                        trial.suggest(name, distribution)?;
                    }
                    let point = point(trial.trial(), &recording.space);
                    Ok(surface.outcome(&point.ok_or("a parameter is missing")?, seed))
                })
            })?;
            table.add(&format!("{}, {}", sampler.name, pruner.name), &courses);
        }
    }
    table.print();
    Ok(())
}

/// The methods of a list of names, in its order.
fn chosen<T: ?Sized>(all: Vec<Method<T>>, names: &str) -> Result<Vec<Method<T>>, String> {
    let known: Vec<String> = all.iter().map(|method| method.name.clone()).collect();
    let mut all: Vec<Option<Method<T>>> = all.into_iter().map(Some).collect();
    let named = names.split(',').map(|name| {
        let place = known.iter().position(|known| known == name);
        let method = place.and_then(|place| all[place].take());
        method.ok_or_else(|| format!("`{name}` is not among: {}", known.join(", ")))
    });
    named.collect()
}

/// Regrets of methods.
struct Table {
    best: f64,
    budgets: Vec<usize>,
    trials: Vec<usize>,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    after_epochs: Vec<Vec<f64>>,
    by_trials: Vec<Vec<f64>>,
    epochs_of: Vec<f64>,
    pruned: f64,
    ms_a_proposal: f64,
}

impl Table {
    /// For searches that went on until both so many epochs and so many trials were over.
    fn new(best: f64, epochs: usize, trials: usize) -> Self {
        let up_to = |all: &[usize], limit: usize| -> Vec<usize> {
            all.iter().copied().filter(|n| *n <= limit).collect()
        };
        Self {
            best,
            budgets: up_to(&BUDGETS, epochs),
            trials: up_to(&TRIALS, trials),
            rows: Vec::new(),
        }
    }

    fn add(&mut self, name: &str, courses: &[Course]) {
        let mean = |of: &dyn Fn(&Course) -> f64| {
            courses.iter().map(of).sum::<f64>() / courses.len() as f64
        };
        let regrets = |found: &dyn Fn(&Course) -> Option<f64>| -> Vec<f64> {
            let found = courses.iter().map(|course| found(course).unwrap_or(0.0));
            found.map(|found| (self.best - found).abs()).collect()
        };
        let after = |budget: usize| regrets(&|course| course.found_after(budget));
        let by = |trials: usize| regrets(&|course| course.found_by(trials));
        let proposing = mean(&|course| course.proposing.as_secs_f64());
        let row = Row {
            name: name.to_owned(),
            after_epochs: self.budgets.iter().copied().map(after).collect(),
            by_trials: self.trials.iter().copied().map(by).collect(),
            epochs_of: self
                .trials
                .iter()
                .map(|trials| mean(&|course| course.epochs_of(*trials) as f64))
                .collect(),
            pruned: mean(&Course::pruned),
            ms_a_proposal: 1e3 * proposing / mean(&|course| course.trials() as f64),
        };
        self.rows.push(row);
    }

    fn print(&self) {
        println!("the best known: {:.4}", self.best);
        println!("\nregret after so many epochs, and less that of the first row");
        println!("| | {} | pruned | ms a proposal |", heads(&self.budgets));
        println!("| --- |{}", " --- |".repeat(self.budgets.len() + 2));
        for row in &self.rows {
            let cells = self.cells(row, |row| &row.after_epochs);
            println!(
                "| {} | {} | {:.0} % | {:.2} |",
                row.name,
                cells.join(" | "),
                100.0 * row.pruned,
                row.ms_a_proposal
            );
        }
        println!("\nregret after so many trials, and less that of the first row; mean epochs");
        println!("| | {} | epochs |", heads(&self.trials));
        println!("| --- |{}", " --- |".repeat(self.trials.len() + 1));
        for row in &self.rows {
            let cells = self.cells(row, |row| &row.by_trials);
            let epochs: Vec<String> = row.epochs_of.iter().map(|n| format!("{n:.0}")).collect();
            let (cells, epochs) = (cells.join(" | "), epochs.join(" "));
            println!("| {} | {cells} | {epochs} |", row.name);
        }
    }

    /// The mean regrets, and the mean difference to the first row on the same seeds.
    fn cells(&self, row: &Row, regrets: impl Fn(&Row) -> &Vec<Vec<f64>>) -> Vec<String> {
        let pairs = regrets(row).iter().zip(regrets(&self.rows[0]));
        let cells = pairs.map(|(own, first)| {
            let differences: Vec<f64> = own.iter().zip(first).map(|(a, b)| a - b).collect();
            format!("{} ({})", Mean::of(own), Mean::of(&differences))
        });
        cells.collect()
    }
}

fn heads(numbers: &[usize]) -> String {
    let heads: Vec<String> = numbers.iter().map(usize::to_string).collect();
    heads.join(" | ")
}
