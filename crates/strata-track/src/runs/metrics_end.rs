//! The end of `metrics.jsonl`, without what lies before it.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use fs_err::File;

use crate::Row;

/// Enough for dozens of rows; a listing reads this much of each of a thousand runs.
const BLOCK: u64 = 8192;

/// What the last rows say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct MetricsEnd {
    /// The epoch of the last row that belongs to one.
    pub(super) epoch: Option<u64>,
    /// The time of the last row, in seconds since 1970.
    pub(super) time_s: Option<f64>,
    /// Whether the last line has no end.
    pub(super) is_torn: bool,
}

impl MetricsEnd {
    /// Reads the file's last block; nothing is said where there is no file.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        let start = length.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(BLOCK).read_to_end(&mut bytes)?;
        Ok(Self::of(&bytes))
    }

    /// The first line may be cut off at its beginning: what is no row is passed over.
    fn of(bytes: &[u8]) -> Self {
        let mut lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
        let torn = lines.pop().unwrap_or_default();
        let mut end = Self {
            is_torn: !torn.is_empty(),
            ..Self::default()
        };
        let rows = lines.iter().rev();
        for row in rows.filter_map(|line| serde_json::from_slice::<Row>(line).ok()) {
            end.time_s = end.time_s.or(Some(row.time_s));
            end.epoch = row.epoch;
            if end.epoch.is_some() {
                break;
            }
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_epoch_is_that_of_a_whole_row() {
        let text = "\"loss\":1}\n{\"step\":1,\"epoch\":7,\"time\":1.5}\n{\"step\":2,\"time\":2.5}\n{\"step\":3,\"epoch\":9";
        let end = MetricsEnd::of(text.as_bytes());
        let expected = MetricsEnd {
            epoch: Some(7),
            time_s: Some(2.5),
            is_torn: true,
        };
        assert_eq!(end, expected);
        assert_eq!(MetricsEnd::of(b""), MetricsEnd::default());
    }
}
