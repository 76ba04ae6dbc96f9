//! The study that a command line names.

use std::path::Path;
use std::sync::Arc;

use anyhow::anyhow;
use clap::Args;
use strata_json::Json;
use strata_study::storage::{self, StudyRecord};
use strata_study::{Direction, Storage, StorageError, Trial, best_of};
use strata_sweep::STUDY_JOURNAL;
use strata_track::runs::Fact;

use crate::exit::Failure;

#[derive(Debug, Args)]
pub(super) struct StudyChoice {
    /// Where the study is: the directory of a sweep, a file, or an address such as sqlite:///study.db
    #[arg(value_name = "STORAGE")]
    pub(super) storage: String,

    /// Its name [default: the only one of the storage]
    #[arg(long = "study-name", visible_alias = "study", value_name = "NAME")]
    pub(super) name: Option<String>,
}

/// A study with its trials.
pub(super) struct Opened {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) record: StudyRecord,
    pub(super) trials: Vec<Arc<Trial>>,
}

/// Opens a storage that is there.
pub(super) fn open_storage(place: &str) -> Result<Arc<dyn Storage>, Failure> {
    let journal = Path::new(place).join(STUDY_JOURNAL);
    let opened = if journal.is_file() {
        storage::open_existing(&format!("journal://{}", journal.display()))
    } else if Path::new(place).is_dir() {
        return Err(Failure::Usage(anyhow!(
            "{place} is a directory without a study; a sweep with `hydra.sweeper.storage` keeps its study there"
        )));
    } else {
        storage::open_existing(place)
    };
    opened.map_err(failed)
}

/// A storage that cannot be opened is wrong usage; what fails later is work that failed.
fn failed(error: StorageError) -> Failure {
    Failure::Usage(error.into())
}

impl StudyChoice {
    pub(super) fn open(&self) -> Result<Opened, Failure> {
        let storage = open_storage(&self.storage)?;
        let studies = storage.studies().map_err(work)?;
        let names: Vec<&str> = studies.iter().map(|study| study.name.as_str()).collect();
        let index = match (&self.name, names.as_slice()) {
            (Some(name), _) => names
                .iter()
                .position(|known| known == name)
                .ok_or_else(|| {
                    let closest = strata_diag::closest(name, names.iter().copied());
                    let hint = closest.map_or_else(
                        || format!("studies: {}", names.join(", ")),
                        |closest| format!("did you mean `{closest}`?"),
                    );
                    Failure::Usage(anyhow!(
                        "there is no study `{name}` in {}; {hint}",
                        self.storage
                    ))
                })?,
            (None, []) => {
                return Err(Failure::Usage(anyhow!("{} has no studies", self.storage)));
            }
            (None, [_]) => 0,
            (None, names) => {
                return Err(Failure::Usage(anyhow!(
                    "{} has several studies; choose one with --study-name: {}",
                    self.storage,
                    names.join(", ")
                )));
            }
        };
        let record = studies[index].clone();
        let trials = storage.trials(record.id).map_err(work)?;
        Ok(Opened {
            storage,
            record,
            trials,
        })
    }
}

pub(super) fn work(error: StorageError) -> Failure {
    Failure::Work(error.into())
}

impl Opened {
    /// The best trial, or with several objectives all that no other dominates.
    pub(super) fn best(&self) -> Vec<Arc<Trial>> {
        if let [direction] = self.record.directions[..] {
            return best_of(&self.trials, direction).into_iter().collect();
        }
        strata_study::multi_objective::pareto_front(&self.trials, &self.record.directions)
    }

    /// The names of all parameters, in the order in which they first occur.
    pub(super) fn param_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.trials.iter().flat_map(|trial| trial.params.keys()) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}

/// `maximize`, or several joined by commas.
pub(super) fn directions(directions: &[Direction]) -> String {
    let names: Vec<&str> = directions
        .iter()
        .map(|direction| direction.name())
        .collect();
    names.join(", ")
}

/// A value for a table.
pub(super) fn fact(json: &Json) -> Fact {
    match json {
        Json::Null => Fact::Null,
        Json::Bool(truth) => Fact::Bool(*truth),
        Json::Int(number) => Fact::Number(*number as f64),
        Json::Float(number) => Fact::Number(*number),
        Json::Str(text) => Fact::Text(text.clone()),
        other => Fact::Text(other.written(strata_json::Style::Default)),
    }
}
