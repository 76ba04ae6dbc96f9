//! Entries of `.gitignore` for outputs that the cache keeps.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use strata_fs::write_atomically;

use crate::git::Git;
use crate::hash::is_missing;

/// Lets Git ignore paths, by an entry in the `.gitignore` of each one's folder, unless it is ignored already. Gives the
/// files that have changed.
///
/// # Errors
/// Those of Git and of writing.
pub(crate) fn ignore(git: &Git, paths: &[&Path]) -> io::Result<Vec<PathBuf>> {
    let mut texts: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut asked = Vec::new();
    for path in paths {
        let Some((file, entry)) = file_and_entry(path) else {
            continue;
        };
        if !texts.contains_key(&file) {
            texts.insert(file.clone(), read(&file)?);
        }
        if !texts[&file].lines().any(|line| line == entry) {
            asked.push((*path, file, entry));
        }
    }
    let paths: Vec<&Path> = asked.iter().map(|(path, ..)| *path).collect();
    let ignored = git.ignored(&paths)?;
    let mut changed = Vec::new();
    for ((_, file, entry), is_ignored) in asked.into_iter().zip(ignored) {
        if is_ignored {
            continue;
        }
        let text = texts.entry(file.clone()).or_default();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&entry);
        text.push('\n');
        if !changed.contains(&file) {
            changed.push(file);
        }
    }
    for file in &changed {
        write_atomically(file, texts[file].as_bytes())?;
    }
    Ok(changed)
}

/// Takes the entry of `path` out again, and the file with its last entry.
///
/// # Errors
/// Those of reading and writing.
pub(crate) fn unignore(path: &Path) -> io::Result<()> {
    let Some((file, entry)) = file_and_entry(path) else {
        return Ok(());
    };
    let text = read(&file)?;
    let left: Vec<&str> = text.lines().filter(|line| *line != entry).collect();
    if left.len() == text.lines().count() {
        return Ok(());
    }
    if left.is_empty() {
        return fs_err::remove_file(&file);
    }
    write_atomically(&file, (left.join("\n") + "\n").as_bytes())
}

/// The `.gitignore` beside a path, and the line in it that means this path alone.
fn file_and_entry(path: &Path) -> Option<(PathBuf, String)> {
    let name = path.file_name()?.to_str()?;
    Some((
        path.with_file_name(".gitignore"),
        format!("/{}", escaped(name)),
    ))
}

fn read(file: &Path) -> io::Result<String> {
    match fs_err::read_to_string(file) {
        Ok(text) => Ok(text),
        Err(error) if is_missing(&error) => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// A name as a pattern that matches itself alone.
fn escaped(name: &str) -> String {
    let mut pattern = String::new();
    for (index, character) in name.chars().enumerate() {
        let special = matches!(character, '[' | ']' | '*' | '?' | '\\' | '#' | '!');
        if special && (index == 0 || !matches!(character, '#' | '!')) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
