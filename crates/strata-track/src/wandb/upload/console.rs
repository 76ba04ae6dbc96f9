//! Console output: pieces of text to numbered lines.

use jiff::Timestamp;

use crate::wandb::json::push_string;

/// How the server wants lines of `output.log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineFormat {
    /// JSON objects (servers with `STRUCTURED_CONSOLE_LOGS`).
    Structured,
    /// A time and the text.
    Plain,
}

/// Both streams' unfinished lines.
#[derive(Debug, Default)]
pub(super) struct ConsoleLines {
    output: Unfinished,
    errors: Unfinished,
}

#[derive(Debug, Default)]
struct Unfinished {
    text: String,
    since: Option<Timestamp>,
}

impl ConsoleLines {
    /// Takes a piece of output and appends the lines it completes to `lines`.
    pub(super) fn add(
        &mut self,
        text: &str,
        is_error: bool,
        time: Timestamp,
        format: LineFormat,
        lines: &mut Vec<String>,
    ) {
        let unfinished = if is_error {
            &mut self.errors
        } else {
            &mut self.output
        };
        for piece in text.split_inclusive('\n') {
            unfinished.since.get_or_insert(time);
            match piece.strip_suffix('\n') {
                Some(piece) => {
                    unfinished.text.push_str(piece);
                    lines.extend(unfinished.end(is_error, format));
                }
                None => unfinished.text.push_str(piece),
            }
        }
    }

    /// The lines that have no end, once nothing more comes.
    pub(super) fn end(&mut self, format: LineFormat, lines: &mut Vec<String>) {
        lines.extend(self.output.end(false, format));
        lines.extend(self.errors.end(true, format));
    }
}

impl Unfinished {
    fn end(&mut self, is_error: bool, format: LineFormat) -> Option<String> {
        let time = self.since.take()?;
        let text = std::mem::take(&mut self.text);
        // A progress bar goes back to the line's beginning: the last state is what is seen.
        let shown = text.trim_end_matches('\r').rsplit('\r').next();
        let shown = shown.unwrap_or_default();
        let time = time.strftime("%Y-%m-%dT%H:%M:%S%.6f");
        Some(match format {
            LineFormat::Structured => {
                let level = if is_error { r#""level":"error","# } else { "" };
                let mut line = format!(r#"{{{level}"ts":"{time}","content":"#);
                push_string(&mut line, shown);
                line.push('}');
                line
            }
            LineFormat::Plain if is_error => format!("ERROR {time} {shown}"),
            LineFormat::Plain => format!("{time} {shown}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_lines_of_their_streams() {
        let mut console = ConsoleLines::default();
        let mut lines = Vec::new();
        let time = Timestamp::UNIX_EPOCH;
        for (text, is_error) in [
            ("one\ntw", false),
            ("oh \"no\"\n", true),
            ("o\r\n", false),
            ("1%\r2%", false),
        ] {
            console.add(text, is_error, time, LineFormat::Structured, &mut lines);
        }
        console.end(LineFormat::Structured, &mut lines);
        let line = |level: &str, text: &str| {
            format!(r#"{{{level}"ts":"1970-01-01T00:00:00.000000","content":"{text}"}}"#)
        };
        assert_eq!(
            lines,
            [
                line("", "one"),
                line(r#""level":"error","#, r#"oh \"no\""#),
                line("", "two"),
                line("", "2%"),
            ]
        );
    }
}
