//! Typed values from a resolved tree, by serde, with errors that know the key and the place.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use strata_diag::{Span, closest};

use crate::error::ConfigError;
use crate::node::{Key, Node, Value};
use crate::python;

/// Reads a `T` out of a node that stands at `path`.
pub(crate) fn from_node<T: DeserializeOwned>(node: &Node, path: &str) -> Result<T, ConfigError> {
    let deserializer = NodeDeserializer {
        node,
        path: path.to_owned(),
    };
    T::deserialize(deserializer).map_err(|error| error.found_at(path, node).into_config_error())
}

impl Node {
    /// A typed value of the node at a dotted path below this one, for files that are not composed:
    /// interpolations stay texts. Errors are those of [`Composition::extract`](crate::Composition::extract).
    ///
    /// # Errors
    /// The path is not there, or the value does not fit the type.
    pub fn extract<T: DeserializeOwned>(&self, path: &str) -> Result<T, ConfigError> {
        match self.descend(path) {
            Some(node) => from_node(node, path),
            None => Err(self.error_at("", &format!("the key `{path}` is missing"), None)),
        }
    }

    /// A refusal of the value at a dotted path, which points at the place that set it, or at the nearest
    /// one above it.
    pub fn error_at(&self, path: &str, title: &str, help: Option<&str>) -> ConfigError {
        let mut place = path;
        let origin = loop {
            match self.descend(place).and_then(|node| node.origin.as_ref()) {
                Some(origin) => break Some(origin),
                None => match place.rsplit_once('.') {
                    Some((above, _)) => place = above,
                    None => break None,
                },
            }
        };
        let error = ConfigError::at(title, origin, "this value");
        match help {
            Some(help) => error.help(help),
            None => error,
        }
    }
}

/// What serde reports, and the place once it is known.
#[derive(Debug)]
struct Refusal {
    what: What,
    place: Option<(String, Option<Span>)>,
}

#[derive(Debug)]
enum What {
    UnknownKey {
        key: String,
        known: &'static [&'static str],
    },
    MissingKey(&'static str),
    UnknownChoice {
        choice: String,
        known: &'static [&'static str],
    },
    Wrong(String),
}

impl Refusal {
    fn new(what: What) -> Self {
        Self { what, place: None }
    }

    fn found_at(mut self, path: &str, node: &Node) -> Self {
        self.place
            .get_or_insert_with(|| (path.to_owned(), node.origin.clone()));
        self
    }

    fn into_config_error(self) -> ConfigError {
        let (path, origin) = self.place.unwrap_or_default();
        let below = |key: &str| {
            if path.is_empty() {
                key.to_owned()
            } else {
                format!("{path}.{key}")
            }
        };
        match self.what {
            What::UnknownKey { key, known } => {
                let of = if path.is_empty() {
                    "the configuration".to_owned()
                } else {
                    format!("`{path}`")
                };
                let title = format!("`{}` is not a key of {of}", below(&key));
                let error = ConfigError::at(title, origin.as_ref(), "unknown key");
                let error = match closest(&key, known.iter().copied()) {
                    Some(meant) => error.help(format!("did you mean `{}`?", below(meant))),
                    None => error,
                };
                error.note(format!("keys of {of}: {}", known.join(", ")))
            }
            What::MissingKey(key) => {
                let title = format!("the key `{}` is missing", below(key));
                let error = ConfigError::at(
                    title,
                    origin.map(|span| first_line(&span)).as_ref(),
                    "it belongs here",
                );
                error.help(format!(
                    "add it to the file, or type `+{}=VALUE`",
                    below(key)
                ))
            }
            What::UnknownChoice { choice, known } => {
                let title = format!("`{path}` cannot be `{choice}`");
                let error = ConfigError::at(title, origin.as_ref(), "no such choice");
                let error = match closest(&choice, known.iter().copied()) {
                    Some(meant) => error.help(format!("did you mean `{meant}`?")),
                    None => error,
                };
                error.note(format!("choices: {}", known.join(", ")))
            }
            What::Wrong(problem) => ConfigError::at(
                format!("`{path}` is wrong: {problem}"),
                origin.as_ref(),
                "this value",
            ),
        }
    }
}

/// A mapping of many lines is shown by its first one.
fn first_line(span: &Span) -> Span {
    let range = span.range();
    let len = span.text().find('\n').unwrap_or(range.len());
    Span::new(span.source(), range.start..range.start + len)
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.what)
    }
}

impl std::error::Error for Refusal {}

impl de::Error for Refusal {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(What::Wrong(message.to_string()))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(What::UnknownKey {
            key: field.to_owned(),
            known: expected,
        })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(What::MissingKey(field))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(What::UnknownChoice {
            choice: variant.to_owned(),
            known: expected,
        })
    }

    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(What::Wrong(format!(
            "it must be {}, not {}",
            wanted(expected),
            found(unexpected)
        )))
    }

    fn invalid_value(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }
}

/// serde's names of Rust's types in the user's words.
fn wanted(expected: &dyn de::Expected) -> String {
    match expected.to_string().as_str() {
        "u8" | "u16" | "u32" | "u64" | "usize" => "an integer of at least 0".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "an integer".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "path string" => "a path".to_owned(),
        "a sequence" => "a list".to_owned(),
        other if other.starts_with("struct ") => "a mapping".to_owned(),
        other => other.to_owned(),
    }
}

fn found(unexpected: de::Unexpected<'_>) -> String {
    match unexpected {
        de::Unexpected::Str(text) => format!("the string `{text}`"),
        de::Unexpected::Unit | de::Unexpected::Option => "null".to_owned(),
        de::Unexpected::Map => "a mapping".to_owned(),
        de::Unexpected::Seq => "a list".to_owned(),
        de::Unexpected::Float(number) => format!("the float `{}`", python::float_repr(number)),
        other => other.to_string(),
    }
}

struct NodeDeserializer<'a> {
    node: &'a Node,
    path: String,
}

impl<'de> de::Deserializer<'de> for NodeDeserializer<'_> {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let Self { node, path } = self;
        let result = match &node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(truth) => visitor.visit_bool(*truth),
            Value::Int(number) => match u64::try_from(*number) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_i64(*number),
            },
            Value::BigInt(digits) => Err(de::Error::custom(format!(
                "`{digits}` is too large an integer"
            ))),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Str(_) if node.is_missing() => {
                Err(de::Error::custom("a value must be given, it is `???`"))
            }
            Value::Str(text) => visitor.visit_str(text),
            Value::Map(map) => {
                let entries: Vec<(&Key, &Node)> = map.iter().collect();
                visitor.visit_map(Entries {
                    rest: entries.into_iter(),
                    value: None,
                    path: &path,
                })
            }
            Value::List(items) => visitor.visit_seq(Items {
                rest: items.iter().enumerate(),
                path: &path,
            }),
        };
        result.map_err(|refusal| refusal.found_at(&path, node))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// A number typed where a text is wanted is its text: `logging.wandb.project=2026`.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.node.value {
            Value::Int(_) | Value::BigInt(_) | Value::Float(_) => {
                visitor.visit_string(python::str_of(self.node))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let Self { node, path } = self;
        let text = python::str_of(node);
        visitor
            .visit_enum(Choice(&text))
            .map_err(|refusal| refusal.found_at(&path, node))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Entries<'a, I> {
    rest: I,
    value: Option<(&'a Key, &'a Node)>,
    path: &'a str,
}

impl<'a, 'de, I: Iterator<Item = (&'a Key, &'a Node)>> MapAccess<'de> for Entries<'a, I> {
    type Error = Refusal;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refusal> {
        let Some((key, node)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some((key, node));
        let text = key.to_string();
        let key: StrDeserializer<'_, Refusal> = text.as_str().into_deserializer();
        // An unknown key belongs to the mapping, but the place to show is that of the key.
        seed.deserialize(key)
            .map(Some)
            .map_err(|refusal| refusal.found_at(self.path, node))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refusal> {
        let (key, node) = self.value.take().expect("serde asks for the key first");
        let path = if self.path.is_empty() {
            key.to_string()
        } else {
            format!("{}.{key}", self.path)
        };
        seed.deserialize(NodeDeserializer {
            node,
            path: path.clone(),
        })
        .map_err(|refusal| refusal.found_at(&path, node))
    }
}

struct Items<'a, I> {
    rest: I,
    path: &'a str,
}

impl<'a, 'de, I: Iterator<Item = (usize, &'a Node)>> SeqAccess<'de> for Items<'a, I> {
    type Error = Refusal;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Refusal> {
        let Some((index, node)) = self.rest.next() else {
            return Ok(None);
        };
        let path = format!("{}.{index}", self.path);
        seed.deserialize(NodeDeserializer {
            node,
            path: path.clone(),
        })
        .map(Some)
        .map_err(|refusal| refusal.found_at(&path, node))
    }
}

/// The name of an enum's variant.
struct Choice<'a>(&'a str);

impl<'de> EnumAccess<'de> for Choice<'_> {
    type Error = Refusal;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Refusal> {
        let name: StrDeserializer<'_, Refusal> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'_> {
    type Error = Refusal;

    fn unit_variant(self) -> Result<(), Refusal> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Refusal> {
        Err(de::Error::custom("a choice with a value is not supported"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Refusal> {
        Err(de::Error::custom("a choice with values is not supported"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Refusal> {
        Err(de::Error::custom("a choice with keys is not supported"))
    }
}
