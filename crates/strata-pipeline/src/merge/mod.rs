//! Three-way merges of the files that commands write, for Git.
//!
//! * [`lock_file`]: `dvc.lock`, stage by stage.
//! * [`data_file`]: `.dvc` files, key by key, and the folders that they name file by file.
//!
//! The unit is what was written at once: the entry of a stage is the record of one run, and a mixture of two
//! of them would be the record of none.

mod data_file;
mod lock_file;

pub use data_file::data_file;
pub use lock_file::lock_file;

use crate::value::Value;
use crate::yaml::to_text;

/// The three texts of a file.
#[derive(Debug, Clone, Copy)]
pub struct Versions<'a> {
    /// Of the last common commit; empty if there was no such file.
    pub base: &'a str,
    /// Of this branch.
    pub ours: &'a str,
    /// Of the branch that is merged.
    pub theirs: &'a str,
}

/// What a merge comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// The text.
    Clean(String),
    /// What both sides changed.
    Conflicts {
        /// The text with Git's markers; nothing where only a merge line by line can show the conflicts.
        text: Option<String>,
        /// Each conflict in words, without the name of the file.
        conflicts: Vec<String>,
    },
}

/// Whose version of a part is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Ours,
    Theirs,
    /// Both have changed it, and not to the same.
    Neither,
}

/// The side that alone has changed a part, which may be missing; ours if none has.
fn changed_side(base: Option<&Value>, ours: Option<&Value>, theirs: Option<&Value>) -> Side {
    if same(ours, theirs) || same(base, theirs) {
        Side::Ours
    } else if same(base, ours) {
        Side::Theirs
    } else {
        Side::Neither
    }
}

/// Equal as written: unlike their values, two `.nan` are the same, and `1` and `1.0` are not.
fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b || to_text(a) == to_text(b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// A conflict in words.
fn conflict(what: &str, ours: Option<&Value>, theirs: Option<&Value>) -> String {
    match (ours.is_some(), theirs.is_some()) {
        (true, false) => format!("{what} was changed here and removed there"),
        (false, true) => format!("{what} was removed here and changed there"),
        _ => format!("{what} was changed on both sides"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_side_that_has_changed_is_taken() {
        let (one, two, three) = (Value::Int(1), Value::Int(2), Value::Int(3));
        let nan = Value::Float(f64::NAN);
        for (base, ours, theirs, side) in [
            (Some(&one), Some(&one), Some(&one), Side::Ours),
            (Some(&one), Some(&two), Some(&one), Side::Ours),
            (Some(&one), Some(&one), Some(&two), Side::Theirs),
            (Some(&one), Some(&two), Some(&two), Side::Ours),
            (Some(&one), Some(&two), Some(&three), Side::Neither),
            (Some(&one), None, Some(&one), Side::Ours),
            (Some(&one), Some(&one), None, Side::Theirs),
            (Some(&one), Some(&two), None, Side::Neither),
            (None, None, Some(&one), Side::Theirs),
            (None, Some(&one), Some(&two), Side::Neither),
            (Some(&nan), Some(&nan), Some(&one), Side::Theirs),
        ] {
            assert_eq!(
                changed_side(base, ours, theirs),
                side,
                "{base:?} {ours:?} {theirs:?}"
            );
        }
    }
}
