//! The form of a `dvc.yaml`, checked before templates are filled in.
//!
//! Because of this order a flag cannot be templated: `persist: ${p}` is a text where a bool is expected.

use super::checker::{Check, Checker, anything, text, texts, truth};
use super::error::SchemaError;
use crate::value::{Map, Value};

/// Checks the raw data of a `dvc.yaml`; an empty file is fine.
///
/// `file` is its path from the current folder, which the message names.
///
/// # Errors
/// Everything that is of the wrong form, with the path of keys to it.
pub fn check_pipeline(value: &Value, file: &str) -> Result<(), SchemaError> {
    if *value == Value::Null {
        return Ok(());
    }
    Checker::run(file, value, |checker, value| {
        checker.keys(value, SECTIONS, &[]);
    })
}

const SECTIONS: &[(&str, Check)] = &[
    ("stages", |checker, value| checker.named(value, stage)),
    ("vars", variables),
    ("params", texts),
    ("metrics", texts),
    ("plots", |checker, value| {
        checker.items(value, top_level_plot);
    }),
    ("artifacts", |checker, value| checker.named(value, artifact)),
    ("datasets", anything),
];

const STAGE: &[(&str, Check)] = &[
    ("cmd", text_or_list),
    ("wdir", text),
    ("deps", texts),
    ("params", |checker, value| checker.items(value, text_or_map)),
    ("outs", |checker, value| checker.items(value, out)),
    ("metrics", |checker, value| checker.items(value, out)),
    ("plots", |checker, value| checker.items(value, plot)),
    ("vars", variables),
    ("frozen", truth),
    ("always_changed", truth),
    ("desc", text),
    ("meta", anything),
    ("matrix", |checker, value| {
        checker.named(value, text_or_list);
    }),
];

const FOREACH: &[(&str, Check)] = &[
    ("foreach", iterable),
    ("do", |checker, value| checker.keys(value, STAGE, &["cmd"])),
];

const FLAGS: &[(&str, Check)] = &[
    ("cache", truth),
    ("persist", truth),
    ("push", truth),
    // Gone from DVC 3, still accepted by it.
    ("checkpoint", truth),
    ("remote", text),
    ("desc", text),
    ("type", text),
    ("labels", texts),
    ("meta", anything),
];

/// The properties of a plot; they stand beside the flags.
pub(super) const PLOT_PROPERTIES: &[(&str, Check)] = &[
    ("template", text),
    ("x", text),
    ("y", text),
    ("x_label", text),
    ("y_label", text),
    ("title", text),
    ("header", truth),
];

const ARTIFACT: &[(&str, Check)] = &[
    ("path", text),
    ("desc", text),
    ("type", text),
    ("labels", texts),
    ("meta", anything),
];

const TOP_LEVEL_PLOT: &[(&str, Check)] = &[
    ("x", |checker, value| match value {
        Value::Map(_) => checker.named(value, text),
        _ => text(checker, value),
    }),
    ("y", vertical_axis),
    ("x_label", text),
    ("y_label", text),
    ("title", text),
    ("template", text),
];

fn stage(checker: &mut Checker, value: &Value) {
    if value.get("foreach").is_some() || value.get("do").is_some() {
        checker.keys(value, FOREACH, &["foreach", "do"]);
    } else {
        checker.keys(value, STAGE, &["cmd"]);
    }
}

fn text_or_list(checker: &mut Checker, value: &Value) {
    if !matches!(value, Value::Str(_) | Value::List(_)) {
        checker.expected("str or a list");
    }
}

fn iterable(checker: &mut Checker, value: &Value) {
    if !matches!(value, Value::Str(_) | Value::List(_) | Value::Map(_)) {
        checker.expected("str, a list or a dictionary");
    }
}

fn text_or_map(checker: &mut Checker, value: &Value) {
    if !matches!(value, Value::Str(_) | Value::Map(_)) {
        checker.expected("str or a dictionary");
    }
}

fn variables(checker: &mut Checker, value: &Value) {
    checker.items(value, text_or_map);
}

fn out(checker: &mut Checker, value: &Value) {
    text_or_named(checker, value, |checker, flags| {
        checker.keys(flags, FLAGS, &[]);
    });
}

fn plot(checker: &mut Checker, value: &Value) {
    text_or_named(checker, value, |checker, flags| match flags {
        Value::List(_) => checker.items(flags, plot_flags),
        _ => plot_flags(checker, flags),
    });
}

fn plot_flags(checker: &mut Checker, flags: &Value) {
    let all: Vec<_> = FLAGS.iter().chain(PLOT_PROPERTIES).copied().collect();
    checker.keys(flags, &all, &[]);
}

fn top_level_plot(checker: &mut Checker, value: &Value) {
    text_or_named(checker, value, |checker, properties| {
        if *properties != Value::Null {
            checker.keys(properties, TOP_LEVEL_PLOT, &[]);
        }
    });
    if value.as_map().is_some_and(Map::is_empty) {
        checker.expected("the name of a plot");
    }
}

fn vertical_axis(checker: &mut Checker, value: &Value) {
    match value {
        Value::Str(_) => {}
        Value::List(_) => texts(checker, value),
        Value::Map(_) => checker.named(value, |checker, value| match value {
            Value::List(_) => texts(checker, value),
            _ => text(checker, value),
        }),
        _ => checker.expected("str, a list or a dictionary"),
    }
}

fn artifact(checker: &mut Checker, value: &Value) {
    checker.keys(value, ARTIFACT, &["path"]);
}

fn text_or_named(checker: &mut Checker, value: &Value, check: Check) {
    match value {
        Value::Str(_) => {}
        Value::Map(_) => checker.named(value, check),
        _ => checker.expected("str or a dictionary"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::json;

    fn message(text: &str) -> String {
        check_pipeline(&json(text), "dvc.yaml")
            .expect_err("it is of the wrong form")
            .to_string()
    }

    #[test]
    fn nothing_at_all_is_a_pipeline() {
        for text in ["null", "{}", r#"{"stages": {}}"#] {
            assert_eq!(check_pipeline(&json(text), "dvc.yaml"), Ok(()), "{text}");
        }
    }

    #[test]
    fn every_key_that_dvc_knows_is_accepted() {
        let text = r#"{
            "vars": ["a.yaml", {"b": 1}], "params": ["p"], "metrics": ["m"], "plots": ["q", {"r": {"y": {"f": ["a"]}}}, {"s": null}],
            "artifacts": {"model": {"path": "m.pt", "labels": ["a"]}}, "datasets": 5,
            "stages": {
                "a": {"cmd": ["x"], "wdir": "w", "deps": ["d"], "params": ["k", {"f": null}, {"g": ["k"]}],
                      "outs": ["o", {"p": {"cache": false, "persist": true, "push": false, "checkpoint": false, "remote": "r",
                               "desc": "d", "type": "t", "labels": ["l"], "meta": 1}}],
                      "metrics": [{"m": {"cache": false}}], "plots": [{"q": {"x": "a", "header": true}}, {"r": [{"y": "b"}]}],
                      "vars": [{"v": 1}], "frozen": true, "always_changed": true, "desc": "d", "meta": {"a": 1},
                      "matrix": {"m": ["a"], "n": "${n}"}},
                "b": {"foreach": [1], "do": {"cmd": "x"}}
            }
        }"#;
        assert_eq!(check_pipeline(&json(text), "dvc.yaml"), Ok(()));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_path_and_the_nearest_one() {
        assert_eq!(
            message(r#"{"stages": {"a": {"cmd": "x", "outss": ["x"]}}}"#),
            "'./dvc.yaml' validation failed.\nextra keys not allowed, in stages -> a -> outss; did you mean `outs`?"
        );
        assert!(
            message(r#"{"stages": {"a": {"cmd": "x", "outs": [{"x": {"caching": false}}]}}}"#)
                .contains("in stages -> a -> outs -> 0 -> x -> caching")
        );
        assert!(message(r#"{"pipelines": {"a": 1}}"#).contains("in pipelines"));
    }

    #[test]
    fn wrong_types_are_refused() {
        for (text, part) in [
            (r#"{"stages": null}"#, "expected a dictionary, in stages"),
            (r#"{"stages": ["a"]}"#, "expected a dictionary, in stages"),
            (r#"["a"]"#, "validation failed.\nexpected a dictionary"),
            (
                r#"{"stages": {"a": {"cmd": "x", "outs": "x"}}}"#,
                "expected a list, in stages -> a -> outs",
            ),
            (
                r#"{"stages": {"a": {"cmd": 5}}}"#,
                "expected str or a list, in stages -> a -> cmd",
            ),
            (
                r#"{"stages": {"a": {"deps": ["x"]}}}"#,
                "required key not provided, in stages -> a -> cmd",
            ),
            (
                r#"{"stages": {"a": {"cmd": "x", "frozen": "yes"}}}"#,
                "expected bool, in stages -> a -> frozen",
            ),
            (
                r#"{"stages": {"a": {"cmd": "x", "outs": [{"o": {"persist": "${p}"}}]}}}"#,
                "expected bool",
            ),
            (
                r#"{"stages": {"a": {"cmd": "x", "outs": [{"o": null}]}}}"#,
                "expected a dictionary, in stages -> a -> outs -> 0 -> o",
            ),
            (
                r#"{"stages": {"a": {"foreach": [1], "do": {"cmd": "x"}, "desc": "d"}}}"#,
                "extra keys not allowed, in stages -> a -> desc",
            ),
            (
                r#"{"stages": {"a": {"foreach": 5, "do": {"cmd": "x"}}}}"#,
                "in stages -> a -> foreach",
            ),
            (
                r#"{"stages": {"a": {"do": {"cmd": "x"}}}}"#,
                "required key not provided, in stages -> a -> foreach",
            ),
        ] {
            let message = message(text);
            assert!(message.contains(part), "{part} is missing: {message}");
        }
    }

    #[test]
    fn a_file_of_another_folder_is_shown_without_a_dot() {
        let error = check_pipeline(&json("[]"), "s/dvc.yaml").expect_err("not a mapping");
        assert!(
            error
                .to_string()
                .starts_with("'s/dvc.yaml' validation failed.")
        );
    }
}
