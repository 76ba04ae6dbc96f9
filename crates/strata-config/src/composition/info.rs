//! How a configuration is put together, as `--info` prints it.

use std::fmt::Write as _;

use crate::composition::Composition;
use crate::defaults::list::tree_text;
use crate::search_path::ConfigSource;

impl Composition {
    /// `--info defaults`: the flattened defaults list.
    pub fn defaults_list_text(&self) -> String {
        let rows = self.expansion.placed.iter().map(|file| {
            let is_self = if file.is_self { "True" } else { "False" };
            [&file.config_path, &file.package, is_self, &file.parent].map(str::to_owned)
        });
        // Hydra ends the line of titles with a blank here, the others not, and rules it off with it.
        table(
            "Defaults List",
            ["Config path", "Package", "_self_", "Parent"],
            rows.collect(),
            " ",
        )
    }

    /// `--info defaults-tree`: the tree of defaults lists.
    pub fn defaults_tree_text(&self) -> String {
        titled("Defaults Tree") + &tree_text(&self.expansion.trees)
    }

    /// `--info searchpath`: where configurations are looked for.
    pub fn search_path_text(&self) -> String {
        let rows = self.search_path.entries.iter().map(|(provider, tree)| {
            let scheme = match tree {
                ConfigSource::Directory(_) => "file",
                ConfigSource::Embedded { .. } => "pkg",
            };
            [
                (*provider).to_owned(),
                format!("{scheme}://{}", tree.name()),
            ]
        });
        let titles = ["Provider", "Search path"];
        table("Config search path", titles, rows.collect(), "")
    }
}

fn titled(title: &str) -> String {
    format!("\n{title}\n{}\n", "*".repeat(title.len()))
}

/// Rows in aligned columns; `after_titles` stands at the end of the first line.
fn table<const N: usize>(
    title: &str,
    titles: [&str; N],
    rows: Vec<[String; N]>,
    after_titles: &str,
) -> String {
    let mut widths = titles.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |cells: [&str; N]| {
        let cells = cells.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        format!("| {} |", cells.join(" | "))
    };
    let head = line(titles) + after_titles;
    let rule = "-".repeat(head.chars().count());
    let mut out = titled(title);
    writeln!(out, "{head}\n{rule}").expect("a string takes everything");
    for row in &rows {
        let cells = std::array::from_fn(|column| row[column].as_str());
        writeln!(out, "{}", line(cells)).expect("a string takes everything");
    }
    out + &rule + "\n"
}
