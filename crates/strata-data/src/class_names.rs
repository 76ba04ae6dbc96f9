//! What the labels of EMNIST's splits mean.

/// The classes of the Balanced split, in the order of its labels: digits, capitals, and those small
/// letters that do not look like their capitals.
pub const BALANCED_CLASSES: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt";

const BY_CLASS: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// EMNIST's splits.
pub(crate) const SPLITS: [&str; 6] = [
    "balanced", "byclass", "bymerge", "letters", "digits", "mnist",
];

/// Names of the classes of a split of EMNIST; none for an unknown split.
pub fn class_names(split: &str) -> Option<Vec<String>> {
    let names = match split {
        "balanced" | "bymerge" => BALANCED_CLASSES,
        "byclass" => BY_CLASS,
        "letters" => "abcdefghijklmnopqrstuvwxyz",
        "digits" | "mnist" => "0123456789",
        _ => return None,
    };
    Some(names.chars().map(String::from).collect())
}

/// The label of the first class: the Letters split counts from 1.
pub(crate) fn first_label(split: &str) -> u8 {
    u8::from(split == "letters")
}
