//! Values separated by commas or tabs, after RFC 4180.

/// The records of a text; empty lines are none.
///
/// A field in quotation marks may hold separators, line breaks, and quotation marks that are doubled. What follows the
/// closing mark belongs to the field, as in Python's `csv`.
pub(super) fn records(text: &str, separator: char) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let mut record: Vec<String> = Vec::new();
    let mut field = String::new();
    let mut is_quoted = false;
    let mut is_new_field = true;
    let mut letters = text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .chars()
        .peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' if is_quoted => is_quoted = false,
            _ if is_quoted => field.push(letter),
            '"' if is_new_field => {
                is_quoted = true;
                is_new_field = false;
            }
            '\r' if letters.peek() == Some(&'\n') => {}
            '\n' => {
                end_record(&mut records, &mut record, &mut field);
                is_new_field = true;
            }
            _ if letter == separator => {
                record.push(std::mem::take(&mut field));
                is_new_field = true;
            }
            _ => {
                field.push(letter);
                is_new_field = false;
            }
        }
    }
    end_record(&mut records, &mut record, &mut field);
    records
}

fn end_record(records: &mut Vec<Vec<String>>, record: &mut Vec<String>, field: &mut String) {
    if record.is_empty() && field.is_empty() {
        return;
    }
    record.push(std::mem::take(field));
    records.push(std::mem::take(record));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields_hold_separators_breaks_and_marks() {
        let text = "\u{feff}a,b\r\n\"1,2\",\"x\n\"\"y\"\"\"\n\n,\n3,q\"q";
        assert_eq!(
            records(text, ','),
            [
                vec!["a", "b"],
                vec!["1,2", "x\n\"y\""],
                vec!["", ""],
                vec!["3", "q\"q"]
            ]
        );
        assert_eq!(records("a\tb\n", '\t'), [["a", "b"]]);
        assert!(records("", ',').is_empty());
    }
}
