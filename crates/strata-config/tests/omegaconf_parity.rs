//! Generated documents: what we load and write is what `OmegaConf` loads and writes.
//!
//! Needs a Python with `OmegaConf` 2.3.1, named by the variable `STRATA_PEERS`; the README's test command
//! installs one. Without it the test says so and passes.

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use strata_config::{from_yaml, to_yaml};
use strata_diag::Source;

/// A document as it is written, before it has an indentation.
#[derive(Debug, Clone)]
enum Document {
    /// One line: a plain or quoted scalar, or a flow collection.
    Inline(String),
    /// A block scalar: its header and its lines.
    Block(String, Vec<String>),
    Sequence(Vec<Document>),
    Mapping(Vec<(String, Document)>),
    /// `&name` before it; the name is given when it is written.
    Anchored(Box<Document>),
    /// `*name` of an anchor before it, if there is one.
    Alias,
    /// `<<: *name` in a mapping.
    Merge,
}

/// What is read as something else than it looks like, by one YAML or another.
const ODD_SCALARS: &[&str] = &[
    "~",
    "null",
    "Null",
    "yes",
    "No",
    "y",
    "n",
    "ON",
    "off",
    "true",
    "TRUE",
    "tRue",
    "0",
    "-0",
    "+7",
    "017",
    "0o17",
    "089",
    "0x1F",
    "0b101",
    "1_000",
    "1__0",
    "_1",
    "1_",
    "1:30",
    "190:20:30",
    "1:99",
    "1:30.5",
    "12345678901234567890",
    "1.",
    ".5",
    "-.5",
    "+.5",
    "1e5",
    "1E5",
    "1e-4",
    "1.5e+3",
    "1.5e3",
    ".5e3",
    ".5e-3",
    "1_0.5_0",
    "1_0e1_0",
    ".inf",
    "-.INF",
    "+.inf",
    ".nan",
    ".NaN",
    "inf",
    "nan",
    "2001-12-14",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43.10 -5",
    "2001-1-1",
    "=",
    "<<",
    "???",
    "-",
    "--- a",
    "...",
    "-a",
    "?x",
    ":x",
    "a:b",
    "a#b",
    "a #b",
    "a: b",
    "[",
    "]",
    "{}",
    "[]",
    "[1, 'a', ~]",
    "{a: 1, b: [x]}",
    "[a, , b]",
    "[1, ???]",
    "{a, b: 2}",
    "@x",
    "`x",
    "%x",
    "!!str 12",
    "!!int '7'",
    "!!float 1",
    "!!null ''",
    "!!bool yes",
    "! 12",
    "!foo x",
    "*x",
    "&",
    "'",
    "\"",
    "''",
    "\"\"",
    "|",
    ">",
    "1e400",
    "-1e400",
    "0.1",
    "100000000000000000.0",
    "1e-5",
    "3.14159265358979",
    "0.30000000000000004",
    "5e-324",
    "a\tb",
    "\u{e9}t\u{e9}",
    "\u{1f600}",
    "\u{ff11}\u{ff12}",
    "\u{a0}x",
    "a  b",
    "x\u{2028}y",
];

fn odd_scalar() -> impl Strategy<Value = String> {
    prop::sample::select(ODD_SCALARS).prop_map(str::to_owned)
}

fn inline() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => odd_scalar(),
        2 => "[a-z]{1,8}",
        2 => "[-a-zA-Z0-9_:#'\" .~?!&*,\\[\\]{}|>%@`=<+]{0,16}",
        1 => "([a-z']{1,9} {1,2}){8,30}[a-z]",
        1 => "[0-9_.eE+-]{1,8}",
        1 => any::<f64>().prop_map(|number| format!("{number:e}")),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => "'([a-z :#,]|''){0,20}'",
        1 => "\"([a-z :#,']|\\\\n|\\\\t|\\\\\"|\\\\\\\\|\\\\x07|\\\\u2028|\\\\N| ){0,30}\"",
        1 => "\"([a-z\u{e9}\u{1f600}]{1,12} {1,2}|\\\\n){6,16}\"",
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-z]{1,6}",
        1 => odd_scalar(),
        1 => "'[a-z ]{0,8}'",
        1 => "[a-z]{118,126}",
        1 => "\"[a-z]{1,3}(\\\\n)?[a-z]{0,3}\"",
    ]
}

fn document() -> impl Strategy<Value = Document> {
    let leaf = prop_oneof![
        8 => inline().prop_map(Document::Inline),
        1 => ("[|>][-+]?", prop::collection::vec("[a-z ]{0,12}", 0..4))
            .prop_map(|(header, lines)| Document::Block(header, lines)),
        1 => Just(Document::Alias),
    ];
    let node = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Document::Sequence),
            prop::collection::vec((key(), inner.clone()), 1..4).prop_map(Document::Mapping),
            inner.prop_map(|node| Document::Anchored(Box::new(node))),
            Just(Document::Merge),
        ]
    });
    prop::collection::vec((key(), node), 1..5).prop_map(Document::Mapping)
}

/// Writes documents out; anchors are numbered as they come.
#[derive(Default)]
struct Text {
    written: String,
    anchors: usize,
    /// Those whose value is complete; a value that holds itself is beyond any configuration.
    complete: Vec<usize>,
}

impl Text {
    fn value(&mut self, node: &Document, indent: usize) {
        match node {
            Document::Inline(text) => {
                self.written.push(' ');
                self.written.push_str(text);
                self.written.push('\n');
            }
            Document::Block(header, lines) => {
                self.written.push(' ');
                self.written.push_str(header);
                self.written.push('\n');
                for line in lines {
                    self.written.extend(std::iter::repeat_n(' ', indent + 2));
                    self.written.push_str(line);
                    self.written.push('\n');
                }
            }
            Document::Anchored(inner) => {
                self.anchors += 1;
                let name = self.anchors;
                self.written.extend([" &a", &name.to_string()]);
                self.value(inner, indent);
                self.complete.push(name);
            }
            Document::Alias | Document::Merge => {
                let alias = match self.complete.last() {
                    None => " none\n".to_owned(),
                    Some(name) => format!(" *a{name}\n"),
                };
                self.written.push_str(&alias);
            }
            Document::Sequence(items) => {
                self.written.push('\n');
                for item in items {
                    self.written.extend(std::iter::repeat_n(' ', indent));
                    self.written.push('-');
                    self.value(item, indent + 2);
                }
            }
            Document::Mapping(entries) => {
                self.written.push('\n');
                self.mapping(entries, indent + 2);
            }
        }
    }

    fn mapping(&mut self, entries: &[(String, Document)], indent: usize) {
        for (key, node) in entries {
            self.written.extend(std::iter::repeat_n(' ', indent));
            let merges = matches!(node, Document::Merge) && !self.complete.is_empty();
            self.written.push_str(if merges { "<<" } else { key });
            self.written.push(':');
            self.value(node, indent);
        }
    }
}

fn documents(count: usize, seed: u8) -> Vec<String> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = document();
    (0..count)
        .map(|_| {
            let tree = strategy.new_tree(&mut runner).unwrap().current();
            let mut source = Text::default();
            if let Document::Mapping(entries) = &tree {
                source.mapping(entries, 0);
            }
            source.written
        })
        .collect()
}

fn answers(python: &str, documents: &[String]) -> Vec<serde_json::Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peer/omegaconf_yaml.py");
    let mut peer = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the peer starts");
    let lines: String = documents
        .iter()
        .map(|document| serde_json::to_string(document).unwrap() + "\n")
        .collect();
    let mut stdin = peer.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = peer.wait_with_output().expect("the peer ends");
    writer.join().unwrap().expect("the peer reads");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn generated_documents_are_read_and_written_as_by_omegaconf() {
    let Ok(python) = std::env::var("STRATA_PEERS") else {
        eprintln!("SKIPPED: no OmegaConf to compare with; `cargo xtask test` installs it");
        return;
    };
    let number = |name: &str, default: usize| {
        std::env::var(name).map_or(default, |text| text.parse().unwrap())
    };
    let documents = documents(
        number("STRATA_DOCUMENTS", 2000),
        number("STRATA_SEED", 1) as u8,
    );
    let answers = answers(&python, &documents);
    assert_eq!(answers.len(), documents.len());
    let mut differences = Vec::new();
    let mut accepted = 0;
    for (document, answer) in documents.iter().zip(&answers) {
        let ours = from_yaml(&Source::new("document", document.as_str()));
        // `OmegaConf` reads a document that is one text a second time; no configuration is one.
        if ours.as_ref().is_ok_and(|node| node.as_str().is_some()) {
            continue;
        }
        let ours = ours.map(|node| to_yaml(&node));
        let same = match (&ours, answer["yaml"].as_str()) {
            (Ok(ours), Some(theirs)) => ours == theirs,
            (Err(_), None) => true,
            _ => false,
        };
        accepted += usize::from(same && ours.is_ok());
        if !same {
            let ours = ours.unwrap_or_else(|error| format!("refused: {error}"));
            differences.push(format!(
                "--- document\n{document}--- OmegaConf\n{}\n--- strata\n{ours}\n",
                answer["yaml"]
                    .as_str()
                    .or(answer["error"].as_str())
                    .unwrap_or_default()
            ));
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {} differ, the first:\n{}",
        differences.len(),
        documents.len(),
        differences[..differences.len().min(12)].join("\n")
    );
    assert!(
        accepted > documents.len() / 5,
        "only {accepted} documents were valid"
    );
}
