//! Values with their templates filled in.

use super::context::Scope;
use super::expression::{matches, whole};
use super::problem::TemplateProblem;
use super::text::{options_text, scalar_text, type_name};
use crate::value::{Key, Value};

/// How mappings in a command are written; the `parsing` section of DVC's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ParsingOptions {
    /// `parsing.bool`.
    pub bool_flags: BoolFlags,
    /// `parsing.list`.
    pub list_flags: ListFlags,
}

/// How truths become options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BoolFlags {
    /// `--flag`, or nothing.
    #[default]
    StoreTrue,
    /// `--flag` or `--no-flag`.
    BooleanOptional,
}

/// How lists become options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListFlags {
    /// `--list 1 2`.
    #[default]
    Nargs,
    /// `--list 1 --list 2`.
    Append,
}

/// What may be put in, which depends on the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Site {
    /// `cmd`: mappings become options.
    Command(ParsingOptions),
    /// Another key of a stage: scalars alone.
    Stage,
    /// `foreach`, `matrix`, and the sections at the top: whole values of any type.
    Anything,
}

/// The value with all templates filled in, keys included.
pub(super) fn resolve(
    scope: &Scope<'_>,
    site: Site,
    value: &Value,
) -> Result<Value, TemplateProblem> {
    match value {
        Value::Str(text) => resolve_text(scope, site, text),
        Value::List(items) => {
            let items = items.iter().map(|item| resolve(scope, site, item));
            Ok(Value::List(items.collect::<Result<_, _>>()?))
        }
        Value::Map(map) => {
            let entries = map.iter().map(|(key, value)| {
                let key = match key {
                    Key::Str(text) => as_key(resolve_text(scope, site, text)?)?,
                    _ => key.clone(),
                };
                Ok((key, resolve(scope, site, value)?))
            });
            Ok(Value::Map(entries.collect::<Result<_, _>>()?))
        }
        _ => Ok(value.clone()),
    }
}

/// The text with all templates filled in; a value of another type, if it is one template and nothing else.
pub(super) fn resolve_text(
    scope: &Scope<'_>,
    site: Site,
    text: &str,
) -> Result<Value, TemplateProblem> {
    let found = matches(text);
    if let Some(inner) = whole(text, &found) {
        let value = scope.select(inner)?;
        return match (site, &value) {
            // A command is a text or a list of them, so the options stand for themselves.
            (Site::Command(options), Value::Map(map)) => Ok(options_text(map, options)?.into()),
            (Site::Stage | Site::Command(_), Value::List(_) | Value::Map(_)) => {
                Err(not_scalar(&value))
            }
            _ => Ok(value),
        };
    }
    let mut filled = String::with_capacity(text.len());
    let mut at = 0;
    for template in &found {
        filled.push_str(&text[at..template.range.start]);
        match (site, scope.select(template.inner)?) {
            (Site::Command(options), Value::Map(map)) => {
                filled.push_str(&options_text(&map, options)?);
            }
            (_, value @ (Value::List(_) | Value::Map(_))) => return Err(not_scalar(&value)),
            (_, value) => filled.push_str(&scalar_text(&value)),
        }
        at = template.range.end;
    }
    filled.push_str(&text[at..]);
    Ok(Value::Str(filled.replace("\\${", "${")))
}

fn not_scalar(value: &Value) -> TemplateProblem {
    TemplateProblem::NotScalar {
        found: type_name(value),
    }
}

fn as_key(value: Value) -> Result<Key, TemplateProblem> {
    match value {
        Value::Str(text) => Ok(Key::Str(text)),
        Value::Int(number) => Ok(Key::Int(number)),
        Value::Bool(truth) => Ok(Key::Bool(truth)),
        Value::Float(number) => Ok(Key::Float(number.to_bits())),
        Value::Null => Ok(Key::Null),
        Value::List(_) | Value::Map(_) => Err(not_scalar(&value)),
    }
}
