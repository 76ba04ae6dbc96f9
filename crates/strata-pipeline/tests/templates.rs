//! Templates of whole files, with the texts and names that DVC 3.67.1 gives them.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use strata_pipeline::definition::{Command, DefinitionError, StageDefinition};
use strata_pipeline::params::from_json;
use strata_pipeline::template::{
    BoolFlags, FileError, Files, ListFlags, ParsingOptions, Resolver, ResolverOptions,
};
use strata_pipeline::value::{Key, Value};

struct Folder(HashMap<&'static str, &'static str>);

impl Files for Folder {
    fn read_value(&self, path: &str) -> Result<Option<Value>, FileError> {
        let Some(text) = self.0.get(path) else {
            return Ok(None);
        };
        let json = serde_json::from_str(text).map_err(|error| Arc::new(error) as FileError)?;
        Ok(Some(from_json(&json)))
    }
}

fn json(text: &str) -> Value {
    from_json(&serde_json::from_str(text).expect("the test's JSON is right"))
}

struct Project {
    dvcfile: Value,
    files: Folder,
    options: ResolverOptions,
}

impl Project {
    fn new<const N: usize>(dvcfile: &str, files: [(&'static str, &'static str); N]) -> Self {
        let dvcfile = json(dvcfile);
        strata_pipeline::definition::check_pipeline(&dvcfile, "dvc.yaml")
            .expect("the form is right");
        Self {
            dvcfile,
            files: Folder(files.into()),
            options: ResolverOptions::default(),
        }
    }

    fn resolver(&self) -> Result<Resolver<'_>, DefinitionError> {
        Resolver::new(&self.dvcfile, &self.files, self.options.clone())
    }

    fn names(&self) -> Vec<String> {
        let resolver = self.resolver().expect("the variables are right");
        resolver.stage_names().expect("the groups are right")
    }

    fn stage(&self, name: &str) -> StageDefinition {
        let resolver = self.resolver().expect("the variables are right");
        resolver.resolve(name).expect("the stage is right")
    }

    fn command(&self, name: &str) -> String {
        match self.stage(name).cmd {
            Command::Text(text) => text,
            Command::List(list) => list.join("\n"),
        }
    }

    fn error(&self, name: &str) -> String {
        let resolver = match self.resolver() {
            Ok(resolver) => resolver,
            Err(error) => return error.to_string(),
        };
        resolver.resolve(name).expect_err("it is wrong").to_string()
    }
}

#[test]
fn default_parameters_are_printed_by_type() {
    let project = Project::new(
        r#"{"stages": {
            "t": {"cmd": "echo ${name} ${n} ${f} ${flag} ${off} ${nested.a} ${lst[1]} ${lst.0} \\${UNSET_VARIABLE}end > ${out}", "outs": ["${out}"]},
            "u": {"cmd": "${small} ${nothing}", "deps": ["${out}"]}}}"#,
        [(
            "params.yaml",
            r#"{"name": "bob", "n": 3, "f": 0.001, "flag": true, "off": false, "nested": {"a": "deep"}, "lst": [10, 20],
                "out": "o.txt", "small": 1e-05, "nothing": null}"#,
        )],
    );
    assert_eq!(
        project.command("t"),
        "echo bob 3 0.001 true false deep 20 10 ${UNSET_VARIABLE}end > o.txt"
    );
    assert_eq!(project.stage("t").outs[0].tracked.path, "o.txt");
    assert_eq!(project.command("u"), "1e-05 None");
    assert_eq!(project.names(), ["t", "u"]);
}

#[test]
fn variables_come_from_files_keys_and_the_file_itself() {
    let project = Project::new(
        r#"{"vars": [{"inline": {"x": 1, "y": "two"}}, "conf.yaml", "more.json:a,b"],
            "stages": {"t": {"cmd": "echo ${inline.x} ${inline.y} ${top} ${model.lr} ${model.depth} ${a} ${b.c} > out.txt"}}}"#,
        [
            ("params.yaml", r#"{"model": {"depth": 4}}"#),
            ("conf.yaml", r#"{"top": "T", "model": {"lr": 0.5}}"#),
            ("more.json", r#"{"a": "A", "b": {"c": 9}, "z": 0}"#),
        ],
    );
    assert_eq!(project.command("t"), "echo 1 two T 0.5 4 A 9 > out.txt");
}

#[test]
fn stages_have_variables_of_their_own_in_their_own_folder() {
    let project = Project::new(
        r#"{"stages": {
            "t": {"wdir": "${dir}", "vars": [{"local": {"v": "L"}}, "s.yaml"], "cmd": "echo ${local.v} ${fromfile} ${g}"},
            "u": {"cmd": "echo ${local.v}"}}}"#,
        [
            ("params.yaml", r#"{"g": "global", "dir": "w/"}"#),
            ("w/s.yaml", r#"{"fromfile": "F"}"#),
        ],
    );
    assert_eq!(project.command("t"), "echo L F global");
    assert_eq!(project.stage("t").wdir.as_deref(), Some("w"));
    assert_eq!(
        project.error("u"),
        "failed to parse 'stages.u.cmd' in 'dvc.yaml': Could not find 'local.v'"
    );
}

#[test]
fn keys_and_flags_are_templates_too() {
    let project = Project::new(
        r#"{"stages": {"t": {"wdir": "${dir}", "cmd": "cat ${dep} > ${o.path}", "deps": ["${dep}"], "params": [{"${pfile}": ["${pkey}"]}],
            "outs": [{"${o.path}": {"persist": true, "desc": "${o.path} of ${dir}"}}]}}}"#,
        [(
            "params.yaml",
            r#"{"dir": "work", "dep": "i.txt", "pfile": "p.yaml", "pkey": "k", "o": {"path": "r.txt"}}"#,
        )],
    );
    let stage = project.stage("t");
    assert_eq!(stage.params[0].path, "p.yaml");
    assert_eq!(stage.params[0].keys.as_deref(), Some(&["k".to_owned()][..]));
    assert_eq!(stage.outs[0].tracked.path, "r.txt");
    assert!(stage.outs[0].tracked.persist);
    assert_eq!(stage.outs[0].tracked.desc.as_deref(), Some("r.txt of work"));
}

#[test]
fn mappings_in_commands_become_options() {
    let mut project = Project::new(
        r#"{"stages": {"t": {"cmd": ["train ${d}", "echo ${d.l[0]}"]}}}"#,
        [(
            "params.yaml",
            r#"{"d": {"lr": 0.1, "o": {"n": "a b"}, "v": true, "q": false, "l": [1, 2]}}"#,
        )],
    );
    assert_eq!(
        project.command("t"),
        "train --lr 0.1 --o.n 'a b' --v --l 1 2\necho 1"
    );
    project.options.parsing = ParsingOptions {
        bool_flags: BoolFlags::BooleanOptional,
        list_flags: ListFlags::Append,
    };
    assert_eq!(
        project.command("t"),
        "train --lr 0.1 --o.n 'a b' --v --no-q --l 1 --l 2\necho 1"
    );
}

#[test]
fn composites_in_texts_are_refused() {
    let project = Project::new(
        r#"{"stages": {"l": {"cmd": "echo ${l} > out.txt"}, "d": {"cmd": "echo x > ${d}", "outs": ["${d}"]}}}"#,
        [("params.yaml", r#"{"l": [1, 2], "d": {"a": 1}}"#)],
    );
    assert_eq!(
        project.error("l"),
        "failed to parse 'stages.l.cmd' in 'dvc.yaml':\nCannot interpolate data of type 'list'"
    );
    assert_eq!(
        project.error("d"),
        "failed to parse 'stages.d.outs' in 'dvc.yaml':\nCannot interpolate data of type 'dict'"
    );
}

#[test]
fn a_leaf_has_one_source() {
    let redefined = Project::new(
        r#"{"vars": [{"a": 2}], "stages": {"t": {"cmd": "echo ${a}"}}}"#,
        [("params.yaml", r#"{"a": 1}"#)],
    );
    assert_eq!(
        redefined.error("t"),
        "failed to parse 'vars' in 'dvc.yaml':\ncannot redefine 'a' from 'vars[0]' as it already exists in 'params.yaml'"
    );
    let nested = Project::new(
        r#"{"stages": {"t": {"vars": [{"m": {"x": 2}}], "cmd": "x"}}}"#,
        [("params.yaml", r#"{"m": {"x": 1, "y": 2}}"#)],
    );
    assert_eq!(
        nested.error("t"),
        "failed to parse stage 't' in 'dvc.yaml':\ncannot redefine 'm.x' from 't.vars[0]' as it already exists in 'params.yaml'"
    );
}

#[test]
fn files_of_variables_are_loaded_once() {
    let files = [("p.yaml", r#"{"a": 1, "b": 2}"#)];
    for (vars, message) in [
        (
            r#"["p.yaml", "p.yaml:a"]"#,
            "cannot partially load 'p.yaml:a' as it's already loaded.",
        ),
        (
            r#"["p.yaml:a", "p.yaml"]"#,
            "cannot load 'p.yaml' as it's partially loaded already",
        ),
        (
            r#"["p.yaml:a", "./p.yaml:b,a"]"#,
            "cannot load './p.yaml:b,a' as it's partially loaded already",
        ),
    ] {
        let dvcfile = format!(r#"{{"vars": {vars}, "stages": {{"t": {{"cmd": "x"}}}}}}"#);
        let error = Project::new(&dvcfile, files).error("t");
        assert_eq!(
            error,
            format!("failed to parse 'vars' in 'dvc.yaml':\n{message}")
        );
    }
    let twice = r#"{"vars": ["p.yaml", "p.yaml"], "stages": {"t": {"cmd": "x ${a}"}}}"#;
    assert_eq!(Project::new(twice, files).command("t"), "x 1");
    let apart = r#"{"vars": ["p.yaml:a", "p.yaml:b"], "stages": {"t": {"cmd": "${a} ${b}"}}}"#;
    assert_eq!(Project::new(apart, files).command("t"), "1 2");
}

#[test]
fn files_of_variables_that_are_of_no_use_are_named() {
    let files = [
        ("list.yaml", "[1]"),
        ("p.yaml", r#"{"alpha": 1}"#),
        ("bad.yaml", "{"),
    ];
    for (item, message) in [
        ("no.yaml", "'no.yaml' does not exist"),
        (
            "list.yaml",
            "expected a dictionary, got 'list' in file 'list.yaml'",
        ),
        ("p.yaml:alfa", "could not find 'alfa' in 'p.yaml'"),
        (
            "bad.yaml",
            "cannot read 'bad.yaml': EOF while parsing an object at line 1 column 1",
        ),
        ("${x}.yaml", "interpolating is not allowed"),
    ] {
        let dvcfile = format!(r#"{{"vars": ["{item}"], "stages": {{"t": {{"cmd": "x"}}}}}}"#);
        let error = Project::new(&dvcfile, files).error("t");
        assert_eq!(
            error,
            format!("failed to parse 'vars' in 'dvc.yaml': {message}")
        );
    }
    let empty = Project::new(
        r#"{"vars": ["empty.yaml"], "stages": {"t": {"cmd": "x"}}}"#,
        [("empty.yaml", "null")],
    );
    assert_eq!(empty.command("t"), "x");
    let mut elsewhere = Project::new(r#"{"vars": ["../no.yaml"], "stages": {}}"#, []);
    elsewhere.options.directory = "a/b".to_owned();
    assert_eq!(
        elsewhere.error("t"),
        "failed to parse 'vars' in 'a/b/dvc.yaml': 'a/no.yaml' does not exist"
    );
}

#[test]
fn stages_of_a_list_are_named_by_their_items() {
    let project = Project::new(
        r#"{"stages": {"build": {"foreach": ["us", "uk", 3, true], "do": {"cmd": "echo ${item} > ${item}.txt", "outs": ["${item}.txt"]}},
                       "join": {"cmd": "cat"}}}"#,
        [],
    );
    assert_eq!(
        project.names(),
        ["build@us", "build@uk", "build@3", "build@true", "join"]
    );
    assert_eq!(project.command("build@3"), "echo 3 > 3.txt");
    assert_eq!(
        project.error("build@fr"),
        "Stage 'build@fr' not found inside 'dvc.yaml' file"
    );
    assert_eq!(
        project.error("build"),
        "Stage 'build' not found inside 'dvc.yaml' file"
    );
    let resolver = project.resolver().expect("the variables are right");
    let group = resolver
        .group("build")
        .expect("it expands")
        .expect("it is a group");
    assert_eq!(group.members.len(), 4);
    assert_eq!(resolver.group("join").expect("no group"), None);
    assert_eq!(resolver.generated_from("build@us"), Some("build"));
    assert_eq!(resolver.generated_from("join"), None);
    assert_eq!(resolver.groups().expect("they expand"), [group]);
    assert!(resolver.is_parametrized("build@us").expect("it resolves"));
    assert!(!resolver.is_parametrized("join").expect("it resolves"));
}

#[test]
fn stages_of_a_list_with_composites_are_numbered() {
    let project = Project::new(
        r#"{"stages": {"c": {"foreach": [{"a": 1, "l": ["x", "y"]}, {"a": 2, "l": ["z", "w"]}],
                             "do": {"cmd": "echo ${item.a} ${item.l[1]} > c${item.a}.txt"}}}}"#,
        [],
    );
    assert_eq!(project.names(), ["c@0", "c@1"]);
    assert_eq!(project.command("c@1"), "echo 2 w > c2.txt");
}

#[test]
fn stages_of_a_mapping_have_keys() {
    let project = Project::new(
        r#"{"stages": {"train": {"foreach": {"small": {"n": 1, "thr": 0.5}, "large": {"n": 10, "thr": 0.9}},
                                 "do": {"cmd": "echo ${key} ${item.n} ${item.thr} > model-${key}.txt"}}}}"#,
        [],
    );
    assert_eq!(project.names(), ["train@small", "train@large"]);
    assert_eq!(
        project.command("train@large"),
        "echo large 10 0.9 > model-large.txt"
    );
}

#[test]
fn a_matrix_is_the_product_of_its_variables() {
    let project = Project::new(
        r#"{"stages": {"t": {"matrix": {"model": ["cnn", "mlp"], "lr": [0.1, 1e-3], "on": [true]},
                             "cmd": "echo ${item.model} ${item.lr} ${item.on} ${key} > t-${key}.txt"},
                       "c": {"matrix": {"m": "${models}", "f": "${flags}"}, "cmd": "${item.m.n} ${item.f}"}}}"#,
        [(
            "params.yaml",
            r#"{"models": [{"n": 1}, {"n": 2}], "flags": [true]}"#,
        )],
    );
    assert_eq!(
        project.names(),
        [
            "t@cnn-0.1-true",
            "t@cnn-0.001-true",
            "t@mlp-0.1-true",
            "t@mlp-0.001-true",
            // What a template brings is printed as Python prints it.
            "c@m0-True",
            "c@m1-True"
        ]
    );
    assert_eq!(
        project.command("t@mlp-0.001-true"),
        "echo mlp 0.001 true mlp-0.001-true > t-mlp-0.001-true.txt"
    );
    assert_eq!(project.command("c@m1-True"), "2 true");
}

#[test]
fn a_group_needs_items() {
    let project = Project::new(
        r#"{"stages": {"m": {"foreach": "${n}", "do": {"cmd": "echo ${item}"}}, "other": {"cmd": "x"}}}"#,
        [("params.yaml", r#"{"n": 5}"#)],
    );
    let resolver = project.resolver().expect("the variables are right");
    assert_eq!(
        resolver
            .stage_names()
            .expect_err("5 has no items")
            .to_string(),
        "failed to resolve 'stages.m.foreach' in 'dvc.yaml': expected list/dictionary, got int"
    );
    assert!(
        project
            .error("m@1")
            .contains("expected list/dictionary, got int")
    );
    assert_eq!(project.command("other"), "x");
}

#[test]
fn hidden_variables_are_warned_of() {
    let project = Project::new(
        r#"{"stages": {"a": {"foreach": {"k": 1}, "do": {"cmd": "${item} ${key}"}}, "b": {"foreach": [1], "do": {"cmd": "${item} ${key}"}}}}"#,
        [("params.yaml", r#"{"item": "i", "key": "g"}"#)],
    );
    let resolver = project.resolver().expect("the variables are right");
    assert!(resolver.warnings().is_empty());
    assert_eq!(project.command("a@k"), "1 k");
    assert_eq!(project.command("b@1"), "1 g");
    resolver.stage_names().expect("the groups are right");
    assert_eq!(
        resolver.warnings(),
        [
            "item and key are already specified, will be overwritten for stages generated from 'a'",
            "item is already specified, will be overwritten for stages generated from 'b'"
        ]
    );
}

#[test]
fn item_cannot_be_set_in_a_group() {
    let project = Project::new(
        r#"{"stages": {"b": {"foreach": {"k": 1}, "do": {"cmd": "x", "vars": [{"item": 1, "key": 2}]}},
                       "f": {"foreach": [1], "do": {"cmd": "x", "vars": ["i.yaml"]}}}}"#,
        [("i.yaml", r#"{"item": 1}"#)],
    );
    assert_eq!(
        project.error("b@k"),
        "failed to parse stage 'b@k' in 'dvc.yaml': attempted to modify reserved keys item and key"
    );
    assert_eq!(
        project.error("f@1"),
        "failed to parse stage 'f@1' in 'dvc.yaml': attempted to modify reserved key item in 'i.yaml'"
    );
}

#[test]
fn wrong_expressions_are_marked() {
    let project = Project::new(
        r#"{"stages": {"b": {"foreach": ["x"], "do": {"cmd": "${models.foo]}"}}}}"#,
        [],
    );
    assert_eq!(
        project.error("b@x"),
        // Syntax is looked at once for all stages of a group.
        "failed to parse 'stages.b.cmd' in 'dvc.yaml':\n${models.foo]}\n            ^\n\
         ParseException: Expected end of text, found ']'  (at char 12), (line:1, col:13)"
    );
}

#[test]
fn near_names_are_proposed() {
    let project = Project::new(
        r#"{"stages": {"train": {"cmd": "${model.depht}"}}}"#,
        [("params.yaml", r#"{"model": {"depth": 4}}"#)],
    );
    let resolver = project.resolver().expect("the variables are right");
    let help = |name| resolver.resolve(name).expect_err("it is wrong").help();
    assert_eq!(
        help("train").as_deref(),
        Some("did you mean `model.depth`?")
    );
    assert_eq!(help("trian").as_deref(), Some("did you mean `train`?"));
}

#[test]
fn other_sections_are_filled_in() {
    let project = Project::new(
        r#"{"params": ["${d}/p.yaml"], "metrics": ["${d}/m.json"], "plots": ["${d}/p", {"${d}": {"x": "a"}}],
            "artifacts": {"${d}": {"path": "${d}/model"}}, "stages": {"bad": {"cmd": "${none}"}}}"#,
        [("params.yaml", r#"{"d": "w", "n": 1}"#)],
    );
    let top = project
        .resolver()
        .and_then(|resolver| resolver.top_level())
        .expect("they are right");
    assert_eq!(
        (top.params, top.metrics),
        (vec!["w/p.yaml".to_owned()], vec!["w/m.json".to_owned()])
    );
    assert_eq!(
        top.plots,
        [Value::from("w/p"), json(r#"{"w": {"x": "a"}}"#)]
    );
    assert_eq!(
        top.artifacts.get(&Key::from("w")),
        Some(&json(r#"{"path": "w/model"}"#))
    );

    let wrong = Project::new(r#"{"metrics": ["m", "${none}"]}"#, []);
    let error = wrong.resolver().and_then(|resolver| resolver.top_level());
    assert_eq!(
        error.expect_err("it is wrong").to_string(),
        "failed to parse 'metrics.1' in 'dvc.yaml': Could not find 'none'"
    );
}

proptest! {
    /// Whatever a text has between its braces, the stage is resolved or refused.
    #[test]
    fn any_template_is_filled_in_or_refused(
        text in r"(\$\{|\}|\\|a|b|item|key|\.|\[|\]|0|-1|-9|99999999999999999999| |\n|é){0,12}",
        foreach in r"(\$\{(a|b|c|d|b\.x)\}|x)",
    ) {
        let stage = |group: bool| {
            let data = Value::Map([(Key::from("cmd"), Value::from(text.clone()))].into_iter().collect());
            if !group {
                return data;
            }
            let entries = [(Key::from("foreach"), Value::from(foreach.clone())), (Key::from("do"), data)];
            Value::Map(entries.into_iter().collect())
        };
        let stages = [("s", stage(false)), ("g", stage(true))];
        let stages = stages.map(|(name, stage)| (Key::from(name), stage)).into_iter().collect();
        let dvcfile = Value::Map([(Key::from("stages"), Value::Map(stages))].into_iter().collect());
        let files = Folder([("params.yaml", r#"{"a": 1, "b": {"x": [1, {"a": 2}]}, "c": [true, null], "d": {}}"#)].into());
        let resolver = Resolver::new(&dvcfile, &files, ResolverOptions::default());
        let resolver = resolver.expect("the variables are right");
        let names = resolver.stage_names().unwrap_or_else(|_| vec!["s".to_owned()]);
        for name in names {
            if let Err(error) = resolver.resolve(&name) {
                prop_assert!(error.to_string().contains("dvc.yaml"));
                let _ = error.help();
            }
        }
    }
}
