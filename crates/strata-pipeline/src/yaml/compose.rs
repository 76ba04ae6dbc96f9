//! A text as a tree.

use strata_yaml::{
    Event, EventData, Events, MappingStyle, ScalarStyle, SequenceStyle, SyntaxError,
};

use super::error::YamlError;
use super::node::{Block, Content, Entry, Fold, Form, Item, Layout, List, Mapping, Node, Scalar};
use super::scalar;
use super::trivia::Trivia;
use crate::value::Value;

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
    let mut composer = Composer {
        events: Events::of(text).map_err(|error| syntax_error(name, text, error))?,
        name,
        text,
        previous_end: 0,
        previous_column: 0,
        read_nothing: false,
        pending: Vec::new(),
    };
    composer.document()
}

fn syntax_error(name: &str, text: &str, error: SyntaxError) -> YamlError {
    YamlError::at(name, text, error.at, error.message)
}

struct Composer<'a> {
    events: Events<'a>,
    name: &'a str,
    text: &'a str,
    /// The byte behind what was read last.
    previous_end: usize,
    /// The column of that byte.
    previous_column: usize,
    /// Whether the last value was an empty scalar, not even `null`.
    read_nothing: bool,
    /// Lines behind a flow collection or nothing, which belong to what comes next.
    pending: Vec<String>,
}

impl Composer<'_> {
    fn document(&mut self) -> Result<Composed, YamlError> {
        let (name, text) = (self.name, self.text);
        let in_text = |error| syntax_error(name, text, error);
        let Some(beginning) = self.events.begin().map_err(in_text)? else {
            let root = Node::new(Content::Scalar(Scalar {
                value: Value::Null,
                form: Form::Free,
            }));
            return Ok(Composed {
                root,
                before: Trivia::of_start(text).lines,
                end: Vec::new(),
            });
        };
        let first = beginning.first;
        let gap = text.get(beginning.content_at..first.range.start);
        let gap = gap.unwrap_or_default();
        let gap = gap.strip_prefix(['\u{feff}', '\n']).unwrap_or(gap);
        let before = Trivia::of_start(gap).lines;
        self.read_to(first.range.start, first.start_column);
        let root = self.node(first)?;
        self.events.finish().map_err(in_text)?;
        Ok(Composed {
            root,
            before,
            end: std::mem::take(&mut self.pending),
        })
    }

    fn next(&mut self) -> Result<Event, YamlError> {
        let next = self.events.next();
        next.map_err(|error| syntax_error(self.name, self.text, error))
    }

    fn read_to(&mut self, byte: usize, column: usize) {
        self.previous_end = byte;
        self.previous_column = column;
    }

    fn error(&self, event: &Event, message: &str) -> YamlError {
        YamlError::at(self.name, self.text, event.range.start, message)
    }

    /// What stands between what was read last and the beginning of an event.
    fn gap(&mut self, event: &Event) -> Trivia {
        let end = event.range.start;
        let Some(gap) = self.text.get(self.previous_end..end) else {
            return Trivia::default();
        };
        // A block scalar ends with its line.
        let trivia = if self.previous_end > 0 && self.previous_column == 0 {
            Trivia::of_start(gap)
        } else {
            Trivia::of_gap(gap, self.previous_column)
        };
        self.read_to(end, event.start_column);
        trivia
    }

    fn node(&mut self, event: Event) -> Result<Node, YamlError> {
        if let Some(tag) = event.unfit_collection_tag() {
            let message = format!("the tag `{tag}` does not fit what follows it");
            return Err(self.error(&event, &message));
        }
        let at = event.range.start;
        let (content, anchor) = match &event.data {
            EventData::Alias { anchor } => {
                self.read_to(event.range.end, event.end_column);
                (Content::Alias(anchor.clone()), None)
            }
            EventData::Scalar { anchor, .. } => {
                (Content::Scalar(self.scalar(&event)?), anchor.clone())
            }
            EventData::SequenceStart { anchor, style, .. } => {
                let flow = *style == SequenceStyle::Flow;
                let list = self.sequence(layout(flow))?;
                (Content::List(list), anchor.clone())
            }
            EventData::MappingStart { anchor, style, .. } => {
                let flow = *style == MappingStyle::Flow;
                let map = self.mapping(layout(flow))?;
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

    fn sequence(&mut self, layout: Layout) -> Result<List, YamlError> {
        let mut list = List {
            layout,
            head: Trivia::default(),
            items: Vec::new(),
        };
        loop {
            let event = self.next()?;
            let trivia = self.gap(&event);
            match list.items.last_mut() {
                Some(last) => {
                    let is_nothing = self.read_nothing && last.value.is_nothing();
                    self.follow(&last.value, &mut last.after, trivia);
                    // ruamel moves a comment behind an empty item into the next line.
                    if is_nothing {
                        last.after.move_below();
                    }
                }
                None => list.head = trivia,
            }
            if matches!(event.data, EventData::SequenceEnd) {
                self.read_to(event.range.end, event.end_column);
                list.layout = block_if_empty(layout, list.items.is_empty());
                return Ok(list);
            }
            let before = std::mem::take(&mut self.pending);
            let value = self.node(event)?;
            list.items.push(Item {
                before,
                value,
                after: Trivia::default(),
            });
        }
    }

    fn mapping(&mut self, layout: Layout) -> Result<Mapping, YamlError> {
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
                self.read_to(event.range.end, event.end_column);
                map.layout = block_if_empty(layout, map.entries.is_empty());
                return Ok(map);
            }
            let before = std::mem::take(&mut self.pending);
            let key = self.node(event)?;
            let event = self.next()?;
            let trivia = self.gap(&event);
            let mut value = self.node(event)?;
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

    /// What follows a scalar belongs to it; of a flow collection, or of nothing, only what begins on its line.
    fn follow(&mut self, value: &Node, after: &mut Trivia, trivia: Trivia) {
        let is_scalar = matches!(value.content, Content::Scalar(_)) && !self.read_nothing;
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
        let (start, end) = (event.range.start, event.range.end);
        self.read_to(end, event.end_column);
        self.read_nothing = start == end;
        let raw = self.text.get(start..end).unwrap_or_default();
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            let keeps = block_header(raw).contains('+');
            if !keeps {
                let content = raw.trim_end_matches(['\n', '\r', ' ']);
                let line_start = content.rfind('\n').map_or(0, |at| at + 1);
                let indent = if line_start == 0 {
                    event.start_column
                } else {
                    0
                };
                let column = indent + content[line_start..].chars().count();
                self.read_to(start + content.len(), column);
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
        assert!(message("[!,").starts_with("a.yaml:1:2: while scanning a tag"));
    }
}
