//! What the machine is doing, under the names that W&B's system tab shows.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::json::{Json, NotANumber};
use super::messages::{Stats, StatsItem};

/// The kernel's unit of processor time in `/proc`, fixed for programs (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Samples of this process and its machine, from Linux's `/proc`; elsewhere there are none.
#[derive(Debug)]
pub(super) struct SystemStats {
    proc: PathBuf,
    interval: Duration,
    due: Instant,
    before: Option<Counters>,
    received_at_start: Option<(f64, f64)>,
}

/// What only differences say something about.
#[derive(Debug, Clone)]
struct Counters {
    time: Instant,
    process_ticks: f64,
    /// Busy and all ticks of each core.
    cores: Vec<(f64, f64)>,
}

impl SystemStats {
    pub(super) fn new(interval: Duration) -> Self {
        Self::of(Path::new("/proc"), interval, Instant::now())
    }

    /// The first sample is due at `now`.
    fn of(proc: &Path, interval: Duration, now: Instant) -> Self {
        Self {
            proc: proc.to_owned(),
            interval,
            due: now,
            before: None,
            received_at_start: None,
        }
    }

    /// A sample, if one is due.
    pub(super) fn sample(&mut self, now: Instant) -> Option<Stats> {
        if now < self.due {
            return None;
        }
        self.due = now + self.interval;
        let mut facts = Vec::new();
        self.processors(now, &mut facts);
        self.memory(&mut facts);
        self.network(&mut facts);
        if facts.is_empty() {
            return None;
        }
        let item = |(key, value): (String, f64)| StatsItem {
            key,
            value_json: Json::Number(value).written(NotANumber::Null),
        };
        Some(Stats {
            timestamp: Some(jiff::Timestamp::now().into()),
            item: facts.into_iter().map(item).collect(),
        })
    }

    /// Shares of processors since the sample before, in percent.
    fn processors(&mut self, now: Instant, facts: &mut Vec<(String, f64)>) {
        let stat = self.read("self/stat");
        // The name of the program may hold anything; what follows it has fixed places (proc(5)).
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let fields: Vec<f64> = fields
            .split_whitespace()
            .map(|field| field.parse().unwrap_or(0.0))
            .collect();
        let (Some(user), Some(system)) = (fields.get(11), fields.get(12)) else {
            return;
        };
        if let Some(threads) = fields.get(17) {
            facts.push(("proc.cpu.threads".to_owned(), *threads));
        }
        let counters = Counters {
            time: now,
            process_ticks: user + system,
            cores: cores(&self.read("stat")),
        };
        if let Some(before) = &self.before {
            let seconds = now.duration_since(before.time).as_secs_f64();
            let ticks = counters.process_ticks - before.process_ticks;
            let all = counters.cores.len().max(1) as f64;
            let share = 100.0 * ticks / TICKS_PER_SECOND / seconds.max(1e-9) / all;
            facts.push(("cpu".to_owned(), share));
            for (index, (now, then)) in counters.cores.iter().zip(&before.cores).enumerate() {
                let (busy, all) = (now.0 - then.0, now.1 - then.1);
                if all > 0.0 {
                    facts.push((format!("cpu.{index}.cpu_percent"), 100.0 * busy / all));
                }
            }
        }
        self.before = Some(counters);
    }

    fn memory(&self, facts: &mut Vec<(String, f64)>) {
        let status = self.read("self/status");
        let machine = self.read("meminfo");
        let (Some(resident), Some(total), Some(available)) = (
            kilobytes(&status, "VmRSS"),
            kilobytes(&machine, "MemTotal"),
            kilobytes(&machine, "MemAvailable"),
        ) else {
            return;
        };
        facts.extend(
            [
                ("memory_percent", 100.0 * (1.0 - available / total)),
                ("proc.memory.rssMB", resident / 1024.0),
                ("proc.memory.percent", 100.0 * resident / total),
                ("proc.memory.availableMB", available / 1024.0),
            ]
            .map(|(key, value)| (key.to_owned(), value)),
        );
    }

    /// Bytes since the run began.
    fn network(&mut self, facts: &mut Vec<(String, f64)>) {
        let Some((received, sent)) = traffic(&self.read("net/dev")) else {
            return;
        };
        let start = *self.received_at_start.get_or_insert((received, sent));
        facts.push(("network.recv".to_owned(), received - start.0));
        facts.push(("network.sent".to_owned(), sent - start.1));
    }

    fn read(&self, name: &str) -> String {
        fs_err::read_to_string(self.proc.join(name)).unwrap_or_default()
    }
}

/// Busy and all ticks of `cpu0`, `cpu1`, …
fn cores(stat: &str) -> Vec<(f64, f64)> {
    let lines = stat.lines().filter(|line| {
        let digit = line
            .strip_prefix("cpu")
            .and_then(|rest| rest.chars().next());
        digit.is_some_and(|digit| digit.is_ascii_digit())
    });
    let core = |line: &str| {
        let ticks: Vec<f64> = line
            .split_whitespace()
            .skip(1)
            .take(8)
            .map(|field| field.parse().unwrap_or(0.0))
            .collect();
        let all: f64 = ticks.iter().sum();
        let idle: f64 = ticks.iter().skip(3).take(2).sum();
        (all - idle, all)
    };
    lines.map(core).collect()
}

fn kilobytes(text: &str, name: &str) -> Option<f64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Bytes received and sent by all interfaces but the loopback.
fn traffic(text: &str) -> Option<(f64, f64)> {
    let mut total = None;
    for line in text.lines() {
        let Some((name, counts)) = line.split_once(':') else {
            continue;
        };
        let counts: Vec<f64> = counts
            .split_whitespace()
            .map(|field| field.parse().unwrap_or(0.0))
            .collect();
        if let ("lo", _) | (_, None) = (name.trim(), counts.get(8)) {
            continue;
        }
        let (received, sent) = total.unwrap_or((0.0, 0.0));
        total = Some((received + counts[0], sent + counts[8]));
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, user_ticks: u32, busy: u32, received: u32) {
        let file = |name: &str, text: String| {
            let path = folder.join(name);
            fs_err::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs_err::write(path, text).expect("written");
        };
        file(
            "self/stat",
            format!("7 (a) b) S 1 1 1 0 -1 0 0 0 0 0 {user_ticks} 10 0 0 20 0 3 0 0"),
        );
        file("self/status", "Name:\ta\nVmRSS:\t  2048 kB\n".to_owned());
        file(
            "meminfo",
            "MemTotal: 8192 kB\nMemFree: 1 kB\nMemAvailable: 6144 kB\n".to_owned(),
        );
        file(
            "stat",
            format!("cpu  1 1 1 1\ncpu0 {busy} 0 0 100 0 0 0 0\ncpu1 0 0 0 100 0 0 0 0\n"),
        );
        file(
            "net/dev",
            format!(
                "Inter-| Receive\n face |bytes\n lo: 9 0 0 0 0 0 0 0 9\n eth0: {received} 0 0 0 0 0 0 0 50\n"
            ),
        );
    }

    #[test]
    fn shares_are_those_since_the_sample_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let start = Instant::now();
        write(folder.path(), 100, 0, 1000);
        let interval = Duration::from_secs(10);
        let mut stats = SystemStats::of(folder.path(), interval, start);
        assert!(stats.sample(start).is_some());
        assert_eq!(stats.sample(start + Duration::from_secs(9)), None);
        write(folder.path(), 600, 100, 1500);
        let sample = stats.sample(start + interval).expect("one is due");
        let value = |key: &str| {
            let item = sample.item.iter().find(|item| item.key == key);
            item.map(|item| item.value_json.clone()).unwrap_or_default()
        };
        // 5 s of processor time in 10 s of two cores.
        assert_eq!(value("cpu"), "25");
        assert_eq!(value("cpu.0.cpu_percent"), "100");
        assert_eq!(value("memory_percent"), "25");
        assert_eq!(value("proc.memory.rssMB"), "2");
        assert_eq!(value("proc.cpu.threads"), "3");
        assert_eq!(value("network.recv"), "500");
    }

    #[test]
    fn without_proc_there_is_nothing() {
        let now = Instant::now();
        let mut stats = SystemStats::of(Path::new("/nowhere"), Duration::ZERO, now);
        assert_eq!(stats.sample(now), None);
    }
}
