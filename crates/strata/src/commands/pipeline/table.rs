//! Tables of parameters and metrics.

use std::fmt::Write as _;

/// A table of Markdown as the Python package tabulate makes it (`github`): headers have two columns to spare.
pub(super) fn markdown(header: &[&str], rows: &[Vec<String>]) -> String {
    let widths = widths(header, rows);
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells = cells
            .zip(&widths)
            .map(|(cell, width)| format!("| {cell:width$} "));
        cells.collect::<String>() + "|\n"
    };
    let rule: String = widths
        .iter()
        .map(|width| format!("|{}", "-".repeat(width + 2)))
        .collect();
    let mut text = line(&mut header.iter().copied()) + &rule + "|\n";
    for row in rows {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text + "\n"
}

/// The same for people: no lines.
pub(super) fn plain(header: &[&str], rows: &[Vec<String>]) -> String {
    let widths = widths(header, rows);
    let mut text = String::new();
    let header = header.iter().map(|&title| title.to_owned()).collect();
    for row in std::iter::once(&header).chain(rows) {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn widths(header: &[&str], rows: &[Vec<String>]) -> Vec<usize> {
    let of_column = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells
            .max()
            .unwrap_or(0)
            .max(header[column].chars().count() + 2)
    };
    (0..header.len()).map(of_column).collect()
}
