//! A text of YAML as nodes with places.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use strata_diag::{Source, Span};
use strata_yaml::{
    DEEPEST, Event, EventData, Events, MappingStyle, ScalarStyle, SequenceStyle, SyntaxError,
};

use super::scalar;
use crate::error::ConfigError;
use crate::node::{Key, Map, Node, Value};

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
    let mut composer = Composer {
        events: Events::of(&source.text).map_err(|error| invalid(&error, source))?,
        source,
        anchors: HashMap::new(),
        anchor_names: HashSet::new(),
        flow_depth: 0,
        copied_nodes: 0,
        quoted: Vec::new(),
    };
    let root = composer.document()?;
    refuse_tabs(source, &composer.quoted)?;
    Ok(root)
}

/// `PyYAML` takes a tab only in comments, in quotes and in block scalars; the parser here is more lenient.
///
/// `quoted`: where such scalars stand, in their order.
fn refuse_tabs(source: &Arc<Source>, quoted: &[Range<usize>]) -> Result<(), ConfigError> {
    let is_quoted = |at: usize| {
        let next = quoted.partition_point(|range| range.start <= at);
        next > 0 && quoted[next - 1].contains(&at)
    };
    let mut line_start = 0;
    for line in source.text.split_inclusive('\n') {
        let begins_comment = |at: usize| {
            !is_quoted(line_start + at) && (at == 0 || line[..at].ends_with([' ', '\t']))
        };
        if line.contains('\t') {
            let mut marks = line.match_indices('#').map(|(at, _)| at);
            let comment = marks.find(|at| begins_comment(*at)).unwrap_or(line.len());
            let mut tabs = line[..comment].match_indices('\t').map(|(at, _)| at);
            if let Some(tab) = tabs.find(|at| !is_quoted(line_start + at)) {
                let error = SyntaxError {
                    at: line_start + tab,
                    message: "a tab cannot start any token".to_owned(),
                };
                return Err(invalid(&error, source));
            }
        }
        line_start += line.len();
    }
    Ok(())
}

/// A text that is no YAML; the place stands in words, too, as `PyYAML` says it.
fn invalid(error: &SyntaxError, source: &Arc<Source>) -> ConfigError {
    let (text, at) = (&source.text, error.at);
    let title = format!("invalid YAML: {}", error.message);
    let refused = refused(&title, &Span::new(source, at..at + 1), "here");
    if text[..at].ends_with('\t') || text[at..].starts_with('\t') {
        refused.help("indent with spaces, not with tabs")
    } else {
        refused
    }
}

/// A text that is refused at a place, which stands in words, too, as `PyYAML` says it.
fn refused(title: &str, span: &Span, label: &str) -> ConfigError {
    let (line, column) = span.line_and_column();
    ConfigError::at(title, Some(span), label).note(format!(
        "in \"{}\", line {line}, column {column}",
        span.source().name
    ))
}

struct Composer<'a> {
    events: Events<'a>,
    source: &'a Arc<Source>,
    /// The anchors whose values are complete.
    anchors: HashMap<String, Node>,
    /// All anchors so far.
    anchor_names: HashSet<String>,
    /// How many flow collections are open.
    flow_depth: usize,
    copied_nodes: usize,
    /// Where quoted and block scalars stand.
    quoted: Vec<Range<usize>>,
}

impl Composer<'_> {
    fn document(&mut self) -> Result<Node, ConfigError> {
        let source = self.source;
        let beginning = self.events.begin();
        let Some(beginning) = beginning.map_err(|error| invalid(&error, source))? else {
            return Ok(Node::at(Value::Null, Some(Span::new(source, 0..0))));
        };
        let root = self.node(beginning.first)?;
        let end = self.events.finish();
        end.map_err(|error| invalid(&error, source))?;
        Ok(root)
    }

    fn next(&mut self) -> Result<Event, ConfigError> {
        let next = self.events.next();
        next.map_err(|error| invalid(&error, self.source))
    }

    fn node(&mut self, event: Event) -> Result<Node, ConfigError> {
        if let Some(tag) = event.unfit_collection_tag() {
            let title = format!("the tag `{tag}` does not fit what follows it");
            return Err(self.error(&title, &event, "here"));
        }
        let anchor = match &event.data {
            EventData::Alias { anchor } => {
                let Some(known) = self.anchors.get(anchor) else {
                    let title = format!("there is no anchor `&{anchor}` before this alias");
                    return Err(self.error(&title, &event, "here"));
                };
                let (nodes, levels) = extent(known);
                let known = known.clone();
                if self.events.depth() + levels > DEEPEST {
                    let title = "with this alias the document is nested too deeply";
                    return Err(self.error(title, &event, "here"));
                }
                self.count_copied(nodes, &event)?;
                return Ok(known);
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
                    let range = event.range.clone();
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
                Node::at(value, Some(self.span(event.range.clone())))
            }
            EventData::SequenceStart { style, .. } => {
                let is_flow = usize::from(*style == SequenceStyle::Flow);
                self.flow_depth += is_flow;
                let node = self.sequence(event.range.start)?;
                self.flow_depth -= is_flow;
                node
            }
            EventData::MappingStart { style, .. } => {
                let is_flow = usize::from(*style == MappingStyle::Flow);
                self.flow_depth += is_flow;
                let node = self.mapping(event.range.start)?;
                self.flow_depth -= is_flow;
                node
            }
            _ => return Err(self.error("expected a value", &event, "here")),
        };
        if let Some(anchor) = anchor {
            // What is anchored is kept twice.
            self.count_copied(extent(&node).0, &event)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn count_copied(&mut self, nodes: usize, event: &Event) -> Result<(), ConfigError> {
        self.copied_nodes += nodes;
        if self.copied_nodes > MOST_COPIED_NODES {
            let title = "the aliases of this document copy too much";
            return Err(self.error(title, event, "here"));
        }
        Ok(())
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
        let error = SyntaxError {
            at: scalar.start,
            message: "expected chomping or indentation indicators, but found `#`".to_owned(),
        };
        Err(invalid(&error, self.source))
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

    fn sequence(&mut self, start: usize) -> Result<Node, ConfigError> {
        let mut items = Vec::new();
        loop {
            let event = self.next()?;
            if matches!(event.data, EventData::SequenceEnd) {
                return Ok(Node::at(
                    Value::List(items),
                    Some(self.span(start..event.range.end)),
                ));
            }
            items.push(self.node(event)?);
        }
    }

    fn mapping(&mut self, start: usize) -> Result<Node, ConfigError> {
        let mut own = Map::new();
        let mut merged: Vec<Map> = Vec::new();
        loop {
            let event = self.next()?;
            if matches!(event.data, EventData::MappingEnd) {
                let span = self.span(start..event.range.end);
                return Ok(Node::at(Value::Map(with_merged(own, merged)), Some(span)));
            }
            let is_merge = matches!(&event.data, EventData::Scalar { value, style: ScalarStyle::Plain, .. } if value == "<<");
            let key_range = event.range.clone();
            if is_merge {
                let event = self.next()?;
                merged.extend(self.merge_sources(event)?);
                continue;
            }
            let key_span = self.span(key_range);
            // As a key the sign of YAML 1.1's default value is a text.
            let is_equals = matches!(&event.data, EventData::Scalar { value, style: ScalarStyle::Plain, tag: None, .. } if value == "=");
            let key_node = if is_equals {
                Node::new(Value::Str("=".to_owned()))
            } else {
                self.node(event)?
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
            let mut value = self.node(event)?;
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

    fn merge_sources(&mut self, event: Event) -> Result<Vec<Map>, ConfigError> {
        let span = self.span(event.range.clone());
        let node = self.node(event)?;
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

    fn span(&self, range: Range<usize>) -> Span {
        let trimmed = self
            .source
            .text
            .get(range.clone())
            .map_or(range.end, |text| range.start + text.trim_end().len());
        Span::new(self.source, range.start..trimmed)
    }

    fn error(&self, title: &str, event: &Event, label: &str) -> ConfigError {
        refused(title, &self.span(event.range.clone()), label)
    }
}

/// How many nodes a value has, and how many levels.
fn extent(node: &Node) -> (usize, usize) {
    let parts: Vec<(usize, usize)> = match &node.value {
        Value::Map(map) => map.values().map(extent).collect(),
        Value::List(items) => items.iter().map(extent).collect(),
        _ => Vec::new(),
    };
    let nodes = parts.iter().map(|(nodes, _)| nodes).sum::<usize>();
    let levels = parts.iter().map(|(_, levels)| levels).max();
    (nodes + 1, levels.map_or(1, |levels| levels + 1))
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
    fn aliases_do_not_nest_too_deeply() {
        let (open, close) = ("[".repeat(120), "]".repeat(120));
        let text = format!("a: &a {open}{close}\nb: {open}*a{close}\n");
        let error = parse(&text).expect_err("it is refused").to_string();
        assert!(error.contains("nested too deeply"), "{error}");
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
