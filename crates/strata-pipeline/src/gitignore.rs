//! Entries of `.gitignore` for outputs that the cache keeps.

use std::io;
use std::path::{Path, PathBuf};

use strata_fs::write_atomically;

use crate::git::Git;
use crate::hash::is_missing;

/// Lets Git ignore `path`, by an entry in its own folder's `.gitignore`, unless it is ignored already.
///
/// # Errors
/// Those of Git and of writing.
pub(crate) fn ignore(git: &Git, path: &Path) -> io::Result<()> {
    let Some((file, entry)) = file_and_entry(path) else {
        return Ok(());
    };
    let mut text = read(&file)?;
    if text.lines().any(|line| line == entry) || git.is_ignored(path)? {
        return Ok(());
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&entry);
    text.push('\n');
    write_atomically(&file, text.as_bytes())
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
