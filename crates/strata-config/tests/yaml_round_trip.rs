//! What is written can be read again.

use proptest::prelude::*;
use strata_config::{Key, Map, Node, Value, from_yaml, to_yaml};
use strata_diag::Source;

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>()
            .prop_filter("NaN equals nothing", |x| !x.is_nan())
            .prop_map(Value::Float),
        text().prop_map(Value::Str),
    ]
}

/// Texts that look like something else, long ones that are folded, and any others.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[-a-zA-Z0-9_:#'\" .~?!&*,\\[\\]{}|>%@`=<+\\\\]{0,20}",
        "([a-z']{1,9} {1,2}){5,30}[a-z]",
        "([a-z]{0,3}\n){1,3}[a-z ]{0,3}",
        any::<String>(),
        Just("1_000".to_owned()),
        Just("1e5".to_owned()),
        Just("yes".to_owned()),
        Just("2001-12-14".to_owned()),
    ]
}

fn value() -> impl Strategy<Value = Node> {
    let leaf = scalar().prop_map(Node::new);
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5)
                .prop_map(|items| Node::new(Value::List(items))),
            prop::collection::vec((text(), inner), 0..5).prop_map(|entries| {
                let entries = entries.into_iter().map(|(key, node)| (Key::Str(key), node));
                Node::new(Value::Map(entries.collect::<Map>()))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn load_of_dump_is_the_same(value in value()) {
        let document = Node::new(Value::Map([(Key::Str("root".to_owned()), value)].into_iter().collect()));
        let text = to_yaml(&document);
        let read = from_yaml(&Source::new("dump", text.clone()));
        prop_assert_eq!(read.map_err(|error| format!("{text}\n{error}")).unwrap(), document, "{}", text);
    }
}

/// The parser beneath panics at these.
#[test]
fn damaged_tags_are_errors() {
    for text in ["a: [!,", "!<", "[!!", "a: !%"] {
        let read = from_yaml(&Source::new("damaged", text.to_owned()));
        assert!(read.is_err(), "{text}");
    }
}
