//! A text as a tree.

use std::panic::{AssertUnwindSafe, catch_unwind};

use libyaml_safer::{Event, EventData, MappingStyle, Parser, ScalarStyle, SequenceStyle};

use super::error::YamlError;
use super::node::{Block, Content, Entry, Fold, Form, Item, Layout, List, Mapping, Node, Scalar};
use super::scalar;
use super::trivia::Trivia;
use crate::value::Value;

/// Deeper than any stage or parameter, shallower than the stack.
const DEEPEST: usize = 200;

/// A tree and the lines before it.
#[derive(Debug, Clone)]
pub(super) struct Composed {
    pub(super) root: Node,
    pub(super) before: Vec<String>,
    /// The lines behind all values that belong to none.
    pub(super) end: Vec<String>,
}

/// Reads one document; none at all is null.
pub(super) fn compose(name: &str, text: &str) -> Result<Composed, YamlError> {
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{85}');
    if let Some(at) = text.find(control) {
        return Err(YamlError::at(
            name,
            text,
            at,
            "a control character is not allowed in YAML",
        ));
    }
    let mut bytes = text.as_bytes();
    let mut parser = Parser::new();
    // Left to guess, the parser takes any first byte 0xEF for a damaged byte order mark; told the
    // encoding, it does not pass over a whole one.
    if !text.starts_with('\u{feff}') {
        parser.set_encoding(libyaml_safer::Encoding::Utf8);
    }
    parser.set_input_string(&mut bytes);
    let mut composer = Composer {
        parser,
        name,
        text,
        previous_end: 0,
        pending: Vec::new(),
    };
    composer.document()
}

struct Composer<'a, 'b> {
    parser: Parser<&'a mut &'b [u8]>,
    name: &'a str,
    text: &'a str,
    /// The byte behind what was read last.
    previous_end: usize,
    /// Lines behind a flow collection, which belong to what comes next.
    pending: Vec<String>,
}

impl Composer<'_, '_> {
    fn document(&mut self) -> Result<Composed, YamlError> {
        self.next()?;
        let start = self.next()?;
        if matches!(start.data, EventData::StreamEnd) {
            let root = Node::new(Content::Scalar(Scalar {
                value: Value::Null,
                form: Form::Free,
            }));
            return Ok(Composed {
                root,
                before: Trivia::of_start(self.text).lines,
                end: Vec::new(),
            });
        }
        let first = self.next()?;
        let before_document = match start.data {
            EventData::DocumentStart {
                implicit: false, ..
            } => start.end_mark.index as usize,
            _ => 0,
        };
        let gap = self
            .text
            .get(before_document..first.start_mark.index as usize)
            .unwrap_or_default();
        let gap = gap.strip_prefix(['\u{feff}', '\n']).unwrap_or(gap);
        let before = Trivia::of_start(gap).lines;
        self.previous_end = first.start_mark.index as usize;
        let root = self.node(first, 0)?;
        self.next()?;
        let end = self.next()?;
        if !matches!(end.data, EventData::StreamEnd) {
            return Err(self.error(
                &end,
                "expected a single document, but a second one begins here",
            ));
        }
        Ok(Composed {
            root,
            before,
            end: std::mem::take(&mut self.pending),
        })
    }

    fn next(&mut self) -> Result<Event, YamlError> {
        // libyaml-safer 0.3 panics on some damaged tags: `[!,` and a `!` at the end of the file. The parser is
        // not used again after an error.
        let parser = AssertUnwindSafe(&mut self.parser);
        let Ok(parsed) = catch_unwind(move || { parser }.parse()) else {
            let message = "this cannot be read, perhaps for a damaged tag behind it";
            return Err(YamlError::at(
                self.name,
                self.text,
                self.previous_end,
                message,
            ));
        };
        parsed.map_err(|error| {
            let mark = error.problem_mark().unwrap_or_default();
            // What is missing at the end of the file is shown behind the last word of it.
            let at = (mark.index as usize).min(self.text.trim_end().len());
            let message = match error.context() {
                Some(context) => format!("{context}: {}", error.problem()),
                None => error.problem().to_owned(),
            };
            YamlError::at(self.name, self.text, at, message)
        })
    }

    fn error(&self, event: &Event, message: &str) -> YamlError {
        YamlError::at(
            self.name,
            self.text,
            event.start_mark.index as usize,
            message,
        )
    }

    /// What stands between what was read last and the beginning of an event.
    fn gap(&mut self, event: &Event) -> Trivia {
        let end = event.start_mark.index as usize;
        let Some(gap) = self.text.get(self.previous_end..end) else {
            return Trivia::default();
        };
        let line_start = self.text[..self.previous_end]
            .rfind('\n')
            .map_or(0, |at| at + 1);
        let column = self.text[line_start..self.previous_end].chars().count();
        // A block scalar ends with its line.
        let trivia = if self.previous_end > 0 && column == 0 && line_start > 0 {
            Trivia::of_start(gap)
        } else {
            Trivia::of_gap(gap, column)
        };
        self.previous_end = end;
        trivia
    }

    fn node(&mut self, event: Event, depth: usize) -> Result<Node, YamlError> {
        if depth > DEEPEST {
            return Err(self.error(&event, "the document is nested too deeply"));
        }
        let at = event.start_mark.index as usize;
        let (content, anchor) = match &event.data {
            EventData::Alias { anchor } => {
                self.previous_end = event.end_mark.index as usize;
                (Content::Alias(anchor.clone()), None)
            }
            EventData::Scalar { anchor, .. } => {
                (Content::Scalar(self.scalar(&event)?), anchor.clone())
            }
            EventData::SequenceStart {
                anchor, tag, style, ..
            } => {
                self.check_collection_tag(&event, tag.as_deref(), "tag:yaml.org,2002:seq")?;
                let flow = *style == SequenceStyle::Flow;
                let list = self.sequence(layout(flow), depth)?;
                (Content::List(list), anchor.clone())
            }
            EventData::MappingStart {
                anchor, tag, style, ..
            } => {
                self.check_collection_tag(&event, tag.as_deref(), "tag:yaml.org,2002:map")?;
                let flow = *style == MappingStyle::Flow;
                let map = self.mapping(layout(flow), depth)?;
                (Content::Map(map), anchor.clone())
            }
            _ => return Err(self.error(&event, "expected a value")),
        };
        Ok(Node {
            content,
            anchor,
            at,
        })
    }

    fn check_collection_tag(
        &self,
        event: &Event,
        tag: Option<&str>,
        own: &str,
    ) -> Result<(), YamlError> {
        match tag {
            Some(tag) if tag != "!" && tag != own => Err(self.error(
                event,
                &format!("the tag `{tag}` does not fit what follows it"),
            )),
            _ => Ok(()),
        }
    }

    fn sequence(&mut self, layout: Layout, depth: usize) -> Result<List, YamlError> {
        let mut list = List {
            layout,
            head: Trivia::default(),
            items: Vec::new(),
        };
        loop {
            let event = self.next()?;
            let trivia = self.gap(&event);
            match list.items.last_mut() {
                Some(last) => self.follow(&last.value, &mut last.after, trivia),
                None => list.head = trivia,
            }
            if matches!(event.data, EventData::SequenceEnd) {
                self.previous_end = event.end_mark.index as usize;
                list.layout = block_if_empty(layout, list.items.is_empty());
                return Ok(list);
            }
            let before = std::mem::take(&mut self.pending);
            let value = self.node(event, depth + 1)?;
            list.items.push(Item {
                before,
                value,
                after: Trivia::default(),
            });
        }
    }

    fn mapping(&mut self, layout: Layout, depth: usize) -> Result<Mapping, YamlError> {
        let mut map = Mapping {
            layout,
            head: Trivia::default(),
            entries: Vec::<Entry>::new(),
        };
        loop {
            let event = self.next()?;
            let trivia = self.gap(&event);
            match map.entries.last_mut() {
                Some(last) => self.follow(&last.value, &mut last.after, trivia),
                None => map.head = trivia,
            }
            if matches!(event.data, EventData::MappingEnd) {
                self.previous_end = event.end_mark.index as usize;
                map.layout = block_if_empty(layout, map.entries.is_empty());
                return Ok(map);
            }
            let before = std::mem::take(&mut self.pending);
            let key = self.node(event, depth + 1)?;
            let event = self.next()?;
            let trivia = self.gap(&event);
            let mut value = self.node(event, depth + 1)?;
            let mut after = Trivia::default();
            match &mut value.content {
                Content::Map(map) if map.layout == Layout::Block && !map.entries.is_empty() => {
                    prepend(&mut map.head, trivia);
                }
                Content::List(list) if list.layout == Layout::Block && !list.items.is_empty() => {
                    prepend(&mut list.head, trivia);
                }
                _ => after = trivia,
            }
            map.entries.push(Entry {
                before,
                key,
                value,
                after,
            });
        }
    }

    /// What follows a scalar belongs to it; of a flow collection only what begins on its last line.
    fn follow(&mut self, value: &Node, after: &mut Trivia, trivia: Trivia) {
        let is_scalar = matches!(value.content, Content::Scalar(_));
        if is_scalar || trivia.end_of_line.is_some() || value.is_block_collection() {
            add(after, trivia);
        } else {
            self.pending.extend(trivia.lines);
        }
    }

    fn scalar(&mut self, event: &Event) -> Result<Scalar, YamlError> {
        let EventData::Scalar {
            tag,
            value: text,
            style,
            plain_implicit,
            ..
        } = &event.data
        else {
            return Err(self.error(event, "expected a scalar"));
        };
        let (start, end) = (
            event.start_mark.index as usize,
            event.end_mark.index as usize,
        );
        self.previous_end = end;
        let raw = self.text.get(start..end).unwrap_or_default();
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            let keeps = block_header(raw).contains('+');
            if !keeps {
                let content = raw.trim_end_matches(['\n', '\r', ' ']);
                self.previous_end = start + content.len();
            }
        }
        let plain =
            *style == ScalarStyle::Plain && (*plain_implicit || tag.as_deref() == Some("!"));
        let value = self.tagged(event, tag.as_deref(), text, plain)?;
        let form = match style {
            ScalarStyle::Literal => Form::Block(block(Fold::Literal, raw, text)),
            ScalarStyle::Folded => Form::Block(block(Fold::Folded, raw, text)),
            ScalarStyle::Plain if tag.is_none() => verbatim(text, &value),
            _ => Form::Free,
        };
        Ok(Scalar { value, form })
    }

    fn tagged(
        &self,
        event: &Event,
        tag: Option<&str>,
        text: &str,
        plain: bool,
    ) -> Result<Value, YamlError> {
        let resolved = scalar::resolve(text);
        let fits = match (tag, &resolved) {
            (None | Some("!"), _) if plain => true,
            (None | Some("!" | "tag:yaml.org,2002:str"), _) => return Ok(Value::from(text)),
            (Some("tag:yaml.org,2002:null"), _) => return Ok(Value::Null),
            (Some("tag:yaml.org,2002:int"), Value::Int(_))
            | (Some("tag:yaml.org,2002:bool"), Value::Bool(_))
            | (Some("tag:yaml.org,2002:float"), Value::Float(_)) => true,
            (Some("tag:yaml.org,2002:float"), Value::Int(number)) => {
                return Ok(Value::Float(*number as f64));
            }
            _ => false,
        };
        if fits {
            return Ok(resolved);
        }
        let tag = tag.unwrap_or_default();
        Err(self.error(
            event,
            &format!("`{text}` does not fit the tag `{tag}`, or nobody knows it"),
        ))
    }
}

fn layout(flow: bool) -> Layout {
    if flow { Layout::Flow } else { Layout::Block }
}

fn add(trivia: &mut Trivia, more: Trivia) {
    if trivia.end_of_line.is_none() && trivia.lines.is_empty() {
        *trivia = more;
    } else {
        trivia
            .lines
            .extend(more.end_of_line.map(|comment| comment.text));
        trivia.lines.extend(more.lines);
    }
}

fn prepend(trivia: &mut Trivia, before: Trivia) {
    let own = std::mem::replace(trivia, before);
    add(trivia, own);
}

/// An empty collection has no layout to keep.
fn block_if_empty(layout: Layout, is_empty: bool) -> Layout {
    if is_empty { Layout::Block } else { layout }
}

/// Numbers keep their notation, dates and `<<` have no quotes.
fn verbatim(text: &str, value: &Value) -> Form {
    match value {
        Value::Float(number) if !number.is_finite() => Form::Free,
        Value::Int(_) => Form::Verbatim(text.trim_start_matches('+').to_owned()),
        Value::Float(_) => Form::Verbatim(text.to_owned()),
        Value::Str(_) if scalar::needs_quotes(text) => Form::Verbatim(text.to_owned()),
        _ => Form::Free,
    }
}

/// The `|-` or `>2` of a block scalar.
fn block_header(raw: &str) -> &str {
    let line = raw.lines().next().unwrap_or_default();
    let start = line.find(['|', '>']).unwrap_or_default();
    line[start..]
        .split([' ', '\t', '#'])
        .next()
        .unwrap_or_default()
}

fn block(fold: Fold, raw: &str, value: &str) -> Block {
    let first = raw.lines().next().unwrap_or_default();
    let blanks_and_comment = first.find('#').map(|at| {
        let start = first[..at].trim_end_matches([' ', '\t']).len();
        first[start..].to_owned()
    });
    Block {
        fold,
        comment: blanks_and_comment.unwrap_or_default(),
        lines: block_lines(raw, value),
    }
}

/// The lines of a block scalar without their indentation, and without those behind the last that do not count.
fn block_lines(raw: &str, value: &str) -> Vec<String> {
    let header = block_header(raw);
    let mut lines: Vec<&str> = raw.lines().skip(1).collect();
    if !header.contains('+') {
        while lines
            .last()
            .is_some_and(|line| line.trim_matches(' ').is_empty())
        {
            lines.pop();
        }
    }
    if value.is_empty() {
        return Vec::new();
    }
    let indent_of = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let contents = lines
        .iter()
        .filter(|line| !line.trim_matches(' ').is_empty());
    // With an indicator the value's own leading blanks tell the indentation.
    let indent = match contents.clone().next() {
        Some(first) => {
            let first_text = value.trim_start_matches('\n');
            indent_of(first)
                - indent_of(first_text.lines().next().unwrap_or_default()).min(indent_of(first))
        }
        None => 0,
    };
    lines
        .iter()
        .map(|line| line.get(indent..).unwrap_or_default().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        compose("a.yaml", text).map_or_else(|error| error.to_string(), |_| "it is read".to_owned())
    }

    #[test]
    fn what_cannot_be_read_has_a_place() {
        let error = message("stages:\n  a:\n    cmd: echo a\n   outs: [x\n");
        assert!(error.starts_with("a.yaml:4:4: "), "{error}");
        assert!(message("a: 1\n---\nb: 2\n").starts_with("a.yaml:2:1: expected a single document"));
        assert!(message("a: !foo 1\n").contains("the tag `!foo`"));
        assert!(message("a: \u{1}\n").contains("a control character"));
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(message(&"[".repeat(100_000)).contains("nested too deeply"));
    }

    #[test]
    fn damaged_tags_are_errors() {
        assert!(message("[!,").contains("cannot be read"));
        assert!(message("\"\"|\n !").starts_with("a.yaml:"));
    }
}
