//! A study on an outside objective: a program that speaks JSON lines. It is how samplers and pruners are compared
//! with those of other programs; see `conformance/sweep/README.md`.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use indexmap::IndexMap;
use strata_json::{Json, Style, parse};

use crate::samplers::SamplerName;
use crate::storage::MemoryStorage;
use crate::{
    ActiveTrial, Direction, InvalidSpace, SearchSpace, StorageError, Study, StudyError, TrialState,
    pruners::PrunerName,
};

/// What is run.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The problem's space, as its file says.
    pub problem: Problem,
    /// The command of the objective, as a shell understands it.
    pub command: String,
    /// Who proposes.
    pub sampler: SamplerName,
    /// Who prunes.
    pub pruner: PrunerName,
    /// Trials.
    pub n_trials: u64,
    /// Ends after the trial in which this many steps have been reported.
    pub step_budget: Option<u64>,
    /// The seed of the study.
    pub seed: u64,
}

/// A problem of the conformance files.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Its name.
    pub name: String,
    /// One direction for each objective.
    pub directions: Vec<Direction>,
    /// The longest learning curve; none without curves.
    pub max_steps: Option<u64>,
    /// What is searched.
    pub space: SearchSpace,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The file of the space.
    #[error("the space: {0}")]
    Space(#[from] InvalidSpace),
    /// The file of the space is no JSON.
    #[error("the space is no JSON: {0}")]
    NotJson(String),
    /// The study.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// Its storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The objective cannot be talked with.
    #[error("the problem command: {0}")]
    Command(String),
    /// The results cannot be written.
    #[error("cannot write the results: {0}")]
    Output(io::Error),
}

impl Problem {
    /// Reads `{"name": …, "directions": […], "space": […]}`.
    ///
    /// # Errors
    /// It is no such object.
    pub fn from_text(text: &str) -> Result<Self, BenchError> {
        let json = parse(text).map_err(|error| BenchError::NotJson(error.to_string()))?;
        let directions = json.get("directions").and_then(Json::as_list);
        let directions = directions.unwrap_or_default().iter().map(|name| {
            let direction = name.as_str().and_then(Direction::from_name);
            direction.ok_or_else(|| {
                let name = name.written(Style::Default);
                InvalidSpace::Shape(format!("{name} is neither minimize nor maximize"))
            })
        });
        let directions = directions.collect::<Result<Vec<_>, _>>()?;
        if directions.is_empty() {
            return Err(InvalidSpace::Shape("`directions` is missing".to_owned()).into());
        }
        let max_steps = json.get("max_steps").and_then(Json::as_i64);
        Ok(Self {
            name: json
                .get("name")
                .and_then(Json::as_str)
                .unwrap_or("bench")
                .to_owned(),
            directions,
            max_steps: max_steps.map(|steps| steps.max(1) as u64),
            space: SearchSpace::from_json(json.get("space").unwrap_or(&Json::Null))?,
        })
    }
}

impl Bench {
    /// Runs the study, a line of JSON for each trial.
    ///
    /// # Errors
    /// The objective breaks off or answers what makes no sense, or nothing can be written.
    pub fn run(&self, output: &mut dyn Write) -> Result<(), BenchError> {
        let study = Study::open_or_create(
            Arc::new(MemoryStorage::default()),
            &self.problem.name,
            &self.problem.directions,
            self.seed,
            self.sampler.build(self.problem.directions.len()),
            self.pruner.build(self.problem.max_steps),
        )?;
        let mut objective = Objective::start(&self.command)?;
        let mut steps = 0;
        for _ in 0..self.n_trials {
            if study.is_exhausted()? {
                break;
            }
            let outcome = evaluate(&study, &self.problem.space, &mut objective)?;
            steps += outcome.steps.unwrap_or(0);
            let line = outcome.into_json().written(Style::Default);
            writeln!(output, "{line}").map_err(BenchError::Output)?;
            if self.step_budget.is_some_and(|budget| steps >= budget) {
                break;
            }
        }
        objective.end()
    }
}

struct Outcome {
    number: u64,
    state: TrialState,
    params: IndexMap<String, Json>,
    values: Vec<f64>,
    steps: Option<u64>,
}

impl Outcome {
    fn into_json(self) -> Json {
        let mut fields = IndexMap::new();
        fields.insert("number".to_owned(), Json::Int(self.number as i64));
        fields.insert("state".to_owned(), self.state.name().into());
        fields.insert("params".to_owned(), Json::Map(self.params));
        match self.values[..] {
            [] => {}
            [value] => {
                fields.insert("value".to_owned(), value.into());
            }
            _ => {
                fields.insert("values".to_owned(), self.values.into());
            }
        }
        if let Some(steps) = self.steps {
            fields.insert("steps".to_owned(), Json::Int(steps as i64));
        }
        Json::Map(fields)
    }
}

fn evaluate(
    study: &Study,
    space: &SearchSpace,
    objective: &mut Objective,
) -> Result<Outcome, BenchError> {
    let mut trial = study.ask()?;
    let params = space.suggest(&mut trial)?;
    let number = trial.number();
    let answer = objective.evaluate(number, &params)?;
    let curve = answer.get("curve").and_then(Json::as_list);
    let ended = curve.map(|curve| follow(&mut trial, curve)).transpose()?;
    let steps = ended.as_ref().map(|(steps, _)| *steps);
    let is_complete = answer.get("state").and_then(Json::as_str) == Some("complete");
    let (state, values) = match ended.and_then(|(_, early)| early) {
        Some(TrialState::Pruned) => {
            let value = trial.trial().last_step().map(|(_, value)| value);
            (trial.prune()?, value.into_iter().collect())
        }
        None if is_complete => {
            let one = answer.get("value").and_then(Json::as_f64);
            let several = answer.get("values").and_then(Json::as_list);
            let several = several.unwrap_or_default().iter().filter_map(Json::as_f64);
            let values: Vec<f64> = one.into_iter().chain(several).collect();
            (trial.complete(&values)?, values)
        }
        _ => (trial.fail()?, Vec::new()),
    };
    Ok(Outcome {
        number,
        state,
        params,
        values,
        steps,
    })
}

/// Reports a curve step by step: how many, and how the trial ended before the curve did.
fn follow(
    trial: &mut ActiveTrial<'_>,
    curve: &[Json],
) -> Result<(u64, Option<TrialState>), BenchError> {
    for (i, value) in curve.iter().enumerate() {
        let step = i as u64 + 1;
        let value = value.as_f64().unwrap_or(f64::NAN);
        trial.report(step as i64, value)?;
        if value.is_nan() {
            return Ok((step, Some(TrialState::Fail)));
        }
        if i + 1 < curve.len() && trial.should_prune()? {
            return Ok((step, Some(TrialState::Pruned)));
        }
    }
    Ok((curve.len() as u64, None))
}

/// The program that knows the objective.
struct Objective {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Objective {
    fn start(command: &str) -> Result<Self, BenchError> {
        let failed = |problem: &str| BenchError::Command(format!("`{command}` {problem}"));
        let child = Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.map_err(|error| failed(&format!("cannot be started: {error}")))?;
        let pipes = (child.stdin.take(), child.stdout.take());
        let (Some(requests), Some(answers)) = pipes else {
            return Err(failed("has no pipes"));
        };
        Ok(Self {
            child,
            requests,
            answers: BufReader::new(answers),
        })
    }

    fn evaluate(&mut self, id: u64, params: &IndexMap<String, Json>) -> Result<Json, BenchError> {
        let request = Json::object([
            ("id", Json::Int(id as i64)),
            ("params", Json::Map(params.clone())),
        ]);
        let request = request.written(Style::Default);
        let mut answer = String::new();
        let exchanged = writeln!(self.requests, "{request}")
            .and_then(|()| self.requests.flush())
            .and_then(|()| self.answers.read_line(&mut answer));
        let read = exchanged.map_err(|error| BenchError::Command(error.to_string()))?;
        if read == 0 {
            return Err(BenchError::Command(format!(
                "it ended without an answer to {request}"
            )));
        }
        let answer = parse(answer.trim()).map_err(|error| {
            BenchError::Command(format!("its answer {answer:?} is no JSON: {error}"))
        })?;
        if answer.get("id").and_then(Json::as_i64) != Some(id as i64) {
            return Err(BenchError::Command(format!(
                "its answer {} has not the id of {request}",
                answer.written(Style::Default)
            )));
        }
        Ok(answer)
    }

    fn end(mut self) -> Result<(), BenchError> {
        drop(self.requests);
        let ended = self.child.wait();
        ended.map_err(|error| BenchError::Command(error.to_string()))?;
        Ok(())
    }
}
