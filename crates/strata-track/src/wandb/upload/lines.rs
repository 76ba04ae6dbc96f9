//! Numbered lines on their way to one file of the server.

/// The lines of one file. Those that the server has already are counted and let go.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The number that this run's first line has on the server.
    base: u64,
    /// Lines, from the first one on, that the server has.
    sent: u64,
    /// Lines so far.
    count: u64,
    pending: Vec<String>,
    pending_bytes: usize,
}

impl Lines {
    /// Begins at the server's line `base`; of this run's own lines it has `sent`.
    pub(super) fn begin(&mut self, base: u64, sent: u64) {
        self.base = base;
        let known = (sent - self.sent.min(sent)).min(self.pending.len() as u64) as usize;
        self.sent = sent;
        for line in self.pending.drain(..known) {
            self.pending_bytes -= line.len();
        }
    }

    pub(super) fn push(&mut self, line: String) {
        self.count += 1;
        if self.count > self.sent {
            self.pending_bytes += line.len();
            self.pending.push(line);
        }
    }

    pub(super) fn pending_bytes(&self) -> usize {
        self.pending_bytes
    }

    /// The next lines, not more than `bytes` in all but at least one, and the number of the first.
    pub(super) fn next(&self, bytes: usize) -> Option<(u64, &[String])> {
        let mut room = bytes;
        let fitting = self.pending.iter().take_while(|line| {
            let fits = line.len() <= room;
            room -= line.len().min(room);
            fits
        });
        let count = fitting.count().max(1).min(self.pending.len());
        (count > 0).then(|| (self.base + self.sent, &self.pending[..count]))
    }

    /// The server has so many lines more.
    pub(super) fn confirm(&mut self, count: usize) {
        for line in self.pending.drain(..count) {
            self.pending_bytes -= line.len();
        }
        self.sent += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(range: std::ops::Range<u64>) -> impl Iterator<Item = String> {
        range.map(|number| format!("line {number}"))
    }

    #[test]
    fn lines_that_the_server_has_are_not_sent_again() {
        for begun_after in 0..=6 {
            let mut stream = Lines::default();
            lines(0..begun_after).for_each(|line| stream.push(line));
            stream.begin(100, 4);
            lines(begun_after..6).for_each(|line| stream.push(line));
            let expected: Vec<String> = lines(4..6).collect();
            assert_eq!(stream.next(1000), Some((104, expected.as_slice())));
            stream.confirm(2);
            assert_eq!(stream.next(1000), None);
            assert_eq!(stream.pending_bytes(), 0);
        }
    }

    #[test]
    fn a_request_holds_what_fits_and_at_least_a_line() {
        let mut stream = Lines::default();
        lines(0..3).for_each(|line| stream.push(line));
        let lengths = |bytes| stream.next(bytes).map(|(_, lines)| lines.len());
        assert_eq!(
            (lengths(1), lengths(11), lengths(12)),
            (Some(1), Some(1), Some(2))
        );
    }
}
