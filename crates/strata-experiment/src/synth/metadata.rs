//! `metadata.yaml`: what an artifact was made from, and how.

use strata_config::{Key, Node, Value, to_yaml};
use strata_data::Splits;
use strata_data::synthetic::Synthetic;
use strata_data::transforms::Transforms;

use super::params::SynthParams;
use crate::config::SourceName;
use crate::synthetic::SOURCE_FINGERPRINT;

/// The text of the file; it depends on nothing but the arguments.
pub(super) fn yaml(
    params: &SynthParams,
    splits: &Splits,
    synthetic: &Synthetic,
    source_fingerprint: &str,
    drawn_with_replacement: &[String],
) -> String {
    let mut counts = vec![0_i64; splits.class_names.len()];
    for &label in &synthetic.dataset.labels {
        counts[usize::from(label)] += 1;
    }
    let names = splits.class_names.iter();
    let counts = names
        .zip(counts)
        .map(|(name, count)| (name.as_str(), int(count)));
    let list = |names: &[String]| list(names.iter().map(|name| text(name)));
    let source = match params.source {
        SourceName::Emnist => "emnist",
        SourceName::Glyphs => "glyphs",
    };
    to_yaml(&map([
        ("seed", int(params.seed as i64)),
        ("source", text(source)),
        ("split", text(&params.split)),
        // Where a run finds out whether the artifact is of its images.
        (SOURCE_FINGERPRINT, text(source_fingerprint)),
        ("source_images", int(splits.train.dataset.len() as i64)),
        (
            "num_samples_per_class",
            int(params.num_samples_per_class as i64),
        ),
        (
            "variants_per_sample",
            int(params.variants_per_sample as i64),
        ),
        ("total_images", int(synthetic.source_index.len() as i64)),
        ("drawn_with_replacement", list(drawn_with_replacement)),
        ("pixels", text("uint8, upright, not normalised")),
        ("transforms", transforms(&params.transforms)),
        ("class_counts", map(counts)),
    ]))
}

fn transforms(transforms: &Transforms) -> Node {
    let number = |value: Option<f64>| value.map_or(Node::new(Value::Null), float);
    let flag = |value: Option<bool>| value.map_or(Node::new(Value::Null), boolean);
    let range = |value: &Option<Vec<f64>>| match value {
        Some(values) => list(values.iter().map(|&value| float(value))),
        None => Node::new(Value::Null),
    };
    let elastic = transforms
        .elastic
        .map_or(Node::new(Value::Null), |elastic| {
            map([
                ("alpha", float(elastic.alpha)),
                ("sigma", float(elastic.sigma)),
            ])
        });
    map([
        ("rotation", number(transforms.rotation)),
        ("translate", number(transforms.translate)),
        ("shear", number(transforms.shear)),
        ("scale", range(&transforms.scale)),
        ("gaussian_noise", number(transforms.gaussian_noise)),
        ("horizontal_flip", flag(transforms.horizontal_flip)),
        ("random_resized_crop", flag(transforms.random_resized_crop)),
        (
            "random_resized_crop_scale",
            range(&transforms.random_resized_crop_scale),
        ),
        ("elastic", elastic),
    ])
}

fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Node)>) -> Node {
    let entries = entries.into_iter();
    let entries = entries.map(|(key, value)| (Key::Str(key.to_owned()), value));
    Node::new(Value::Map(entries.collect()))
}

fn list(items: impl IntoIterator<Item = Node>) -> Node {
    Node::new(Value::List(items.into_iter().collect()))
}

fn text(value: &str) -> Node {
    Node::new(Value::Str(value.to_owned()))
}

fn int(value: i64) -> Node {
    Node::new(Value::Int(value))
}

fn float(value: f64) -> Node {
    Node::new(Value::Float(value))
}

fn boolean(value: bool) -> Node {
    Node::new(Value::Bool(value))
}
