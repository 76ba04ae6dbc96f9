//! The functions of the override grammar: what they are called with, and the sweeps they make. Matches
//! Hydra 1.3.8.

use super::ast::{Choice, Element, Glob, Interval, OverrideValue, Range, Sweep};
use super::casts::{Cast, cast};
use super::element::text_of;
use super::order;

/// All names, as Hydra lists them, and our own `zip`.
pub(crate) const NAMES: [&str; 12] = [
    "bool", "choice", "float", "glob", "int", "interval", "range", "shuffle", "sort", "str", "tag",
    "zip",
];

/// What a function is called with.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) positional: Vec<OverrideValue>,
    pub(crate) named: Vec<(String, OverrideValue)>,
}

/// Why a call is refused, and what would mend it.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) what: String,
    pub(crate) help: Option<String>,
}

impl Problem {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            help: None,
        }
    }
}

/// Applies a function. Quoted texts lose their quotes when they are arguments.
pub(crate) fn call(name: &str, mut arguments: Arguments) -> Result<OverrideValue, Problem> {
    let unquote = |value: &mut OverrideValue| {
        if let OverrideValue::Element(Element::Quoted(text, _)) = value {
            *value = OverrideValue::Element(Element::Str(std::mem::take(text)));
        }
    };
    arguments.positional.iter_mut().for_each(unquote);
    arguments
        .named
        .iter_mut()
        .for_each(|(_, value)| unquote(value));
    match name {
        "int" => cast_call(Cast::Int, arguments),
        "float" => cast_call(Cast::Float, arguments),
        "str" => cast_call(Cast::Str, arguments),
        "bool" => cast_call(Cast::Bool, arguments),
        "choice" => choice(arguments),
        "range" => range(arguments),
        "interval" => interval(arguments),
        "glob" => glob(arguments),
        "sort" => order::sort(arguments),
        "shuffle" => order::shuffle(arguments),
        "tag" => tag(arguments),
        "zip" => zip(arguments),
        _ => Err(Problem {
            what: format!("unknown function `{name}`"),
            help: Some(match strata_diag::closest(name, NAMES) {
                Some(meant) => format!("did you mean `{meant}`? Available: {}", NAMES.join(",")),
                None => format!(
                    "Available: {}; quote the value if it is a text",
                    NAMES.join(",")
                ),
            }),
        }),
    }
}

impl Arguments {
    /// The values of the named parameters, given by place or by name.
    fn bind<const N: usize>(
        self,
        parameters: [&str; N],
    ) -> Result<[Option<OverrideValue>; N], Problem> {
        let mut bound = [const { None }; N];
        if self.positional.len() > N {
            return Err(Problem::new("too many positional arguments"));
        }
        for (slot, value) in bound.iter_mut().zip(self.positional) {
            *slot = Some(value);
        }
        for (name, value) in self.named {
            let slot = parameters.iter().position(|parameter| *parameter == name);
            let Some(slot) = slot else {
                return Err(unexpected_keyword(&name, &parameters));
            };
            if bound[slot].replace(value).is_some() {
                return Err(Problem::new(format!(
                    "multiple values for argument `{name}`"
                )));
            }
        }
        Ok(bound)
    }

    /// The positional values, and those of the named parameters.
    pub(super) fn bind_rest<const N: usize>(
        self,
        parameters: [&str; N],
    ) -> Result<(Vec<OverrideValue>, [Option<OverrideValue>; N]), Problem> {
        let Self { positional, named } = self;
        let of_names = Self {
            positional: Vec::new(),
            named,
        };
        Ok((positional, of_names.bind(parameters)?))
    }
}

fn unexpected_keyword(name: &str, parameters: &[&str]) -> Problem {
    Problem {
        what: format!("got an unexpected keyword argument `{name}`"),
        help: (!parameters.is_empty()).then(|| format!("arguments are {}", parameters.join(", "))),
    }
}

/// What a value is called in messages.
pub(super) fn kind(value: &OverrideValue) -> &'static str {
    match value {
        OverrideValue::Element(element) => match element {
            Element::Null => "null",
            Element::Bool(_) => "a boolean",
            Element::Int(_) | Element::BigInt(_) => "an integer",
            Element::Float(_) => "a float",
            Element::Str(_) | Element::Quoted(..) => "a string",
            Element::List(_) => "a list",
            Element::Dict(_) => "a dictionary",
        },
        OverrideValue::Sweep(Sweep::Choice(_)) => "a choice",
        OverrideValue::Sweep(Sweep::Range(_)) => "a range",
        OverrideValue::Sweep(Sweep::Interval(_)) => "an interval",
        OverrideValue::Sweep(Sweep::Glob(_)) => "a glob",
    }
}

fn cast_call(to: Cast, arguments: Arguments) -> Result<OverrideValue, Problem> {
    let (mut positional, [value]) = arguments.bind_rest(["value"])?;
    let value = match (positional.len(), value) {
        (0, Some(value)) => value,
        (_, Some(_)) => {
            return Err(Problem::new(
                "cannot use both positional and named arguments",
            ));
        }
        (0, None) => return Err(Problem::new("a value is missing")),
        (1, None) => positional.remove(0),
        (_, None) => simple_choice(positional),
    };
    cast(to, value)
}

/// `a,b`
pub(super) fn simple_choice(list: Vec<OverrideValue>) -> OverrideValue {
    OverrideValue::Sweep(Sweep::Choice(Choice {
        simple: true,
        ..Choice::of(list)
    }))
}

fn choice(arguments: Arguments) -> Result<OverrideValue, Problem> {
    let (mut list, []) = arguments.bind_rest([])?;
    for (index, value) in list.iter().enumerate() {
        let refused = match value {
            OverrideValue::Element(element) => *element == Element::Null,
            OverrideValue::Sweep(sweep) => !matches!(sweep, Sweep::Choice(_)),
        };
        if refused {
            let what = format!("argument {} cannot be {}", index + 1, kind(value));
            let help = (*value == OverrideValue::Element(Element::Null))
                .then(|| "the simple form takes null: `a,null`".to_owned());
            return Err(Problem { what, help });
        }
    }
    match list.as_mut_slice() {
        [] => Err(Problem::new("an empty choice is not legal")),
        [OverrideValue::Sweep(Sweep::Choice(inner))] if inner.simple => {
            inner.simple = false;
            Ok(list.remove(0))
        }
        [OverrideValue::Sweep(_)] => Err(Problem::new("nesting choices is not supported")),
        _ => Ok(OverrideValue::Sweep(Sweep::Choice(Choice::of(list)))),
    }
}

/// Beyond Hydra: a choice that moves on together with all other `zip(…)` of the command line.
fn zip(arguments: Arguments) -> Result<OverrideValue, Problem> {
    let list = match choice(arguments)? {
        OverrideValue::Sweep(Sweep::Choice(choice)) => choice.list,
        other => vec![other],
    };
    Ok(OverrideValue::Sweep(Sweep::Choice(Choice {
        zipped: true,
        ..Choice::of(list)
    })))
}

fn number(name: &str, value: OverrideValue) -> Result<Element, Problem> {
    match value {
        OverrideValue::Element(
            element @ (Element::Int(_) | Element::BigInt(_) | Element::Float(_) | Element::Bool(_)),
        ) => Ok(element),
        other => Err(Problem::new(format!(
            "`{name}` must be a number, not {}",
            kind(&other)
        ))),
    }
}

fn range(arguments: Arguments) -> Result<OverrideValue, Problem> {
    let [start, stop, step] = arguments.bind(["start", "stop", "step"])?;
    let start = start.ok_or_else(|| Problem {
        what: "missing a required argument: `start`".to_owned(),
        help: Some("a single number is the stop: `range(3)` gives 0, 1, 2".to_owned()),
    })?;
    let start = number("start", start)?;
    let step = step.map_or(Ok(Element::Int(1)), |step| number("step", step))?;
    let (start, stop) = match stop {
        None | Some(OverrideValue::Element(Element::Null)) => (Element::Int(0), start),
        Some(stop) => (start, number("stop", stop)?),
    };
    Ok(OverrideValue::Sweep(Sweep::Range(Range {
        start,
        stop,
        step,
        shuffle: false,
        tags: Default::default(),
    })))
}

fn interval(arguments: Arguments) -> Result<OverrideValue, Problem> {
    let [start, end] = arguments.bind(["start", "end"])?;
    let bound = |name: &str, value: Option<OverrideValue>| {
        let value =
            value.ok_or_else(|| Problem::new(format!("missing a required argument: `{name}`")))?;
        let number = number(name, value)?.as_number().unwrap_or(f64::NAN);
        Ok(Element::Float(number))
    };
    Ok(OverrideValue::Sweep(Sweep::Interval(Interval {
        start: bound("start", start)?,
        end: bound("end", end)?,
        tags: Default::default(),
    })))
}

fn glob(arguments: Arguments) -> Result<OverrideValue, Problem> {
    let [include, exclude] = arguments.bind(["include", "exclude"])?;
    let patterns = |name: &str, value: OverrideValue| match value {
        OverrideValue::Element(Element::Str(text)) => Ok(vec![text]),
        OverrideValue::Element(Element::List(items)) => Ok(items
            .iter()
            .map(|item| match item {
                Element::Str(text) | Element::Quoted(text, _) => text.clone(),
                other => text_of(other),
            })
            .collect()),
        other => Err(Problem::new(format!(
            "`{name}` must be a string or a list of strings, not {}",
            kind(&other)
        ))),
    };
    let include = include.ok_or_else(|| Problem::new("missing a required argument: `include`"))?;
    Ok(OverrideValue::Sweep(Sweep::Glob(Glob {
        include: patterns("include", include)?,
        exclude: match exclude {
            None | Some(OverrideValue::Element(Element::Null)) => Vec::new(),
            Some(exclude) => patterns("exclude", exclude)?,
        },
    })))
}

/// Names a sweep. Beyond Hydra, `tag(log,NUMBER,NUMBER)` means `tag(log,interval(NUMBER,NUMBER))`.
fn tag(arguments: Arguments) -> Result<OverrideValue, Problem> {
    let (mut names, [sweep]) = arguments.bind_rest(["sweep"])?;
    if names.is_empty() {
        return Err(Problem::new(
            "not enough arguments to tag, it must take at least a sweep",
        ));
    }
    let is_number = |value: &OverrideValue| {
        matches!(
            value,
            OverrideValue::Element(Element::Int(_) | Element::Float(_))
        )
    };
    if let ([OverrideValue::Element(Element::Str(name)), low, high], None) =
        (names.as_slice(), &sweep)
        && name == "log"
        && is_number(low)
        && is_number(high)
    {
        let bounds = Arguments {
            positional: names.split_off(1),
            named: Vec::new(),
        };
        names.push(interval(bounds)?);
    }
    names.extend(sweep);
    let mut tags = std::collections::BTreeSet::new();
    let last = names.pop();
    for (index, name) in names.into_iter().enumerate() {
        let OverrideValue::Element(Element::Str(name)) = name else {
            return Err(Problem::new(format!(
                "argument {} must be a string, the name of a tag, not {}",
                index + 1,
                kind(&name)
            )));
        };
        tags.insert(name);
    }
    match last {
        Some(OverrideValue::Sweep(Sweep::Choice(choice))) => {
            Ok(OverrideValue::Sweep(Sweep::Choice(Choice {
                tags,
                ..choice
            })))
        }
        Some(OverrideValue::Sweep(Sweep::Range(range))) => {
            Ok(OverrideValue::Sweep(Sweep::Range(Range { tags, ..range })))
        }
        Some(OverrideValue::Sweep(Sweep::Interval(interval))) => {
            Ok(OverrideValue::Sweep(Sweep::Interval(Interval {
                tags,
                ..interval
            })))
        }
        other => Err(Problem::new(format!(
            "the last argument must be a choice(), range() or interval(), not {}",
            other.as_ref().map_or("nothing", kind)
        ))),
    }
}
