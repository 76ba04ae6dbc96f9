//! The text of a tree, laid out as ruamel's round-trip dumper does: indent 2, dashes at the parent's column.

use std::collections::HashSet;

use strata_yaml::{Analysis, Dialect, Folding, Writer, is_break};

use super::node::{Block, Content, Entry, Fold, Form, Item, List, Mapping, Node, Scalar};
use super::scalar;
use super::trivia::{Comment, Trivia};
use crate::value::Value;

/// The text of a tree; `before` are the lines at its top, `end` those at its end.
pub(super) fn document(root: &Node, before: &[String], end: &[String]) -> String {
    let mut emitter = Emitter {
        writer: Writer::new(Dialect::Ruamel),
        flow_depth: 0,
        aliases: HashSet::new(),
    };
    collect_aliases(root, &mut emitter.aliases);
    emitter.lines(before);
    match &root.content {
        Content::Map(map) if root.is_block_collection() => emitter.mapping(map, 0),
        Content::List(list) if root.is_block_collection() => emitter.sequence(list, 0),
        _ => emitter.lone_value(root),
    }
    emitter.writer.finish_line();
    emitter.lines(end);
    emitter.writer.into_text()
}

#[derive(Debug)]
struct Emitter {
    writer: Writer,
    /// How many flow collections are open.
    flow_depth: usize,
    /// The anchors that something refers to; a collection's anchor without an alias is not written.
    aliases: HashSet<String>,
}

impl Emitter {
    /// A document that is no block collection; a plain scalar has an explicit end.
    fn lone_value(&mut self, root: &Node) {
        let open_ended = match &root.content {
            Content::Scalar(Scalar {
                value: Value::Null, ..
            }) => {
                self.writer.push("null");
                true
            }
            Content::Scalar(Scalar {
                value: Value::Str(text),
                form: Form::Free,
            }) => {
                self.leaf(root, 0);
                style_of(text, Place::Value, false) == Style::Plain
            }
            Content::Scalar(_) => {
                self.leaf(root, 0);
                true
            }
            _ => {
                self.leaf(root, 0);
                false
            }
        };
        self.writer.finish_line();
        if open_ended {
            self.writer.push("...");
        }
    }

    fn mapping(&mut self, map: &Mapping, indent: usize) {
        for entry in &map.entries {
            self.lines_before(&entry.before);
            self.writer.pad(indent);
            let simple = is_simple(&entry.key);
            if simple {
                self.key(&entry.key, indent);
            } else {
                self.writer.push("?");
                self.value(&entry.key, indent, Parent::Explicit);
                self.writer.finish_line();
                self.writer.pad(indent);
            }
            self.writer.push(":");
            let parent = if simple {
                Parent::Key
            } else {
                Parent::Explicit
            };
            self.value(&entry.value, indent, parent);
            self.trivia(&entry.after);
        }
    }

    /// What follows a value, and the end of its line.
    fn trivia(&mut self, trivia: &Trivia) {
        if let Some(Comment { column, text }) = &trivia.end_of_line {
            let at = self.writer.column();
            self.writer.pad((*column).max(at + usize::from(at > 0)));
            self.writer.push(text);
        }
        self.writer.finish_line();
        self.lines(&trivia.lines);
    }

    fn lines(&mut self, lines: &[String]) {
        for line in lines {
            self.writer.push(line);
            self.writer.end_line();
        }
    }

    fn lines_before(&mut self, lines: &[String]) {
        if !lines.is_empty() {
            self.writer.finish_line();
            self.lines(lines);
        }
    }

    fn sequence(&mut self, list: &List, indent: usize) {
        for item in &list.items {
            self.lines_before(&item.before);
            self.writer.pad(indent);
            self.writer.push("-");
            self.value(&item.value, indent, Parent::Dash);
            self.trivia(&item.after);
        }
    }

    /// A value behind `key:`, `:`, `?` or `-`.
    fn value(&mut self, node: &Node, indent: usize, parent: Parent) {
        if !node.is_block_collection() {
            self.leaf_after_blank(node, indent, parent);
            return;
        }
        let anchor = node
            .anchor
            .as_ref()
            .filter(|anchor| self.aliases.contains(*anchor));
        if let Some(anchor) = anchor {
            self.writer.push(&format!(" &{anchor}"));
        }
        match &node.content {
            Content::Map(map) => {
                self.begin_block(&map.head, anchor.is_some(), parent);
                self.mapping(map, indent + 2);
            }
            Content::List(list) => {
                self.begin_block(&list.head, anchor.is_some(), parent);
                self.sequence(
                    list,
                    if parent == Parent::Key {
                        indent
                    } else {
                        indent + 2
                    },
                );
            }
            Content::Scalar(_) | Content::Alias(_) => {}
        }
    }

    /// The first key or dash follows a dash on its line, but not an anchor or a comment.
    fn begin_block(&mut self, head: &Trivia, has_anchor: bool, parent: Parent) {
        if !head.is_empty() || has_anchor || parent == Parent::Key {
            self.trivia(head);
        } else {
            self.writer.push(" ");
        }
    }

    fn leaf_after_blank(&mut self, node: &Node, indent: usize, parent: Parent) {
        if node.is_nothing() && parent != Parent::Dash && self.flow_depth == 0 {
            return;
        }
        self.writer.push(" ");
        self.leaf(node, indent);
    }

    fn key(&mut self, key: &Node, indent: usize) {
        self.anchor(key);
        match &key.content {
            Content::Scalar(Scalar {
                value: Value::Str(text),
                form: Form::Free,
            }) => {
                self.string(text, Place::SimpleKey, Folding::Never);
            }
            Content::Scalar(Scalar {
                value: Value::Null, ..
            }) => self.writer.push("null"),
            Content::Alias(name) => self.writer.push(&format!("*{name} ")),
            _ => self.leaf(key, indent),
        }
    }

    fn anchor(&mut self, node: &Node) {
        let is_scalar = matches!(node.content, Content::Scalar(_));
        if let Some(anchor) = &node.anchor
            && (is_scalar || self.aliases.contains(anchor))
        {
            self.writer.push(&format!("&{anchor} "));
        }
    }

    /// A value that begins on the line of its parent; `indent` is that of the parent.
    fn leaf(&mut self, node: &Node, indent: usize) {
        self.anchor(node);
        match &node.content {
            Content::Scalar(scalar) => self.scalar(scalar, indent),
            Content::Alias(name) => self.writer.push(&format!("*{name}")),
            Content::List(list) => self.flow_sequence(&list.items, indent + 2),
            Content::Map(map) => self.flow_mapping(&map.entries, indent + 2),
        }
    }

    fn scalar(&mut self, scalar: &Scalar, indent: usize) {
        let folding = Folding::At(indent + 2);
        match (&scalar.form, &scalar.value) {
            (Form::Verbatim(text), _) => self.writer.plain(text, folding),
            (Form::Block(block), Value::Str(text)) if self.flow_depth == 0 => {
                self.block(text, block, indent + 2);
            }
            (_, Value::Null) if self.flow_depth > 0 => self.writer.plain("null", folding),
            (_, Value::Null) => {}
            (_, Value::Bool(truth)) => self
                .writer
                .plain(if *truth { "true" } else { "false" }, folding),
            (_, Value::Int(number)) => self.writer.plain(&number.to_string(), folding),
            (_, Value::Float(number)) => self.writer.plain(&scalar::float_text(*number), folding),
            (_, Value::Str(text)) => self.string(text, Place::Value, folding),
            (_, Value::List(_) | Value::Map(_)) => {}
        }
    }

    fn string(&mut self, text: &str, place: Place, folding: Folding) {
        match style_of(text, place, self.flow_depth > 0) {
            Style::Plain => self.writer.plain(text, folding),
            Style::Single => self.writer.single_quoted(text, folding),
            Style::Double => self.writer.double_quoted(text, folding),
        }
    }

    /// The lines of `|` or `>`, with the hints that they need.
    fn block(&mut self, text: &str, block: &Block, indent: usize) {
        self.writer.push(match block.fold {
            Fold::Literal => "|",
            Fold::Folded => ">",
        });
        self.writer.push(&block_hints(text));
        self.writer.push(&block.comment);
        self.writer.end_line();
        for line in &block.lines {
            if !line.is_empty() {
                self.writer.pad(indent);
                match block.fold {
                    Fold::Literal => self.writer.push(line),
                    Fold::Folded => self.writer.folded_line(line, indent),
                }
            }
            self.writer.end_line();
        }
    }

    fn flow_sequence(&mut self, items: &[Item], indent: usize) {
        self.writer.push("[");
        self.flow_depth += 1;
        for (index, item) in items.iter().enumerate() {
            self.flow_separator(index, indent);
            match &item.value.content {
                // A mapping of one entry needs no braces.
                Content::Map(map) if map.entries.len() == 1 && item.value.anchor.is_none() => {
                    self.flow_entry(&map.entries[0], indent + 2);
                }
                _ => self.leaf(&item.value, indent),
            }
        }
        self.flow_depth -= 1;
        self.writer.push("]");
    }

    fn flow_mapping(&mut self, entries: &[Entry], indent: usize) {
        self.writer.push("{");
        self.flow_depth += 1;
        for (index, entry) in entries.iter().enumerate() {
            self.flow_separator(index, indent);
            self.flow_entry(entry, indent);
        }
        self.flow_depth -= 1;
        self.writer.push("}");
    }

    fn flow_separator(&mut self, index: usize, indent: usize) {
        if index > 0 {
            self.writer.push(",");
        }
        if self.writer.is_beyond_width() {
            self.writer.fold(indent);
        } else if index > 0 {
            self.writer.push(" ");
        }
    }

    fn flow_entry(&mut self, entry: &Entry, indent: usize) {
        if is_simple(&entry.key) {
            self.key(&entry.key, indent);
        } else {
            self.writer.push("? ");
            self.leaf(&entry.key, indent);
            self.writer.push(" ");
        }
        self.writer.push(":");
        self.leaf_after_blank(&entry.value, indent, Parent::Key);
    }
}

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
}

/// Where a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A key that stands before its colon on one line.
    SimpleKey,
    /// Anything else.
    Value,
}

/// The style that ruamel chooses for a text, which may stand between brackets.
fn style_of(text: &str, place: Place, in_flow: bool) -> Style {
    let analysis = Analysis::of(text, Dialect::Ruamel);
    let simple_key = place == Place::SimpleKey;
    let allows_plain = if in_flow {
        analysis.allows_flow_plain
    } else {
        analysis.allows_block_plain
    };
    let too_much_for_a_key = simple_key && (analysis.empty || analysis.multiline);
    if allows_plain && !too_much_for_a_key && !scalar::needs_quotes(text) {
        return Style::Plain;
    }
    if text.contains(['\'', '\n']) {
        return Style::Double;
    }
    if analysis.allows_single && !(simple_key && analysis.multiline) {
        return Style::Single;
    }
    Style::Double
}

/// What stands before a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parent {
    /// `key:`
    Key,
    /// `-`
    Dash,
    /// `?`, or the `:` that belongs to it.
    Explicit,
}

fn collect_aliases(node: &Node, aliases: &mut HashSet<String>) {
    if let Content::Alias(name) = &node.content {
        aliases.insert(name.clone());
    }
    for part in node.parts() {
        collect_aliases(part, aliases);
    }
}

fn is_simple(key: &Node) -> bool {
    match &key.content {
        Content::Scalar(Scalar {
            value: Value::Str(text),
            ..
        }) => Analysis::of(text, Dialect::Ruamel).allows_simple_key,
        _ => true,
    }
}

/// The indentation indicator, where the first line begins with a blank or is empty, and the chomping.
fn block_hints(text: &str) -> String {
    let mut hints = String::new();
    if text.starts_with([' ', '\n', '\u{85}', '\u{2028}', '\u{2029}']) {
        hints.push('2');
    }
    let mut ends = text.chars().rev();
    match ends.next() {
        Some(last) if !is_break(last) => hints.push('-'),
        Some(_) if ends.next().is_none_or(is_break) => hints.push('+'),
        _ => {}
    }
    hints
}
