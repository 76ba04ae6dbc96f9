//! A line's event: which one its key says, and what that holds.

use super::LineError;
use super::json;
use super::media::read_fields;
use super::object::{Object, text, whole};
use crate::{Alert, Event, Init, Logged, MetricDefinition, Update, Value};

/// What a line may be about.
const EVENTS: [&str; 12] = [
    "init",
    "log",
    "define_metric",
    "config",
    "summary",
    "hparams",
    "update",
    "print",
    "stderr",
    "alert",
    "purge_step",
    "finish",
];

/// Reads one line.
///
/// # Errors
/// If it is not JSON, not one of the events, or holds something of another type than it should.
pub fn parse_event(line: &str) -> Result<Event, LineError> {
    let mut object = match json::parse(line)? {
        Value::Map(fields) => Object::new("line", Value::Map(fields))?,
        _ => return Err(LineError::NotAnObject),
    };
    let found = EVENTS.into_iter().find_map(|event| {
        let value = object.take(event)?;
        Some((event, value))
    });
    let Some((event, value)) = found else {
        return Err(LineError::NoEvent {
            found: object.names(),
            known: &EVENTS,
        });
    };
    match event {
        "log" => return log(object, value),
        "hparams" => return hyper_parameters(object, value),
        _ => object.end(&[])?,
    }
    match event {
        "init" => init(value).map(Event::Init),
        "define_metric" => define_metric(value).map(Event::DefineMetric),
        "config" => fields("config", value).map(Event::Config),
        "summary" => fields("summary", value)
            .and_then(read_fields)
            .map(Event::Summary),
        "update" => update(value).map(Event::Update),
        "print" => text("print", value).map(Event::Print),
        "stderr" => text("stderr", value).map(Event::PrintError),
        "alert" => alert(value).map(Event::Alert),
        "purge_step" => whole("purge_step", &value).map(Event::PurgeStep),
        _ => finish(value),
    }
}

fn fields(place: &'static str, value: Value) -> Result<crate::Fields, LineError> {
    match value {
        Value::Map(fields) => Ok(fields),
        other => Err(LineError::wrong_type(place, "an object", &other)),
    }
}

fn log(mut line: Object, value: Value) -> Result<Event, LineError> {
    let logged = Logged {
        values: read_fields(fields("log", value)?)?,
        step: line.step("step")?,
        commit: line.flag("commit")?,
    };
    line.end(&["step", "commit"])?;
    Ok(Event::Log(logged))
}

fn hyper_parameters(mut line: Object, value: Value) -> Result<Event, LineError> {
    let hparams = fields("hparams", value)?;
    let metrics = line.fields("metrics")?;
    line.end(&["metrics"])?;
    Ok(Event::HyperParameters { hparams, metrics })
}

fn init(value: Value) -> Result<Init, LineError> {
    let mut object = Object::new("init", value)?;
    let init = Init {
        id: object.text("id")?,
        name: object.text("name")?,
        project: object.text("project")?,
        entity: object.text("entity")?,
        group: object.text("group")?,
        job_type: object.text("job_type")?,
        tags: object.texts("tags")?.unwrap_or_default(),
        notes: object.text("notes")?,
        config: object.fields("config")?,
        resume: object.text("resume")?,
    };
    object.end(&[
        "id", "name", "project", "entity", "group", "job_type", "tags", "notes", "config", "resume",
    ])?;
    Ok(init)
}

fn define_metric(value: Value) -> Result<MetricDefinition, LineError> {
    let mut object = Object::new("define_metric", value)?;
    let definition = MetricDefinition {
        name: object.required_text("name")?,
        step_metric: object.text("step_metric")?,
        hidden: object.flag("hidden")?.unwrap_or(false),
        summary: object.texts("summary")?.unwrap_or_default(),
    };
    object.end(&["name", "step_metric", "hidden", "summary"])?;
    Ok(definition)
}

fn update(value: Value) -> Result<Update, LineError> {
    let mut object = Object::new("update", value)?;
    let update = Update {
        name: object.text("name")?,
        tags: object.texts("tags")?,
        notes: object.text("notes")?,
    };
    object.end(&["name", "tags", "notes"])?;
    Ok(update)
}

fn alert(value: Value) -> Result<Alert, LineError> {
    let mut object = Object::new("alert", value)?;
    let alert = Alert {
        title: object.required_text("title")?,
        text: object.text("text")?.unwrap_or_default(),
        level: object.text("level")?.unwrap_or_else(|| "INFO".to_owned()),
    };
    object.end(&["title", "text", "level"])?;
    if !["INFO", "WARN", "ERROR"].contains(&alert.level.as_str()) {
        return Err(LineError::Invalid {
            place: "alert.level".to_owned(),
            problem: "it must be INFO, WARN or ERROR",
        });
    }
    Ok(alert)
}

fn finish(value: Value) -> Result<Event, LineError> {
    let mut object = Object::new("finish", value)?;
    let exit_code = match object.take("exit_code") {
        None => Some(0),
        Some(Value::Integer(code)) => i32::try_from(code).ok(),
        Some(_) => None,
    };
    object.end(&["exit_code"])?;
    let exit_code = exit_code.ok_or_else(|| LineError::Invalid {
        place: "finish.exit_code".to_owned(),
        problem: "it must be a whole number of 32 bits",
    })?;
    Ok(Event::Finish { exit_code })
}
