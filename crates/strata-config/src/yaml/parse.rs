//! A text of YAML as nodes with places.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use libyaml_safer::{Event, EventData, MappingStyle, Mark, Parser, ScalarStyle, SequenceStyle};
use strata_diag::{Source, Span};

use super::scalar;
use crate::error::ConfigError;
use crate::node::{Key, Map, Node, Value};

/// Deeper than any configuration, shallower than the stack.
const DEEPEST: usize = 200;

/// Aliases are copies, and a few lines of aliases to aliases would fill any memory.
const MOST_COPIED_NODES: usize = 1_000_000;

/// Reads one document from a text, which errors call `name`.
///
/// # Errors
/// As for [`from_yaml`].
pub fn from_named_yaml(name: &str, text: &str) -> Result<Node, ConfigError> {
    from_yaml(&Source::new(name, text))
}

/// Reads one document; an empty one is null.
///
/// # Errors
/// What `PyYAML`'s safe loader refuses: bad syntax, duplicate keys, unknown tags, several documents.
pub fn from_yaml(source: &Arc<Source>) -> Result<Node, ConfigError> {
    if let Some(at) = source
        .text
        .find(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{85}'))
    {
        let span = Span::new(source, at..at + 1);
        return Err(ConfigError::at(
            "a control character is not allowed in YAML",
            Some(&span),
            "here",
        ));
    }
    let mut bytes = source.text.as_bytes();
    let mut parser = Parser::new();
    // Left to guess, the parser takes any first byte 0xEF for a damaged byte order mark; told the
    // encoding, it does not pass over a whole one.
    if !source.text.starts_with('\u{feff}') {
        parser.set_encoding(libyaml_safer::Encoding::Utf8);
    }
    parser.set_input_string(&mut bytes);
    let mut composer = Composer {
        parser,
        source,
        anchors: HashMap::new(),
        anchor_names: HashSet::new(),
        flow_depth: 0,
        copied_nodes: 0,
        read_to: 0,
        quoted: Vec::new(),
    };
    let root = composer.document()?;
    refuse_tabs(source, &composer.quoted)?;
    Ok(root)
}

/// `PyYAML` takes a tab only in comments, in quotes and in block scalars; the parser here is more lenient.
fn refuse_tabs(source: &Arc<Source>, quoted: &[Range<usize>]) -> Result<(), ConfigError> {
    let text = source.text.as_str();
    let is_quoted = |at: usize| quoted.iter().any(|range| range.contains(&at));
    let is_comment = |at: usize| {
        let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let marks = text[line..at].match_indices('#');
        let mut marks = marks.map(|(offset, _)| line + offset);
        marks.any(|mark| !is_quoted(mark) && (mark == line || text[..mark].ends_with([' ', '\t'])))
    };
    let tab = text
        .match_indices('\t')
        .map(|(at, _)| at)
        .find(|at| !is_quoted(*at) && !is_comment(*at));
    let Some(at) = tab else {
        return Ok(());
    };
    let span = Span::new(source, at..at + 1);
    Err(invalid("a tab cannot start any token", &span).help("use spaces"))
}

/// A text that is no YAML; the place stands in words, too, as `PyYAML` says it.
fn invalid(problem: &str, span: &Span) -> ConfigError {
    refused(&format!("invalid YAML: {problem}"), span, "here")
}

/// A text that is refused at a place, which stands in words, too, as `PyYAML` says it.
fn refused(title: &str, span: &Span, label: &str) -> ConfigError {
    let (line, column) = span.line_and_column();
    ConfigError::at(title, Some(span), label).note(format!(
        "in \"{}\", line {line}, column {column}",
        span.source().name
    ))
}

struct Composer<'a, 'b> {
    parser: Parser<&'a mut &'b [u8]>,
    source: &'a Arc<Source>,
    /// The anchors whose values are complete.
    anchors: HashMap<String, Node>,
    /// All anchors so far.
    anchor_names: HashSet<String>,
    /// How many flow collections are open.
    flow_depth: usize,
    copied_nodes: usize,
    /// Where the last event ended.
    read_to: usize,
    /// Where quoted and block scalars stand.
    quoted: Vec<Range<usize>>,
}

impl Composer<'_, '_> {
    fn document(&mut self) -> Result<Node, ConfigError> {
        self.next()?;
        let start = self.next()?;
        if matches!(start.data, EventData::StreamEnd) {
            return Ok(Node::at(Value::Null, Some(Span::new(self.source, 0..0))));
        }
        let first = self.next()?;
        let root = self.node(first, 0)?;
        self.next()?;
        let end = self.next()?;
        if !matches!(end.data, EventData::StreamEnd) {
            return Err(self.error(
                "expected a single document",
                &end,
                "a second one begins here",
            ));
        }
        Ok(root)
    }

    fn next(&mut self) -> Result<Event, ConfigError> {
        // libyaml-safer 0.3 panics on some damaged tags: `[!,` and a `!` at the end of the file. The parser is not
        // used again after an error.
        let parser = AssertUnwindSafe(&mut self.parser);
        let Ok(parsed) = catch_unwind(move || { parser }.parse()) else {
            let end = self.read_to.min(self.source.text.len());
            let title = "this cannot be read, perhaps for a damaged tag behind it";
            return Err(invalid(title, &Span::new(self.source, end..end)));
        };
        if let Ok(event) = &parsed {
            self.read_to = event.end_mark.index as usize;
        }
        parsed.map_err(|error| {
            let mark = error.problem_mark().unwrap_or_default();
            // What is missing at the end of the file is shown behind the last word of it.
            let at = (mark.index as usize).min(self.source.text.trim_end().len());
            let title = match error.context() {
                Some(context) => format!("{context}: {}", error.problem()),
                None => error.problem().to_owned(),
            };
            let text = &self.source.text;
            let error = invalid(&title, &Span::new(self.source, at..at + 1));
            if text[..at].ends_with('\t') || text[at..].starts_with('\t') {
                error.help("indent with spaces, not with tabs")
            } else {
                error
            }
        })
    }

    fn node(&mut self, event: Event, depth: usize) -> Result<Node, ConfigError> {
        if depth > DEEPEST {
            return Err(self.error("the document is nested too deeply", &event, "here"));
        }
        let anchor = match &event.data {
            EventData::Alias { anchor } => {
                let Some(known) = self.anchors.get(anchor) else {
                    let title = format!("there is no anchor `&{anchor}` before this alias");
                    return Err(self.error(&title, &event, "here"));
                };
                self.copied_nodes += node_count(known);
                if self.copied_nodes > MOST_COPIED_NODES {
                    return Err(self.error(
                        "the aliases of this document copy too much",
                        &event,
                        "here",
                    ));
                }
                return Ok(known.clone());
            }
            EventData::Scalar { anchor, .. }
            | EventData::SequenceStart { anchor, .. }
            | EventData::MappingStart { anchor, .. } => anchor.clone(),
            _ => return Err(self.error("expected a value", &event, "here")),
        };
        if let Some(anchor) = &anchor
            && !self.anchor_names.insert(anchor.clone())
        {
            let title = format!("found duplicate anchor `&{anchor}`");
            return Err(self.error(&title, &event, "given again here"));
        }
        let node = match &event.data {
            EventData::Scalar {
                tag,
                value,
                style,
                plain_implicit,
                ..
            } => {
                let plain = *style == ScalarStyle::Plain && *plain_implicit;
                if *style != ScalarStyle::Plain {
                    let range = event.start_mark.index as usize..event.end_mark.index as usize;
                    if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                        self.check_block_header(&range)?;
                    }
                    self.quoted.push(range);
                }
                if *style == ScalarStyle::Plain && self.flow_depth > 0 && value.contains('?') {
                    let problem = "`?` cannot stand in a text without quotes between brackets";
                    return Err(self.error(&format!("invalid YAML: {problem}"), &event, "here"));
                }
                let value = self.scalar(&event, tag.as_deref(), value, plain)?;
                Node::at(value, Some(self.span(event.start_mark, event.end_mark)))
            }
            EventData::SequenceStart { tag, style, .. } => {
                self.check_collection_tag(&event, tag.as_deref(), "tag:yaml.org,2002:seq")?;
                let is_flow = usize::from(*style == SequenceStyle::Flow);
                self.flow_depth += is_flow;
                let node = self.sequence(event.start_mark, depth)?;
                self.flow_depth -= is_flow;
                node
            }
            EventData::MappingStart { tag, style, .. } => {
                self.check_collection_tag(&event, tag.as_deref(), "tag:yaml.org,2002:map")?;
                let is_flow = usize::from(*style == MappingStyle::Flow);
                self.flow_depth += is_flow;
                let node = self.mapping(event.start_mark, depth)?;
                self.flow_depth -= is_flow;
                node
            }
            _ => return Err(self.error("expected a value", &event, "here")),
        };
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// Only the tag that a collection has by itself changes nothing.
    fn check_collection_tag(
        &self,
        event: &Event,
        tag: Option<&str>,
        own: &str,
    ) -> Result<(), ConfigError> {
        match tag {
            Some(tag) if tag != "!" && tag != own => Err(self.error(
                &format!("the tag `{tag}` does not fit what follows it"),
                event,
                "here",
            )),
            _ => Ok(()),
        }
    }

    /// `PyYAML` wants a blank between the indicators of a block scalar and a comment.
    fn check_block_header(&self, scalar: &Range<usize>) -> Result<(), ConfigError> {
        let text = self.source.text.get(scalar.clone()).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        let header = line
            .split([' ', '\t'])
            .find(|word| word.starts_with(['|', '>']));
        if !header.is_some_and(|header| header.contains('#')) {
            return Ok(());
        }
        let span = Span::new(self.source, scalar.start..scalar.start + line.len());
        let problem = "expected chomping or indentation indicators, but found `#`";
        Err(invalid(problem, &span))
    }

    fn scalar(
        &self,
        event: &Event,
        tag: Option<&str>,
        text: &str,
        plain: bool,
    ) -> Result<Value, ConfigError> {
        let wrong = |what: &str| self.error(&format!("`{text}` is not {what}"), event, "here");
        match tag {
            Some("!") => Ok(scalar::resolve(text)),
            None if plain => match text {
                "=" | "<<" => Err(wrong("a value in YAML 1.1; quote it")),
                text if scalar::is_prefix_without_digits(text) => {
                    Err(wrong("an integer; quote it"))
                }
                _ => Ok(scalar::resolve(text)),
            },
            None | Some("tag:yaml.org,2002:str") => Ok(Value::Str(text.to_owned())),
            Some("tag:yaml.org,2002:null") => Ok(Value::Null),
            Some("tag:yaml.org,2002:bool") => {
                scalar::tagged_bool(text).ok_or_else(|| wrong("a boolean"))
            }
            Some("tag:yaml.org,2002:int") => {
                scalar::tagged_int(text).ok_or_else(|| wrong("an integer"))
            }
            Some("tag:yaml.org,2002:float") => {
                scalar::tagged_float(text).ok_or_else(|| wrong("a float"))
            }
            Some(tag) => Err(self.error(
                &format!("could not determine a constructor for the tag `{tag}`"),
                event,
                "here",
            )),
        }
    }

    fn sequence(&mut self, start: Mark, depth: usize) -> Result<Node, ConfigError> {
        let mut items = Vec::new();
        loop {
            let event = self.next()?;
            if matches!(event.data, EventData::SequenceEnd) {
                return Ok(Node::at(
                    Value::List(items),
                    Some(self.span(start, event.end_mark)),
                ));
            }
            items.push(self.node(event, depth + 1)?);
        }
    }

    fn mapping(&mut self, start: Mark, depth: usize) -> Result<Node, ConfigError> {
        let mut own = Map::new();
        let mut merged: Vec<Map> = Vec::new();
        loop {
            let event = self.next()?;
            if matches!(event.data, EventData::MappingEnd) {
                let span = self.span(start, event.end_mark);
                return Ok(Node::at(Value::Map(with_merged(own, merged)), Some(span)));
            }
            let is_merge = matches!(&event.data, EventData::Scalar { value, style: ScalarStyle::Plain, .. } if value == "<<");
            let (key_start, key_end) = (event.start_mark, event.end_mark);
            if is_merge {
                let event = self.next()?;
                merged.extend(self.merge_sources(event, depth)?);
                continue;
            }
            let key_span = self.span(key_start, key_end);
            // As a key the sign of YAML 1.1's default value is a text.
            let is_equals = matches!(&event.data, EventData::Scalar { value, style: ScalarStyle::Plain, tag: None, .. } if value == "=");
            let key_node = if is_equals {
                Node::new(Value::Str("=".to_owned()))
            } else {
                self.node(event, depth + 1)?
            };
            let key = Self::key(key_node, &key_span)?;
            if let (Key::Str(text), Some(before)) = (&key, own.get(&key)) {
                let title = format!("found duplicate key {text}");
                let error = refused(&title, &key_span, "given again here");
                return Err(match &before.origin {
                    Some(span) => error.and_at(span, "first given here"),
                    None => error,
                });
            }
            let event = self.next()?;
            let mut value = self.node(event, depth + 1)?;
            value.origin = value.origin.map(|span| whole_entry(&key_span, &span));
            // Of keys that Python takes for one (`1` and `true`) the first stays, with the last value.
            let known = match &key {
                Key::Str(_) => None,
                key => own
                    .keys()
                    .find(|known| known.equals_in_python(key))
                    .cloned(),
            };
            own.insert(known.unwrap_or(key), value);
        }
    }

    fn key(node: Node, span: &Span) -> Result<Key, ConfigError> {
        Ok(match node.value {
            Value::Str(text) => Key::Str(text),
            Value::Int(number) => Key::Int(number),
            Value::BigInt(digits) => Key::BigInt(digits),
            Value::Float(number) => Key::Float(number.to_bits()),
            Value::Bool(truth) => Key::Bool(truth),
            _ => {
                let title = format!(
                    "a key must be a string, a number or a boolean, not {}",
                    node.kind()
                );
                return Err(ConfigError::at(title, Some(span), "this key"));
            }
        })
    }

    fn merge_sources(&mut self, event: Event, depth: usize) -> Result<Vec<Map>, ConfigError> {
        let span = self.span(event.start_mark, event.end_mark);
        let node = self.node(event, depth + 1)?;
        let refused = || {
            ConfigError::at(
                "expected a mapping or a list of mappings to merge",
                Some(&span),
                "here",
            )
        };
        match node.value {
            Value::Map(map) => Ok(vec![map]),
            // Of a list the first wins.
            Value::List(items) => items
                .into_iter()
                .rev()
                .map(|item| {
                    if let Value::Map(map) = item.value {
                        Ok(map)
                    } else {
                        Err(refused())
                    }
                })
                .collect(),
            _ => Err(refused()),
        }
    }

    fn span(&self, start: Mark, end: Mark) -> Span {
        let range: Range<usize> = start.index as usize..end.index as usize;
        let trimmed = self
            .source
            .text
            .get(range.clone())
            .map_or(range.end, |text| range.start + text.trim_end().len());
        Span::new(self.source, range.start..trimmed)
    }

    fn error(&self, title: &str, event: &Event, label: &str) -> ConfigError {
        refused(title, &self.span(event.start_mark, event.end_mark), label)
    }
}

fn node_count(node: &Node) -> usize {
    match &node.value {
        Value::Map(map) => 1 + map.values().map(node_count).sum::<usize>(),
        Value::List(items) => 1 + items.iter().map(node_count).sum::<usize>(),
        _ => 1,
    }
}

/// From the key to the end of a value of one line; the key alone where the value is longer.
fn whole_entry(key: &Span, value: &Span) -> Span {
    let end = value.range().end;
    let one_line = key
        .source()
        .text
        .get(key.range().start..end)
        .is_some_and(|text| !text.contains('\n'));
    if one_line {
        Span::new(key.source(), key.range().start..end)
    } else {
        key.clone()
    }
}

/// Merged keys come first, as `PyYAML` puts them; later sources win over earlier, the mapping's own keys
/// over all.
fn with_merged(own: Map, merged: Vec<Map>) -> Map {
    if merged.is_empty() {
        return own;
    }
    let mut result = Map::new();
    for source in merged {
        result.extend(source);
    }
    result.extend(own);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Node, ConfigError> {
        from_yaml(&Source::new("a.yaml", text))
    }

    #[test]
    fn nodes_keep_their_places() {
        let root = parse("a:\n  b: [1, x]\n").expect("it parses");
        let place = |path: &str| {
            root.descend(path)
                .and_then(|node| node.origin.clone())
                .expect("a place")
                .to_string()
        };
        assert_eq!(place("a.b"), "a.yaml:2:3");
        assert_eq!(place("a.b.1"), "a.yaml:2:10");
    }

    #[test]
    fn duplicate_keys_name_both_places() {
        let error = parse("a: 1\nb: 2\na: 3\n")
            .expect_err("it is refused")
            .to_string();
        assert!(
            error.contains("a.yaml:3:1") && error.contains("first given here"),
            "{error}"
        );
    }

    #[test]
    fn merges_anchors_and_tags_are_understood() {
        let root =
            parse("base: &b {x: 1, y: 2}\nmine: {<<: *b, y: 3}\nz: !!str 12\n").expect("it parses");
        assert_eq!(
            root.descend("mine.x").map(|n| &n.value),
            Some(&Value::Int(1))
        );
        assert_eq!(
            root.descend("mine.y").map(|n| &n.value),
            Some(&Value::Int(3))
        );
        assert_eq!(
            root.descend("z").map(|n| &n.value),
            Some(&Value::Str("12".to_owned()))
        );
    }

    #[test]
    fn of_several_merges_the_last_wins_and_of_a_list_the_first() {
        let bases = "p: &p {x: 1}\nq: &q {x: 2}\n";
        let x = |rest: &str| {
            let root = parse(&format!("{bases}{rest}")).expect("it parses");
            root.descend("c.x").map(|node| node.value.clone())
        };
        assert_eq!(x("c:\n  <<: *p\n  <<: *q\n"), Some(Value::Int(2)));
        assert_eq!(x("c: {<<: [*p, *q]}\n"), Some(Value::Int(1)));
    }

    #[test]
    fn tags_convert_as_pyyaml_does() {
        for (text, value) in [
            ("!!int ' 7 '", Value::Int(7)),
            ("!!float 1_0e1_0", Value::Float(1e11)),
            ("!!float '1:30'", Value::Float(90.0)),
            ("!!bool YeS", Value::Bool(true)),
            ("! '12'", Value::Int(12)),
            (
                "0xffffffffffffffffffffffffffffffffff",
                Value::BigInt("87112285931760246646623899502532662132735".to_owned()),
            ),
        ] {
            let root = parse(&format!("a: {text}")).expect("it parses");
            assert_eq!(
                root.child("a").map(|node| &node.value),
                Some(&value),
                "{text}"
            );
        }
    }

    #[test]
    fn aliases_of_aliases_are_bounded() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let below = vec![format!("*a{}", level - 1); 10].join(",");
            let line = format!("a{level}: &a{level} [{below}]\n");
            text.push_str(&line);
        }
        assert!(
            parse(&text)
                .expect_err("it is refused")
                .to_string()
                .contains("copy too much")
        );
    }

    #[test]
    fn what_pyyaml_refuses_is_refused() {
        for text in [
            "a: b: c",
            "a:\n\tb: 1",
            "a: [1, 2",
            "a: 'x",
            "@x",
            "a: !foo 1",
            "a: *x",
            "a: 1\n---\nb: 2",
            "? [a]\n: 1",
            "a: [b?c]",
            "a: {b: c?}",
            "a: &x 1\nb: &x 2",
            "a: 0x_",
            "a: !!map [b]",
            "a: >#b",
            "a: <<",
            "a: b\tc",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
