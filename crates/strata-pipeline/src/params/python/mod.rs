//! Parameters in a Python file: literals that are assigned at the top, in classes, and to `self` in `__init__`.
//!
//! DVC reads the file with Python's own parser and keeps what `ast.literal_eval` takes. Here the text is cut into
//! logical lines (`lexer`), statements are told apart by their first words, and values are read by `literal`.
//! What is no assignment of a literal is skipped, wrong syntax included; only a text that cannot be cut (a string
//! or a bracket that does not end) is an error.

mod lexer;
mod literal;

use self::lexer::{Line, Token, lines};
use crate::value::{Key, Map, Value};

/// Classes in classes beyond this are skipped; Python itself allows 100 levels of indentation.
const MAX_DEPTH: usize = 100;

/// A Python text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct PythonProblem {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub problem: &'static str,
}

/// The parameters of a Python text; tuples become lists, as they do in `dvc.lock`.
///
/// # Errors
/// A string or a bracket does not end.
pub fn read_python(text: &str) -> Result<Value, PythonProblem> {
    let lines = lines(text)?;
    Ok(Value::Map(block(&lines, Targets::All, 0)))
}

/// What may be assigned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Targets {
    /// Names, and attributes of `self`.
    All,
    /// Attributes of `self` alone: the body of `__init__`.
    SelfOnly,
}

/// The assignments of a block; lines that are indented further belong to the statement before them.
fn block(lines: &[Line], targets: Targets, depth: usize) -> Map {
    let mut found = Map::new();
    let indent = lines.first().map_or(0, |line| line.indent);
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let body_start = at + 1;
        let body = &lines[body_start..];
        let body = &body[..body.iter().take_while(|line| line.indent > indent).count()];
        at = body_start + body.len();
        if depth < MAX_DEPTH {
            statement(&line.tokens, body, targets, depth, &mut found);
        }
    }
    found
}

fn statement(tokens: &[Token], body: &[Line], targets: Targets, depth: usize, found: &mut Map) {
    match tokens {
        [Token::Name(class), Token::Name(name), rest @ ..] if class == "class" => {
            let inner = suite(rest, body, Targets::All, depth);
            found.insert(Key::Str(name.clone()), Value::Map(inner));
        }
        [Token::Name(def), Token::Name(name), rest @ ..] if def == "def" => {
            if name == "__init__" {
                found.extend(suite(rest, body, Targets::SelfOnly, depth));
            }
        }
        _ => simple(tokens, targets, found),
    }
}

/// The body of a class or function: behind the colon, or in the lines below.
fn suite(header: &[Token], body: &[Line], targets: Targets, depth: usize) -> Map {
    let colon = positions(header, ":").next();
    let inline = colon.map_or(&[][..], |colon| &header[colon + 1..]);
    if inline.is_empty() {
        return block(body, targets, depth + 1);
    }
    let mut found = Map::new();
    simple(inline, targets, &mut found);
    found
}

/// Statements on one line.
fn simple(tokens: &[Token], targets: Targets, found: &mut Map) {
    let mut start = 0;
    let ends = positions(tokens, ";").chain([tokens.len()]);
    for end in ends {
        if let Some((name, value)) = assignment(&tokens[start..end], targets) {
            found.insert(Key::Str(name.to_owned()), value);
        }
        start = (end + 1).min(tokens.len());
    }
}

/// `name = literal`, `name: type = literal`, and the same for `self.name`.
fn assignment(tokens: &[Token], targets: Targets) -> Option<(&str, Value)> {
    let (name, rest) = match tokens {
        [Token::Name(name), rest @ ..] if starts_assignment(rest) => {
            (targets == Targets::All && !is_keyword(name)).then_some((name, rest))?
        }
        [
            Token::Name(this),
            Token::Symbol("."),
            Token::Name(name),
            rest @ ..,
        ] if this == "self" && starts_assignment(rest) => (name, rest),
        _ => return None,
    };
    let mut signs = positions(rest, "=");
    let sign = signs.next()?;
    // `a = b = 1` has two targets, which DVC skips.
    if signs.next().is_some() {
        return None;
    }
    Some((name, literal::read(&rest[sign + 1..])?))
}

fn starts_assignment(rest: &[Token]) -> bool {
    matches!(rest, [Token::Symbol("=" | ":"), ..])
}

/// Words that stand before a colon without being annotated.
fn is_keyword(name: &str) -> bool {
    ["else", "try", "finally", "lambda"].contains(&name)
}

/// Where a symbol stands outside of all brackets.
fn positions(tokens: &[Token], symbol: &'static str) -> impl Iterator<Item = usize> {
    let mut open = 0_usize;
    tokens.iter().enumerate().filter_map(move |(index, token)| {
        match token {
            Token::Symbol("(" | "[" | "{") => open += 1,
            Token::Symbol(")" | "]" | "}") => open = open.saturating_sub(1),
            _ => {}
        }
        (open == 0 && *token == Token::Symbol(symbol)).then_some(index)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::json;

    fn read(text: &str) -> Value {
        read_python(text).expect("it can be cut into lines")
    }

    #[test]
    fn assignments_classes_and_attributes_are_parameters() {
        let text = r#"# comment
import os
LR = 0.1
NEG = -1
NAMES = ['a', 'b']
D = {'k': (1, 2), 'z': None}
ANN: int = 5
BARE: int

class Train(Base, metaclass=M):
    """Text."""
    epochs = 3
    opt = 'sgd'
    class Inner: depth = 4; width = 5
    def __init__(self, x: int = 3) -> None:
        self.inner = 7
        local = 8
        if x:
            self.maybe = 9
    def other(self):
        self.no = 1

def f():
    LR = 3
"#;
        let expected = r#"{"LR": 0.1, "NEG": -1, "NAMES": ["a", "b"], "D": {"k": [1, 2], "z": null}, "ANN": 5,
            "Train": {"epochs": 3, "opt": "sgd", "Inner": {"depth": 4, "width": 5}, "inner": 7}}"#;
        assert_eq!(read(text), json(expected));
    }

    #[test]
    fn literals_are_read_as_python_reads_them() {
        for (text, expected) in [
            ("0x1F", "31"),
            ("0o17", "15"),
            ("0b11", "3"),
            ("1_000", "1000"),
            ("1e5", "100000.0"),
            (".5", "0.5"),
            ("5.", "5.0"),
            ("+3", "3"),
            ("(3)", "3"),
            ("1, 2", "[1, 2]"),
            ("(1,)", "[1]"),
            ("()", "[]"),
            ("[1,\n  [2, # two\n 3],\n]", "[1, [2, 3]]"),
            ("{}", "{}"),
            ("True", "true"),
            ("'a' \"b\"", "\"ab\""),
            ("'''a\nb'''", "\"a\\nb\""),
            (
                r#""it's\t\x41\u00e9\101\
""#,
                "\"it's\\tAéA\"",
            ),
            (r"r'\d'", r#""\\d""#),
            ("u'x'", "\"x\""),
            ("1 \\\n", "1"),
        ] {
            assert_eq!(
                read(&format!("a = {text}")).get("a"),
                Some(&json(expected)),
                "{text}"
            );
        }
    }

    /// What `dvc.utils.serialize.parse_py` of DVC 3.67.1 gives, complex numbers and sets aside.
    #[test]
    fn odd_files_are_read_as_dvc_reads_them() {
        let text = r#"
a = 1; b: int = 2
def __init__(self):
    self.top = 1
    class K: z = 1
    if 1:
        self.deep = 1
class A(B): x = 1; y = 2
class G:
  if 1: q = 2
  z = {'1': 2, 'n': 3}
  async def __init__(self): self.no = 1
@dec
class H: pass
class I:
    "doc"
    f = 1 + 2j
    g = {'a': {1,2}}
    h = 'a' 'b'
    i = 0x_f
    j = 1_0.5e-3
    k = "\d\
x"
    l = (1)
    m = (1,2,)
    n = "\400"
    o = '\x41'
    p = 1if True else 2
    q = *[1],
    def meth(self):
        self.u = 1
    r, = 1,
    self.s = 5
x = y = 2
"#;
        let expected = r#"{"a": 1, "b": 2, "top": 1, "K": {"z": 1}, "A": {"x": 1, "y": 2}, "G": {"z": {"1": 2, "n": 3}}, "H": {},
            "I": {"h": "ab", "i": 15, "j": 0.0105, "k": "\\dx", "l": 1, "m": [1, 2], "n": "\u0100", "o": "A", "s": 5}}"#;
        assert_eq!(read(text), json(expected));
        assert_eq!(
            read("e = ''''a'''\nf = r'\\''\ng=5#x\n"),
            json(r#"{"e": "'a", "f": "\\'", "g": 5}"#)
        );
    }

    #[test]
    fn what_is_no_literal_is_skipped() {
        for text in [
            "a = b",
            "a = 1 + 2",
            "a = f(1)",
            "a = {1, 2}",
            "a = b'x'",
            "a = f'x'",
            "a = 1j",
            "a = [b]",
            "a = --1",
            "a = {'k': b}",
            "a = {**b}",
            "a = lambda: 1",
            "a = b = 1",
            "a, c = 1, 2",
            "a += 1",
            "a.b = 1",
            "a[0] = 1",
            "if x: a = 1",
            "a = 1 if x else 2",
            "a == 1",
            "a = -True",
            "a: int",
            "a = ...",
            "a =",
            "else: a = 1",
            "for a in b:\n    a = 1",
            "a = 99999999999999999999999999999999999999999999",
        ] {
            assert_eq!(read(text), json("{}"), "{text}");
        }
        assert_eq!(read("a = b; c = 1\na = 2"), json(r#"{"c": 1, "a": 2}"#));
    }

    #[test]
    fn a_text_that_does_not_end_is_an_error() {
        for (text, line) in [
            ("a = 1\nb = 'x\n", 2),
            ("a = [1,\n2\n", 1),
            ("a = '''\n", 1),
            ("a = 1)\n", 1),
        ] {
            let problem = read_python(text).expect_err("it does not end");
            assert_eq!(problem.line, line, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_skipped_without_a_crash() {
        let brackets = format!("a = {}1{}\nb = 2", "[".repeat(50_000), "]".repeat(50_000));
        assert_eq!(read(&brackets), json(r#"{"b": 2}"#));
        let classes: String = (0..3_000)
            .map(|depth| format!("{}class A:\n", " ".repeat(depth)))
            .collect();
        assert!(read(&classes).get("A").is_some());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r#"(a|self\.|class A|def __init__|=|:|\n| |    |'|"|\\|\(|\)|\[|\]|\{|\}|,|1|\.|e|_|-|#|;|é|r|0x|None){0,40}"#) {
            let _ = read_python(&text);
        }
    }
}
