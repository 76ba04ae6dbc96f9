//! `metrics.csv`: every logged row under a header of all columns, for spreadsheets and data frames.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::append_file::AppendFile;
use crate::{Row, RunState, Sink, SinkError};

/// Writes `metrics.csv` (RFC 4180, with `\n`): the columns `step` and `epoch`, then one for each name in the order first
/// logged. What a row does not have is empty; NaN and the infinities are `nan`, `inf` and `-inf`, as pandas reads them.
///
/// Each row reaches the file at once. A new column makes the file anew, whole or not at all.
#[derive(Debug)]
pub struct CsvSink {
    path: PathBuf,
    columns: Vec<String>,
    places: HashMap<String, usize>,
    /// Absent until there is a row.
    file: Option<AppendFile>,
}

impl CsvSink {
    /// A new file in place of one that is there.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            columns: Vec::new(),
            places: HashMap::new(),
            file: None,
        }
    }

    /// Makes the file anew, under a header with the columns that `row` brings.
    fn widen(&mut self, row: &Row) -> Result<(), SinkError> {
        let before = self.columns.len();
        for name in row.values.keys() {
            if !self.places.contains_key(name) {
                self.places.insert(name.clone(), self.columns.len());
                self.columns.push(name.clone());
            }
        }
        let path = self.path.clone();
        let failed = |source| SinkError::Write {
            path: path.clone(),
            source,
        };
        let mut text = header(&self.columns);
        if let Some(file) = &mut self.file {
            file.flush()?;
            let old = fs_err::read_to_string(&self.path).map_err(failed)?;
            let commas = ",".repeat(self.columns.len() - before);
            for line in old.lines().skip(1) {
                text.push_str(line);
                text.push_str(&commas);
                text.push('\n');
            }
        }
        strata_fs::write_atomically(&self.path, text.as_bytes()).map_err(failed)?;
        let opened = fs_err::OpenOptions::new().append(true).open(&self.path);
        self.file = Some(AppendFile::new(opened.map_err(failed)?, text.len() as u64));
        Ok(())
    }
}

impl Sink for CsvSink {
    fn name(&self) -> &'static str {
        "metrics.csv"
    }

    fn log(&mut self, row: &Row) -> Result<(), SinkError> {
        let is_new = |name: &String| !self.places.contains_key(name);
        if self.file.is_none() || row.values.keys().any(is_new) {
            self.widen(row)?;
        }
        let mut fields = vec![String::new(); self.columns.len()];
        for (name, value) in &row.values {
            fields[self.places[name]] = number(*value);
        }
        let epoch = row.epoch.map_or(String::new(), |epoch| epoch.to_string());
        let mut line = format!("{},{epoch}", row.step);
        for field in fields {
            line.push(',');
            line.push_str(&field);
        }
        line.push('\n');
        match &mut self.file {
            Some(file) => file.append(|buffer, _| buffer.extend_from_slice(line.as_bytes())),
            None => Ok(()),
        }
    }

    fn hold(&mut self) {
        if let Some(file) = &mut self.file {
            file.hold();
        }
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.file.as_mut().map_or(Ok(()), AppendFile::flush)
    }

    fn finish(&mut self, _state: RunState) -> Result<(), SinkError> {
        self.file.as_mut().map_or(Ok(()), AppendFile::sync)
    }
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "nan".to_owned()
    } else {
        value.to_string()
    }
}

fn header(columns: &[String]) -> String {
    let mut text = String::from("step,epoch");
    for column in columns {
        text.push(',');
        if column.contains([',', '"', '\n', '\r']) {
            text.push('"');
            text.push_str(&column.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(column);
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_column_widens_the_lines_that_are_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("metrics.csv");
        let mut sink = CsvSink::new(&path);
        sink.hold();
        let rows = [
            Row::new(1, Some(1)).with("train/loss", 0.5),
            Row::new(2, None).with("train/loss", f64::NAN),
            Row::new(3, Some(1)).with("a \"b\", c", f64::INFINITY),
        ];
        for row in &rows {
            sink.log(row).expect("written");
        }
        sink.finish(RunState::Finished).expect("written");
        let text = fs_err::read_to_string(&path).expect("read");
        assert_eq!(
            text,
            "step,epoch,train/loss,\"a \"\"b\"\", c\"\n1,1,0.5,\n2,,nan,\n3,1,,inf\n"
        );
    }
}
