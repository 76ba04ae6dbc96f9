//! `${…}`: references to other values and calls of resolvers.
//!
//! * [`template`] takes a text apart, [`resolve`] evaluates it against the tree, [`resolvers`] are the
//!   functions that can be called.

pub(crate) mod resolve;
pub(crate) mod resolvers;
pub(crate) mod template;

use strata_diag::Span;

use crate::error::ConfigError;
use crate::node::{Node, Value};

/// Refuses texts that cannot be resolved although nothing may use them, as `OmegaConf` does on loading.
pub(crate) fn check_interpolations(node: &Node) -> Result<(), ConfigError> {
    match &node.value {
        Value::Map(map) => map.values().try_for_each(check_interpolations),
        Value::List(items) => items.iter().try_for_each(check_interpolations),
        Value::Str(text) if text.contains("${") => {
            template::parse(text).map(drop).map_err(|malformed| {
                let title = format!("{} in `{text}`", malformed.what);
                let place = node
                    .origin
                    .as_ref()
                    .map(|origin| pointed(origin, text, malformed.at));
                ConfigError::at(title, place.as_ref(), "in this value")
            })
        }
        _ => Ok(()),
    }
}

/// The character of the source where the text is wrong, where the text stands there as it is.
fn pointed(origin: &Span, text: &str, at: usize) -> Span {
    match origin.text().find(text) {
        Some(start) => {
            let at = origin.range().start + start + at.min(text.len());
            Span::new(origin.source(), at..at + 1)
        }
        None => origin.clone(),
    }
}
