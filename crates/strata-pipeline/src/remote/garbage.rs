//! Objects of remotes that nothing needs.

use std::collections::{BTreeSet, HashSet};

use super::plan::Plan;
use super::transfer::{Cloud, Side, Transferred};
use super::{RemoteError, md5_of_key};
use crate::error::PipelineError;
use crate::parallel::in_parallel;
use crate::progress::Activity;

/// What one remote has and nothing needs.
pub struct RemoteGarbage<'a> {
    side: Side<'a>,
    /// Lists of folders come first: without them nobody looks for their files.
    keys: Vec<String>,
}

impl RemoteGarbage<'_> {
    /// Where the objects are, as messages say it.
    pub fn addresses(&self) -> impl Iterator<Item = String> {
        self.keys.iter().map(|key| self.side.remote.address(key))
    }
}

impl<'a> Cloud<'a> {
    /// Brings the lists of all folders that the project names, as far as its remotes have them.
    ///
    /// # Errors
    /// A remote cannot be reached; the cache cannot be written.
    pub fn fetch_all_lists(&self) -> Result<(), PipelineError> {
        for side in self.sides(&self.all_stages())? {
            self.fetch_lists(&side, &mut Transferred::default())?;
        }
        self.must_go_on()
    }

    /// Those of some objects that the project names and that are in the remotes where they belong.
    ///
    /// # Errors
    /// A remote cannot be reached; the cache cannot be read.
    pub fn present(&self, asked: &HashSet<String>) -> Result<HashSet<String>, PipelineError> {
        let mut present = HashSet::new();
        for side in self.sides(&self.all_stages())? {
            let plan = Plan::of(self.project, &side.outs)?;
            let items = plan.all().filter(|item| asked.contains(&item.md5));
            let there = self.existing(&side, items)?;
            present.extend(there.iter().filter_map(|key| md5_of_key(key)));
        }
        self.must_go_on()?;
        Ok(present)
    }

    /// What the remote that was asked for has besides some objects; without one the default remote and those that outputs
    /// name. Kept runs stay, and whatever else is no object.
    ///
    /// # Errors
    /// A remote cannot be reached, or may not be listed.
    pub fn garbage(&self, used: &HashSet<String>) -> Result<Vec<RemoteGarbage<'a>>, PipelineError> {
        let mut names: BTreeSet<String> = self.default_name().into_iter().collect();
        if self.asked.is_none() {
            let outs = self.project.stages.iter().flat_map(|stage| &stage.outs);
            let own = outs.filter_map(|out| out.remote.as_ref());
            names.extend(own.map(|remote| remote.to_lowercase()));
        }
        let mut garbage = Vec::new();
        for name in names {
            let side = self.side(&name, Vec::new())?;
            let mut keys = side.remote.keys("files/md5", self.stop)?;
            keys.retain(|key| {
                md5_of_key(key).is_some_and(|md5| is_object(&md5) && !used.contains(&md5))
            });
            keys.sort_by_key(|key| !is_list(key));
            garbage.push(RemoteGarbage { side, keys });
        }
        self.must_go_on()?;
        Ok(garbage)
    }

    /// Removes what [`Cloud::garbage`] has found.
    ///
    /// # Errors
    /// The first object that could not be removed; others may be gone.
    pub fn remove(&self, garbage: &RemoteGarbage<'_>) -> Result<(), PipelineError> {
        let RemoteGarbage { side, keys } = garbage;
        let begun = self.begin(Activity::Removing, keys.len(), None);
        let lists = keys.partition_point(|key| is_list(key));
        let (lists, files) = keys.split_at(lists);
        for keys in [lists, files] {
            let removed = in_parallel(keys, side.jobs, |key| {
                if self.stop.is_requested() {
                    return Err(RemoteError::Interrupted);
                }
                side.remote.remove(key, self.stop)?;
                begun.advance(1, 0);
                Ok(())
            });
            removed.into_iter().collect::<Result<(), _>>()?;
        }
        Ok(())
    }

    fn all_stages(&self) -> Vec<usize> {
        (0..self.project.stages.len()).collect()
    }

    fn must_go_on(&self) -> Result<(), PipelineError> {
        if self.stop.is_requested() {
            return Err(RemoteError::Interrupted.into());
        }
        Ok(())
    }
}

fn is_list(key: &str) -> bool {
    key.strip_suffix(".dir").is_some()
}

/// Whether this is the name of an object: other files of a folder are somebody else's.
fn is_object(md5: &str) -> bool {
    let hex = md5.strip_suffix(".dir").unwrap_or(md5);
    hex.len() == 32 && hex.bytes().all(|digit| digit.is_ascii_hexdigit())
}
