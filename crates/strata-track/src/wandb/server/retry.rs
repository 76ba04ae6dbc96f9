//! What is tried again, how often and after how long.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How a kind of request is tried again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::wandb) struct RetryPolicy {
    /// Tries after the first.
    pub(in crate::wandb) retries: u32,
    /// The wait before the second try; it doubles with each further one.
    pub(in crate::wandb) least_wait: Duration,
    /// No wait is longer, but one that the server asks for.
    pub(in crate::wandb) longest_wait: Duration,
    /// For one try.
    pub(in crate::wandb) timeout: Duration,
}

impl RetryPolicy {
    /// The wait after `failures` tries, 25 % of it by chance (`chance` in 0..1), so that the jobs of a sweep do not
    /// all come back at once.
    pub(super) fn wait(&self, failures: u32, chance: f64) -> Duration {
        let factor = 2.0_f64.powi(failures.saturating_sub(1).min(30) as i32);
        let wait = (self.least_wait.as_secs_f64() * factor).min(self.longest_wait.as_secs_f64());
        Duration::from_secs_f64(wait * (1.0 + 0.25 * chance))
    }
}

/// Whether an answer with this status may be another one later; 409 is the server's word on a run that is not to be.
pub(super) fn may_change(status: u16) -> bool {
    !matches!(status, 400 | 401 | 403 | 404 | 409 | 410 | 413 | 422 | 501)
}

/// `Retry-After`: seconds, or a date of HTTP (RFC 9110).
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?;
    let now_s = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let seconds = u64::try_from(date.timestamp().as_second()).ok()?;
    Some(Duration::from_secs(seconds.saturating_sub(now_s)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let policy = RetryPolicy {
            retries: 20,
            least_wait: Duration::from_secs(2),
            longest_wait: Duration::from_mins(1),
            timeout: Duration::from_secs(30),
        };
        let seconds = |failures| policy.wait(failures, 0.0).as_secs_f64();
        assert_eq!((seconds(1), seconds(2), seconds(5)), (2.0, 4.0, 32.0));
        assert_eq!((seconds(6), seconds(10_000)), (60.0, 60.0));
        assert_eq!(policy.wait(1, 1.0), Duration::from_secs(2).mul_f64(1.25));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = UNIX_EPOCH + Duration::from_secs(1_445_412_470);
        assert_eq!(retry_after("1.5", now), Some(Duration::from_millis(1500)));
        let date = "Wed, 21 Oct 2015 07:28:00 GMT";
        assert_eq!(retry_after(date, now), Some(Duration::from_secs(10)));
        assert_eq!(retry_after("-3", now), None);
        assert_eq!(retry_after("soon", now), None);
    }
}
