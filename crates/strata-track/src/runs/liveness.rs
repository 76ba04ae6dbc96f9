//! Whether a run goes on.

use std::path::Path;

use crate::{RunDirectory, RunRecord};

/// Whether a process writes the run now, or is about to: the metrics are locked only once the data are loaded, which may
/// take as long as a download does.
pub(super) fn is_alive(directory: &RunDirectory, record: &RunRecord) -> bool {
    directory.is_alive() || its_process_lives(record)
}

/// Only of this machine's processes anything is known.
fn its_process_lives(record: &RunRecord) -> bool {
    let Some(pid) = record.pid else {
        return false;
    };
    record.host == crate::host_name() && lives(pid) && !is_another_program(pid, record)
}

fn lives(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok();
    let pid = pid.and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// Whether the number of a process that is long gone was given to another one; only where the system tells.
fn is_another_program(pid: u32, record: &RunRecord) -> bool {
    let Ok(bytes) = std::fs::read(format!("/proc/{pid}/cmdline")) else {
        return false;
    };
    let running = String::from_utf8_lossy(&bytes);
    let running = running.split('\0').next().unwrap_or_default();
    let ours = record.command_line.first().map_or("", String::as_str);
    Path::new(running).file_name() != Path::new(ours).file_name()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_loads_its_data_is_alive() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut record = RunRecord::begin("1.0");
        let directory = RunDirectory::create(folder.path(), &record).expect("made");
        assert!(is_alive(&directory, &record), "this process lives");

        record.command_line = vec!["another-program".to_owned()];
        let knows_programs = Path::new("/proc/self/cmdline").exists();
        assert_eq!(is_alive(&directory, &record), !knows_programs);

        record.host = Some("another-machine".to_owned());
        assert!(!is_alive(&directory, &record));
        record.pid = None;
        assert!(!is_alive(&directory, &record));
    }
}
