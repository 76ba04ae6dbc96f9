//! Which paths are being read and written: `.dvc/tmp/rwlock`, a JSON file edited under a `flock` of its own.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use strata_fs::temporary_file_in;

use super::LockError;
use super::repository::{lock_within_tries, open};

/// The file of the paths that are worked with.
#[derive(Debug, Clone)]
pub struct PathLocks {
    file: PathBuf,
    guard: PathBuf,
    /// The command line, for people who have to wait.
    command: String,
}

/// Paths that are marked as read or written; unmarked when dropped.
#[derive(Debug)]
pub struct PathsGuard<'a> {
    locks: &'a PathLocks,
    reads: Vec<String>,
    writes: Vec<String>,
}

impl PathLocks {
    /// In the folder for temporary files of a project.
    pub fn new(folder: &Path, command: String) -> Self {
        Self {
            file: folder.join("rwlock"),
            guard: folder.join("rwlock.lock"),
            command,
        }
    }

    /// Marks paths as read and written; absolute ones.
    ///
    /// # Errors
    /// Another living process writes one of them, or reads one that is to be written, or one that contains it or lies
    /// in it.
    pub fn mark(
        &self,
        reads: Vec<String>,
        writes: Vec<String>,
    ) -> Result<PathsGuard<'_>, LockError> {
        self.edit(|held| {
            for path in &writes {
                self.check(held, "write", path)?;
                self.check(held, "read", path)?;
            }
            for path in &reads {
                self.check(held, "write", path)?;
            }
            for path in &writes {
                section(held, "write").insert(path.clone(), self.own_mark());
            }
            for path in &reads {
                let readers = section(held, "read")
                    .entry(path.clone())
                    .or_insert_with(|| json!([]));
                if let Some(readers) = readers.as_array_mut() {
                    readers.push(self.own_mark());
                }
            }
            Ok(())
        })?;
        Ok(PathsGuard {
            locks: self,
            reads,
            writes,
        })
    }

    fn own_mark(&self) -> Value {
        json!({"pid": std::process::id(), "cmd": self.command})
    }

    fn is_own(&self, mark: &Value) -> bool {
        *mark == self.own_mark()
    }

    /// Whether another process has a mark of this kind on a path that overlaps.
    fn check(&self, held: &Map<String, Value>, kind: &str, path: &str) -> Result<(), LockError> {
        let Some(marks) = held.get(kind).and_then(Value::as_object) else {
            return Ok(());
        };
        let mut holders = Vec::new();
        for (marked, by) in marks.iter().filter(|(marked, _)| overlap(marked, path)) {
            let by = by
                .as_array()
                .map_or(std::slice::from_ref(by), Vec::as_slice);
            for mark in by.iter().filter(|mark| !self.is_own(mark)) {
                let pid = mark["pid"].as_u64().unwrap_or(0);
                let command = mark["cmd"].as_str().unwrap_or("?");
                holders.push(format!("  (PID {pid}): {command}  [{marked}]"));
            }
        }
        if holders.is_empty() {
            return Ok(());
        }
        Err(LockError::PathBusy {
            path: path.to_owned(),
            holders: holders.join("\n"),
        })
    }

    /// Takes off the marks of processes that are dead.
    ///
    /// # Errors
    /// The file cannot be locked or written.
    pub(crate) fn forget_the_dead(&self) -> Result<(), LockError> {
        self.edit(|_| Ok(()))
    }

    fn edit(
        &self,
        change: impl FnOnce(&mut Map<String, Value>) -> Result<(), LockError>,
    ) -> Result<(), LockError> {
        let guard = open(&self.guard)?;
        lock_within_tries(&guard, &self.guard)?;
        let text = match fs_err::read_to_string(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.into()),
        };
        // A file that a killed process left half-written says nothing of the living.
        let mut held: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
        drop_the_dead(&mut held, &self.own_mark());
        change(&mut held)?;
        held.retain(|_, marks| marks.as_object().is_none_or(|marks| !marks.is_empty()));
        // DVC cannot read a file that is half-written or empty, and asks its users to remove it.
        let mut file = temporary_file_in(self.file.parent().unwrap_or(Path::new(".")))?;
        file.write_all(Value::Object(held).to_string().as_bytes())?;
        file.persist(&self.file).map_err(|error| error.error)?;
        Ok(())
    }
}

impl Drop for PathsGuard<'_> {
    fn drop(&mut self) {
        let mark = self.locks.own_mark();
        // Marks that cannot be taken off are those of a dead process soon.
        let _ = self.locks.edit(|held| {
            for path in &self.writes {
                section(held, "write").remove(path);
            }
            let readers = section(held, "read");
            for path in &self.reads {
                let Some(marks) = readers.get_mut(path).and_then(Value::as_array_mut) else {
                    continue;
                };
                if let Some(index) = marks.iter().position(|other| *other == mark) {
                    marks.remove(index);
                }
                if marks.is_empty() {
                    readers.remove(path);
                }
            }
            Ok(())
        });
    }
}

fn section<'a>(held: &'a mut Map<String, Value>, kind: &str) -> &'a mut Map<String, Value> {
    let marks = held.entry(kind).or_insert_with(|| json!({}));
    if !marks.is_object() {
        *marks = json!({});
    }
    marks.as_object_mut().expect("made an object just now")
}

/// Equal, or one inside the other.
fn overlap(a: &str, b: &str) -> bool {
    let (a, b) = (Path::new(a), Path::new(b));
    a.starts_with(b) || b.starts_with(a)
}

fn drop_the_dead(held: &mut Map<String, Value>, own: &Value) {
    if let Some(writes) = held.get_mut("write").and_then(Value::as_object_mut) {
        writes.retain(|_, mark| is_alive(mark, own));
    }
    if let Some(reads) = held.get_mut("read").and_then(Value::as_object_mut) {
        for marks in reads.values_mut().filter_map(Value::as_array_mut) {
            marks.retain(|mark| is_alive(mark, own));
        }
        reads.retain(|_, marks| marks.as_array().is_some_and(|marks| !marks.is_empty()));
    }
}

fn is_alive(mark: &Value, own: &Value) -> bool {
    // In a container all processes may have the same number: this one is another that had ours and was killed.
    if mark["pid"] == own["pid"] && mark != own {
        return false;
    }
    let pid = mark["pid"].as_u64().and_then(|pid| i32::try_from(pid).ok());
    let pid = pid.and_then(rustix::process::Pid::from_raw);
    // One that may not be signalled is alive.
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn locks(folder: &Path, command: &str) -> PathLocks {
        PathLocks::new(folder, command.to_owned())
    }

    fn paths(path: &str) -> Vec<String> {
        vec![path.to_owned()]
    }

    /// Writes marks of another process, one that lives.
    fn mark_by_another(folder: &Path, kind: &str, path: &str) {
        // The first process of any system or container, which has no end before this test's.
        let pid = 1;
        let mark = json!({"pid": pid, "cmd": "dvc repro"});
        let marks = if kind == "read" { json!([mark]) } else { mark };
        let held = json!({kind: {path: marks}});
        fs_err::write(folder.join("rwlock"), held.to_string()).unwrap();
    }

    #[test]
    fn writers_keep_others_out_and_readers_keep_writers_out() {
        let folder = tempfile::tempdir().unwrap();
        let ours = locks(folder.path(), "strata repro");
        mark_by_another(folder.path(), "write", "/out");
        let error = ours.mark(paths("/out/x"), Vec::new()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("'/out/x' is busy, it is being blocked by:")
        );
        drop(ours.mark(paths("/in"), paths("/other")).unwrap());
        mark_by_another(folder.path(), "read", "/in");
        assert!(ours.mark(Vec::new(), paths("/in")).is_err());
        drop(ours.mark(paths("/in"), paths("/out")).unwrap());
        fs_err::remove_file(folder.path().join("rwlock")).unwrap();
        let first = ours.mark(paths("/in"), paths("/a")).unwrap();
        drop(ours.mark(paths("/in"), paths("/b")).unwrap());
        drop(first);
        let left = fs_err::read_to_string(folder.path().join("rwlock")).unwrap();
        assert_eq!(left, "{}");
    }

    #[test]
    fn the_marks_of_the_dead_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rwlock");
        let ours = locks(folder.path(), "a");
        let reborn = std::process::id();
        for pid in [2_147_483_646, reborn] {
            let held = json!({"write": {"/x": {"pid": pid, "cmd": "dvc repro"}}});
            fs_err::write(&file, held.to_string()).unwrap();
            drop(ours.mark(paths("/x"), Vec::new()).unwrap());
        }
        fs_err::write(&file, "{\"write\": {\"/x\"").unwrap();
        drop(ours.mark(paths("/x"), Vec::new()).unwrap());
    }
}
