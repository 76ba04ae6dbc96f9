//! What is written is read back the same, and no text makes the reader panic.

use proptest::prelude::*;
use strata_pipeline::value::{Key, Map, Value};
use strata_pipeline::yaml::{Document, read, to_text};

fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-z]{1,12}",
        "[-:#?'\"\\\\{}\\[\\],&*!|>%@`~=<.0-9_+eExo ]{0,8}",
        "[é☃日😀\u{85}\u{2028}\u{feff}\t\n\r\u{1} ]{0,3}",
        "[a-z/]{60,90}",
    ];
    prop_oneof![
        prop::collection::vec(word, 0..24).prop_map(|words| words.join(" ")),
        any::<String>(),
    ]
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        8 => text().prop_map(Key::Str),
        1 => any::<i64>().prop_map(|number| Key::Int(i128::from(number))),
        1 => any::<bool>().prop_map(Key::Bool),
        1 => Just(Key::Null),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i128>().prop_map(Value::Int),
        prop::num::f64::NORMAL.prop_map(Value::Float),
        Just(Value::Float(f64::INFINITY)),
        text().prop_map(Value::Str),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            prop::collection::vec((key(), inner), 0..5)
                .prop_map(|entries| Value::Map(Map::from_iter(entries))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(value in value()) {
        let written = to_text(&value);
        prop_assert_eq!(read("written", &written), Ok(value), "{}", written);
    }

    #[test]
    fn a_document_of_what_was_written_stays_as_it_is(value in value()) {
        let written = to_text(&value);
        let document = Document::parse("written", &written).expect("what was written is read");
        prop_assert_eq!(document.to_text(), written);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[-:#?'\"{}\\[\\],&*!|> \n\ta-c0é]{0,60}") {
        if let Ok(mut document) = Document::parse("any", &text) {
            let _ = document.to_text();
            document.set(&["a", "b"], Value::Int(1));
            document.remove(&["c"]);
            let _ = document.to_text();
        }
    }
}
