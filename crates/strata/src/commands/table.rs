//! Tables: aligned for the eye, as CSV, as JSON.

use clap::Args;
use strata_track::runs::Fact;

use crate::output;

#[derive(Debug, Clone, Copy, Args)]
#[group(multiple = false)]
pub(crate) struct FormatArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Print CSV
    #[arg(long)]
    csv: bool,
}

impl FormatArgs {
    /// Whether JSON is wanted.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Whether programs read it, who want values as they are.
    pub(crate) fn is_for_programs(self) -> bool {
        self.json || self.csv
    }
}

/// Rows of facts under names; what a row does not have is absent.
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Option<Fact>>>,
}

impl Table {
    pub(crate) fn print(&self, format: FormatArgs) -> anyhow::Result<()> {
        output::print(&if format.json {
            self.json()
        } else if format.csv {
            self.csv()
        } else {
            self.aligned()
        })
    }

    /// A list of objects.
    fn json(&self) -> String {
        let rows = self.rows.iter().map(|row| {
            let fields = self.columns.iter().zip(row);
            fields
                .map(|(name, fact)| {
                    let json = fact.as_ref().map(Fact::json).unwrap_or_default();
                    (name.clone(), json)
                })
                .collect()
        });
        let rows = serde_json::Value::Array(rows.map(serde_json::Value::Object).collect());
        format!("{rows:#}\n")
    }

    fn csv(&self) -> String {
        let quoted = |text: &str| {
            if text.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text.to_owned()
            }
        };
        let exact = |fact: &Option<Fact>| match fact {
            None | Some(Fact::Null) => String::new(),
            Some(Fact::Number(number)) => number.to_string(),
            Some(fact) => quoted(&fact.to_string()),
        };
        let header: Vec<String> = self.columns.iter().map(|name| quoted(name)).collect();
        let mut text = header.join(",") + "\n";
        for row in &self.rows {
            let fields: Vec<String> = row.iter().map(exact).collect();
            text.push_str(&fields.join(","));
            text.push('\n');
        }
        text
    }

    /// Columns with numbers to the right, those with texts alone to the left.
    fn aligned(&self) -> String {
        let shown = |fact: &Option<Fact>| {
            let text = fact.as_ref().map_or("-".to_owned(), Fact::to_string);
            on_one_line(&text)
        };
        let cells: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(shown).collect())
            .collect();
        let mut text = String::new();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let in_column = cells
                    .iter()
                    .map(|row| console::measure_text_width(&row[column]));
                let name = console::measure_text_width(&self.columns[column]);
                in_column.chain([name]).max().unwrap_or(0)
            })
            .collect();
        let has_numbers = |column: usize| {
            let mut facts = self.rows.iter().filter_map(|row| row[column].as_ref());
            facts.any(|fact| matches!(fact, Fact::Number(_)))
        };
        let mut push = |row: &[String]| {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let padding = " ".repeat(widths[column] - console::measure_text_width(cell));
                let (before, after) = if has_numbers(column) {
                    (padding.as_str(), "")
                } else {
                    ("", padding.as_str())
                };
                line.push_str(before);
                line.push_str(cell);
                line.push_str(after);
                line.push_str("  ");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        };
        push(&self.columns);
        for row in &cells {
            push(row);
        }
        text
    }
}

/// Text of several lines, or one that would write elsewhere on the terminal, keeps to its cell.
fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let row = |name: &str, number: Option<f64>| {
            vec![Some(Fact::Text(name.to_owned())), number.map(Fact::Number)]
        };
        let table = Table {
            columns: ["run", "größe"].map(str::to_owned).to_vec(),
            rows: vec![
                row("日本", Some(12.0)),
                row("a\nb\u{1b}[2J", Some(0.5)),
                row("ü", None),
            ],
        };
        let expected = "\
run            größe
日本              12
a\\nb\\u{1b}[2J    0.5
ü                  -
";
        assert_eq!(table.aligned(), expected);
    }

    #[test]
    fn csv_quotes_what_has_commas() {
        let table = Table {
            columns: vec!["a,b".to_owned(), "c".to_owned()],
            rows: vec![vec![Some(Fact::Text("say \"x\"\n".to_owned())), None]],
        };
        assert_eq!(table.csv(), "\"a,b\",c\n\"say \"\"x\"\"\n\",\n");
    }
}
