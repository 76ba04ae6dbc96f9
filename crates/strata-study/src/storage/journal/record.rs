//! What a line of a journal says.

use std::sync::Arc;

use indexmap::IndexMap;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use strata_json::{Json, Style};

use crate::storage::contents::StateChange;
use crate::storage::{AttributeKind, StudyId, time};
use crate::trial::{Attributes, Param, Trial, TrialId, TrialState};
use crate::{Direction, Distribution};

/// A change. In the file each has a number, `op_code`, which is that of its place here.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Record {
    CreateStudy {
        name: String,
        directions: Vec<Direction>,
    },
    DeleteStudy(StudyId),
    /// 2 for users, 3 for the system.
    StudyAttrs(StudyId, AttributeKind, Attributes),
    CreateTrial(StudyId, Box<Trial>),
    TrialParam {
        trial: TrialId,
        name: String,
        param: Param,
    },
    TrialState(TrialId, StateChange),
    IntermediateValue {
        trial: TrialId,
        step: i64,
        value: f64,
    },
    /// 8 for users, 9 for the system.
    TrialAttrs(TrialId, AttributeKind, Attributes),
    /// 10, which only Rustuna writes, and Optuna passes over.
    Discard,
}

impl Record {
    /// The line, without its end, as Optuna writes it.
    pub(super) fn to_line(&self, worker: &str) -> String {
        let (op, fields) = self.fields();
        let mut line = IndexMap::new();
        line.insert("op_code".to_owned(), Json::Int(op));
        line.insert("worker_id".to_owned(), worker.into());
        for (name, value) in fields {
            line.insert(name.to_owned(), value);
        }
        Json::Map(line).written(Style::Compact)
    }

    /// Whether it is worth a wait for the disk: the end of a trial, and all of a study.
    pub(super) fn is_lasting(&self) -> bool {
        match self {
            Self::CreateStudy { .. } | Self::DeleteStudy(_) | Self::StudyAttrs(..) => true,
            Self::CreateTrial(_, trial) => trial.state.is_finished(),
            Self::TrialState(_, change) => change.state.is_finished(),
            _ => false,
        }
    }

    fn fields(&self) -> (i64, Vec<(&'static str, Json)>) {
        match self {
            Self::CreateStudy { name, directions } => {
                let directions = directions.iter().map(|direction| match direction {
                    Direction::Minimize => 1,
                    Direction::Maximize => 2,
                });
                let directions: Vec<i64> = directions.collect();
                (
                    0,
                    vec![
                        ("study_name", name.as_str().into()),
                        ("directions", directions.into()),
                    ],
                )
            }
            Self::DeleteStudy(study) => (1, vec![("study_id", study.0.into())]),
            Self::StudyAttrs(study, kind, attrs) => {
                let (op, field) = match kind {
                    AttributeKind::User => (2, "user_attr"),
                    AttributeKind::System => (3, "system_attr"),
                };
                let attrs = Json::Map(attrs.clone());
                (op, vec![("study_id", study.0.into()), (field, attrs)])
            }
            Self::CreateTrial(study, template) => (4, trial_fields(*study, template)),
            Self::TrialParam { trial, name, param } => (
                5,
                vec![
                    ("trial_id", trial.0.into()),
                    ("param_name", name.as_str().into()),
                    ("param_value_internal", internal(param)),
                    ("distribution", param.distribution.to_json().into()),
                ],
            ),
            Self::TrialState(trial, change) => {
                let mut fields = vec![
                    ("trial_id", trial.0.into()),
                    ("state", code(change.state).into()),
                    ("values", change.values.clone().into()),
                ];
                let time = change.time.map(time::for_journal);
                if change.state == TrialState::Running {
                    fields.push(("datetime_start", time.into()));
                } else if change.state.is_finished() {
                    fields.push(("datetime_complete", time.into()));
                }
                (6, fields)
            }
            Self::IntermediateValue { trial, step, value } => (
                7,
                vec![
                    ("trial_id", trial.0.into()),
                    ("step", (*step).into()),
                    ("intermediate_value", (*value).into()),
                ],
            ),
            Self::TrialAttrs(trial, kind, attrs) => {
                let (op, field) = match kind {
                    AttributeKind::User => (8, "user_attr"),
                    AttributeKind::System => (9, "system_attr"),
                };
                let attrs = Json::Map(attrs.clone());
                (op, vec![("trial_id", trial.0.into()), (field, attrs)])
            }
            Self::Discard => (10, Vec::new()),
        }
    }

    /// Reads a line. Times without an offset, as Optuna 4 wrote them, are in `zone`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(line: &str, zone: &TimeZone) -> Result<Self, String> {
        let json = strata_json::parse(line).map_err(|error| {
            format!(
                "the line is no JSON ({error}); if a process was killed while it wrote this line, remove it"
            )
        })?;
        let fields = Fields { json: &json, zone };
        let op = fields.whole("op_code")?;
        let study = || fields.whole("study_id").map(StudyId);
        let trial = || fields.whole("trial_id").map(TrialId);
        Ok(match op {
            0 => Self::CreateStudy {
                name: fields.text("study_name")?.to_owned(),
                directions: fields.directions()?,
            },
            1 => Self::DeleteStudy(study()?),
            2 => Self::StudyAttrs(study()?, AttributeKind::User, fields.map("user_attr")?),
            3 => Self::StudyAttrs(study()?, AttributeKind::System, fields.map("system_attr")?),
            4 => Self::CreateTrial(study()?, Box::new(fields.template()?)),
            5 => Self::TrialParam {
                trial: trial()?,
                name: fields.text("param_name")?.to_owned(),
                param: Param {
                    distribution: Arc::new(distribution(fields.text("distribution")?)?),
                    internal: fields.number("param_value_internal")?,
                },
            },
            6 => {
                let state = fields.state()?;
                let time = match state {
                    TrialState::Running => fields.time("datetime_start")?,
                    _ if state.is_finished() => fields.time("datetime_complete")?,
                    _ => None,
                };
                let values = fields.values()?;
                Self::TrialState(
                    trial()?,
                    StateChange {
                        state,
                        values,
                        time,
                    },
                )
            }
            7 => Self::IntermediateValue {
                trial: trial()?,
                step: fields.whole("step")?,
                value: fields.number("intermediate_value")?,
            },
            8 => Self::TrialAttrs(trial()?, AttributeKind::User, fields.map("user_attr")?),
            9 => Self::TrialAttrs(trial()?, AttributeKind::System, fields.map("system_attr")?),
            10 => Self::Discard,
            other => {
                return Err(format!(
                    "the operation {other} is not known here; known are those of Optuna 5, 0 to 10"
                ));
            }
        })
    }
}

fn trial_fields(study: StudyId, template: &Trial) -> Vec<(&'static str, Json)> {
    let start = template.started.map(time::for_journal);
    let mut fields = vec![
        ("study_id", study.0.into()),
        ("datetime_start", start.into()),
    ];
    let blank = Trial {
        id: template.id,
        number: template.number,
        started: template.started,
        ..Trial::new(TrialState::Running)
    };
    if *template == blank {
        return fields;
    }
    let (value, values) = match template.values[..] {
        [] => (Json::Null, Json::Null),
        [value] => (Json::Float(value), Json::Null),
        _ => (Json::Null, template.values.clone().into()),
    };
    let params = template.params.iter();
    let distributions = params
        .clone()
        .map(|(name, param)| (name.clone(), param.distribution.to_json().into()));
    let params = params.map(|(name, param)| (name.clone(), internal(param)));
    let reported = template.intermediate_values.iter();
    let reported = reported.map(|(step, value)| (step.to_string(), Json::Float(*value)));
    fields.push(("state", code(template.state).into()));
    fields.push(("value", value));
    fields.push(("values", values));
    if let Some(completed) = template.completed {
        fields.push(("datetime_complete", time::for_journal(completed).into()));
    }
    fields.push(("distributions", Json::Map(distributions.collect())));
    fields.push(("params", Json::Map(params.collect())));
    fields.push(("user_attrs", Json::Map(template.user_attrs.clone())));
    fields.push(("system_attrs", Json::Map(template.system_attrs.clone())));
    fields.push(("intermediate_values", Json::Map(reported.collect())));
    fields
}

/// The index of a choice is a whole number, as Optuna uses it to index a list.
fn internal(param: &Param) -> Json {
    match *param.distribution {
        Distribution::Categorical { .. } => Json::Int(param.internal as i64),
        _ => Json::Float(param.internal),
    }
}

fn code(state: TrialState) -> i64 {
    let place = TrialState::ALL.iter().position(|other| *other == state);
    place.expect("all states are in the list of all") as i64
}

fn distribution(json: &str) -> Result<Distribution, String> {
    Distribution::from_json(json).map_err(|error| error.to_string())
}

/// The fields of a line.
#[derive(Clone, Copy)]
struct Fields<'a> {
    json: &'a Json,
    zone: &'a TimeZone,
}

fn of_kind<T>(name: &str, value: Option<T>, kind: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("`{name}` is missing, or not {kind}; is this a journal of Optuna?"))
}

impl<'a> Fields<'a> {
    /// The field, if it is there and not null.
    fn get(&self, name: &str) -> Option<&'a Json> {
        self.json.get(name).filter(|value| **value != Json::Null)
    }

    fn whole(&self, name: &str) -> Result<i64, String> {
        let value = self.get(name).and_then(Json::as_i64);
        of_kind(name, value, "a whole number")
    }

    fn number(&self, name: &str) -> Result<f64, String> {
        let value = self.get(name).and_then(Json::as_f64);
        of_kind(name, value, "a number")
    }

    fn text(&self, name: &str) -> Result<&'a str, String> {
        let value = self.get(name).and_then(Json::as_str);
        of_kind(name, value, "a text")
    }

    fn map(&self, name: &str) -> Result<Attributes, String> {
        let value = self.get(name).and_then(Json::as_map);
        of_kind(name, value.cloned(), "an object")
    }

    /// Empty if it is not there.
    fn optional_map(&self, name: &str) -> Result<Attributes, String> {
        match self.get(name) {
            Some(_) => self.map(name),
            None => Ok(Attributes::new()),
        }
    }

    fn time(&self, name: &str) -> Result<Option<Timestamp>, String> {
        let Some(_) = self.get(name) else {
            return Ok(None);
        };
        let time = time::parse(self.text(name)?, self.zone);
        of_kind(name, time, "a time").map(Some)
    }

    fn state(&self) -> Result<TrialState, String> {
        let code = self.whole("state")?;
        let state = usize::try_from(code)
            .ok()
            .and_then(|code| TrialState::ALL.get(code));
        of_kind("state", state.copied(), "one of the states 0 to 4")
    }

    fn directions(&self) -> Result<Vec<Direction>, String> {
        let list = self.get("directions").and_then(Json::as_list);
        let list = of_kind("directions", list, "a list")?;
        let direction = |code: &Json| match code.as_i64() {
            // 0: nobody has said, as in the oldest of Optuna's journals.
            Some(0 | 1) => Some(Direction::Minimize),
            Some(2) => Some(Direction::Maximize),
            _ => None,
        };
        let directions = list.iter().map(direction).collect();
        of_kind("directions", directions, "a list of 1 and 2")
    }

    fn values(&self) -> Result<Option<Vec<f64>>, String> {
        let Some(values) = self.get("values") else {
            return Ok(None);
        };
        let numbers = |list: &[Json]| list.iter().map(Json::as_f64).collect();
        let values = values.as_list().and_then(numbers);
        of_kind("values", values, "a list of numbers").map(Some)
    }

    fn template(&self) -> Result<Trial, String> {
        let state = match self.get("state") {
            Some(_) => self.state()?,
            None => TrialState::Running,
        };
        let values = match self.get("value") {
            Some(_) => vec![self.number("value")?],
            None => self.values()?.unwrap_or_default(),
        };
        Ok(Trial {
            values,
            params: self.params()?,
            intermediate_values: self
                .optional_map("intermediate_values")?
                .iter()
                .map(|(step, value)| Some((step.parse().ok()?, value.as_f64()?)))
                .collect::<Option<_>>()
                .ok_or("`intermediate_values` are not numbers by step")?,
            user_attrs: self.optional_map("user_attrs")?,
            system_attrs: self.optional_map("system_attrs")?,
            started: self.time("datetime_start")?,
            completed: self.time("datetime_complete")?,
            ..Trial::new(state)
        })
    }

    fn params(&self) -> Result<IndexMap<String, Param>, String> {
        let distributions = self.optional_map("distributions")?;
        let mut params = IndexMap::new();
        for (name, value) in self.optional_map("params")? {
            let json = distributions.get(&name).and_then(Json::as_str);
            let json = json.ok_or_else(|| format!("the parameter `{name}` has no distribution"))?;
            let internal = value.as_f64();
            let internal = internal.ok_or_else(|| format!("`{name}` has no number"))?;
            let distribution = Arc::new(distribution(json)?);
            params.insert(
                name,
                Param {
                    distribution,
                    internal,
                },
            );
        }
        Ok(params)
    }
}
