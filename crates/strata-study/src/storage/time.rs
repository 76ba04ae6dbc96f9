//! Times as Optuna's files have them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// As databases have it: UTC, without a zone, to the microsecond.
pub(super) fn for_database(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

/// As journals have it: UTC, with its offset, to the microsecond.
pub(super) fn for_journal(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

/// Reads a time with or without a fraction, with a space or a `T`, and with an offset or, without one, in `zone`.
pub(super) fn parse(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    zone.to_timestamp(text.parse::<DateTime>().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let time: Timestamp = "2024-02-29T23:59:00.123456Z".parse().expect("a time");
        assert_eq!(for_database(time), "2024-02-29 23:59:00.123456");
        assert_eq!(for_journal(time), "2024-02-29T23:59:00.123456+00:00");
        assert_eq!(parse(&for_database(time), &TimeZone::UTC), Some(time));
        assert_eq!(parse(&for_journal(time), &TimeZone::UTC), Some(time));
    }

    #[test]
    fn other_programs_spellings_are_read() {
        let time: Timestamp = "2024-02-29T23:59:00Z".parse().expect("a time");
        let east = TimeZone::fixed(jiff::tz::offset(1));
        let table = [
            ("2024-02-29 23:59:00", &TimeZone::UTC),
            ("2024-02-29T23:59:00.000000", &TimeZone::UTC),
            ("2024-03-01T00:59:00+01:00", &TimeZone::UTC),
            ("2024-03-01 00:59:00.000", &east),
            ("2024-02-29T23:59:00Z", &east),
        ];
        for (text, zone) in table {
            assert_eq!(parse(text, zone), Some(time), "{text}");
        }
        assert_eq!(parse("yesterday", &TimeZone::UTC), None);
        assert_eq!(parse("", &TimeZone::UTC), None);
    }
}
