//! Objects moved between the cache and a remote.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value, json};

use super::plan::{Item, Plan};
use super::{LocalRemote, Remote, RemoteError, RemoteOptions, Watch, is_key_of_run, open_remote};
use crate::error::PipelineError;
use crate::parallel::{self, in_parallel, side_by_side};
use crate::progress::{Activity, Begun, Stop};
use crate::project::Project;
use crate::stage::Output;

/// After so many failures in a row, with nothing that succeeds, the rest is not tried.
const MOST_FAILURES_IN_A_ROW: usize = 10;
/// The most files at a time where nothing is set; more help no network, and take memory.
const MOST_JOBS: usize = 32;

/// What was moved.
#[derive(Debug, Default)]
pub struct Transferred {
    /// Number of files.
    pub moved: usize,
    /// Paths whose objects are on neither side.
    pub missing: Vec<String>,
    /// Paths whose objects could not be moved, and why.
    pub failed: Vec<(String, RemoteError)>,
}

/// A project and its remotes.
pub struct Cloud<'a> {
    pub(super) project: &'a Project,
    /// The remote that was asked for.
    pub(super) asked: Option<String>,
    jobs: Option<usize>,
    pub(super) stop: &'a dyn Stop,
}

/// A remote and the outputs that go there.
pub(super) struct Side<'a> {
    pub(super) remote: Box<dyn Remote>,
    pub(super) jobs: usize,
    pub(super) outs: Vec<&'a Output>,
}

impl<'a> Cloud<'a> {
    /// The remote of a name or, without one, for each output the one that its stage or else the settings name.
    ///
    /// `jobs` files are moved at a time, or as many as the remote's settings say. The repository's
    /// [progress](crate::Repository::progress) is told how far that has come.
    ///
    /// # Errors
    /// There is no such remote, or none at all.
    pub fn open(
        project: &'a Project,
        name: Option<&str>,
        jobs: Option<usize>,
        stop: &'a dyn Stop,
    ) -> Result<Self, PipelineError> {
        let cloud = Self {
            project,
            asked: name.map(str::to_lowercase),
            jobs,
            stop,
        };
        let mut outs = project.stages.iter().flat_map(|stage| &stage.outs);
        match cloud.default_name() {
            Some(name) => {
                RemoteOptions::of(&project.repository.config, &name)?;
            }
            None if outs.any(|out| out.remote.is_some()) => {}
            None => return Err(cloud.no_remote()),
        }
        Ok(cloud)
    }

    /// Sends objects that the remote lacks. A folder's list goes last: who finds it finds its files.
    ///
    /// # Errors
    /// The remote cannot be reached; the cache cannot be read. What fails for single files is in the result.
    pub fn push(&self, targets: &[usize], run_cache: bool) -> Result<Transferred, PipelineError> {
        let mut done = Transferred::default();
        if run_cache {
            self.push_runs(&mut done)?;
        }
        for side in self.sides(targets)? {
            self.push_to(&side, &mut done)?;
        }
        self.ended(done)
    }

    fn push_to(&self, side: &Side<'_>, done: &mut Transferred) -> Result<(), PipelineError> {
        self.fetch_lists(side, &mut Transferred::default())?;
        let plan = Plan::of(self.project, &side.outs)?;
        let there = self.existing(side, plan.all())?;
        let mut sizes: HashMap<&str, u64> = HashMap::new();
        let mut absent: HashSet<&str> = HashSet::new();
        let new: Vec<&Item> = plan
            .all()
            .filter(|item| !there.contains(&item.key))
            .collect();
        let found = side_by_side(&new, parallel::available(), |item| {
            let size = || io::Result::Ok(fs_err::metadata(item.cache.path(&item.md5))?.len());
            item.cache.has(&item.md5)?.then(size).transpose()
        })?;
        for (item, size) in new.into_iter().zip(found) {
            if let Some(size) = size {
                sizes.insert(&item.key, size);
            } else {
                absent.insert(&item.key);
                done.missing.push(item.path.clone());
            }
        }
        let watch = self.watch();
        let send = |item: &Item| {
            let file = item.cache.path(&item.md5);
            let md5 = item.cache.has_plain_md5s().then_some(&*item.md5);
            side.remote.upload(&file, &item.key, md5, watch)
        };
        let files: Vec<&Item> = plan
            .files
            .iter()
            .filter(|item| sizes.contains_key(&*item.key))
            .collect();
        let begun = self.begin(Activity::Sending, sizes.len(), Some(sizes.values().sum()));
        let failed = self.move_all(side, &files, done, &begun, send);
        absent.extend(failed.iter().map(String::as_str));
        let lists = plan.folders.iter().filter(|folder| {
            let is_whole = || {
                folder
                    .members
                    .iter()
                    .all(|member| !absent.contains(&*member.key))
            };
            sizes.contains_key(&*folder.list.key) && is_whole()
        });
        let lists: Vec<&Item> = lists.map(|folder| &folder.list).collect();
        self.move_all(side, &lists, done, &begun, send);
        Ok(())
    }

    fn push_runs(&self, done: &mut Transferred) -> Result<(), PipelineError> {
        let cache = &self.project.repository.cache;
        let side = self.default_side()?;
        let runs = LocalRemote::new(cache.folder().to_owned()).keys("runs", self.stop)?;
        let there: HashSet<String> = side.remote.keys("runs", self.stop)?.into_iter().collect();
        let new = runs
            .into_iter()
            .filter(|key| is_key_of_run(key) && !there.contains(key));
        let items: Vec<Item> = new.map(|key| Item::of_run(key, cache)).collect();
        let items: Vec<&Item> = items.iter().collect();
        let begun = self.begin(Activity::Sending, items.len(), None);
        let watch = self.watch();
        self.move_all(&side, &items, done, &begun, |item| {
            let file = cache.folder().join(&item.path);
            side.remote.upload(&file, &item.path, None, watch)
        });
        Ok(())
    }

    /// Brings objects that the cache lacks, each checked against its name.
    ///
    /// # Errors
    /// The remote cannot be reached; the cache cannot be written. What fails for single files is in the result.
    pub fn fetch(&self, targets: &[usize], run_cache: bool) -> Result<Transferred, PipelineError> {
        let mut done = Transferred::default();
        if run_cache {
            self.fetch_runs(&mut done)?;
        }
        for side in self.sides(targets)? {
            self.fetch_from(&side, &mut done)?;
        }
        self.ended(done)
    }

    fn fetch_from(&self, side: &Side<'_>, done: &mut Transferred) -> Result<(), PipelineError> {
        let failed = self.fetch_lists(side, done)?;
        let plan = Plan::of(self.project, &side.outs)?;
        let lost = plan
            .unknown
            .iter()
            .filter(|item| !failed.contains(&item.key));
        done.missing.extend(lost.map(|item| item.path.clone()));
        self.fetch_items(side, &plan.files, done)?;
        Ok(())
    }

    /// The lists of folders; without them nobody knows what to ask for.
    pub(super) fn fetch_lists(
        &self,
        side: &Side<'_>,
        done: &mut Transferred,
    ) -> Result<HashSet<String>, PipelineError> {
        let plan = Plan::of(self.project, &side.outs)?;
        let mut lists = Transferred::default();
        let failed = self.fetch_items(side, &plan.unknown, &mut lists)?;
        done.moved += lists.moved;
        done.failed.append(&mut lists.failed);
        Ok(failed)
    }

    /// Gives the objects that could not be brought, besides those that are not there.
    fn fetch_items(
        &self,
        side: &Side<'_>,
        items: &[Item],
        done: &mut Transferred,
    ) -> Result<HashSet<String>, PipelineError> {
        let has = side_by_side(items, parallel::available(), |item| {
            item.cache.has(&item.md5)
        })?;
        let lacking: Vec<&Item> = items
            .iter()
            .zip(has)
            .filter_map(|(item, has)| (!has).then_some(item))
            .collect();
        let there = self.existing_sizes(side, lacking.iter().copied())?;
        let (found, lost): (Vec<&Item>, Vec<&Item>) = lacking
            .into_iter()
            .partition(|item| there.contains_key(&item.key));
        done.missing
            .extend(lost.iter().map(|item| item.path.clone()));
        let bytes = found.iter().filter_map(|item| there.get(&item.key)).sum();
        let begun = self.begin(Activity::Receiving, found.len(), Some(bytes));
        let watch = self.watch();
        let failed = self.move_all(side, &found, done, &begun, |item| {
            let (key, cache) = (&item.key, item.cache);
            let fill = |into: &mut dyn Write| side.remote.download(key, into, watch);
            let other = cache
                .receive(&item.md5, fill)
                .map_err(|error| match error {
                    RemoteError::Disk(error) => RemoteError::Disk(io::Error::new(
                        error.kind(),
                        format!(
                            "cannot bring it to `{}`: {error}",
                            cache.path(&item.md5).display()
                        ),
                    )),
                    error => error,
                })?;
            match other {
                None => Ok(()),
                Some(found) => Err(RemoteError::Damaged {
                    address: side.remote.address(key),
                    found,
                    verb: "kept",
                }),
            }
        });
        Ok(failed)
    }

    fn fetch_runs(&self, done: &mut Transferred) -> Result<(), PipelineError> {
        let cache = &self.project.repository.cache;
        let side = self.default_side()?;
        let there = side.remote.keys("runs", self.stop)?;
        let new = there
            .into_iter()
            .filter(|key| is_key_of_run(key) && !cache.folder().join(key).exists());
        let items: Vec<Item> = new.map(|key| Item::of_run(key, cache)).collect();
        let items: Vec<&Item> = items.iter().collect();
        let begun = self.begin(Activity::Receiving, items.len(), None);
        let watch = self.watch();
        self.move_all(&side, &items, done, &begun, |item| {
            let mut contents = Vec::new();
            side.remote.download(&item.path, &mut contents, watch)?;
            Ok(strata_fs::write_atomically(
                &cache.folder().join(&item.path),
                &contents,
            )?)
        });
        Ok(())
    }

    /// What the two sides do not share, as `status -c --json` has it: `new`, `deleted`, `missing`.
    ///
    /// # Errors
    /// Either side cannot be read.
    pub fn status(&self, targets: &[usize]) -> Result<Value, PipelineError> {
        let mut status = BTreeMap::new();
        for side in self.sides(targets)? {
            self.fetch_lists(&side, &mut Transferred::default())?;
            let plan = Plan::of(self.project, &side.outs)?;
            let there = self.existing(&side, plan.all())?;
            let items: Vec<&Item> = plan.all().collect();
            let has = side_by_side(&items, parallel::available(), |item| {
                item.cache.has(&item.md5)
            })?;
            for (item, has) in items.into_iter().zip(has) {
                let word = match (has, there.contains(&item.key)) {
                    (true, true) => continue,
                    (true, false) => "new",
                    (false, true) => "deleted",
                    (false, false) => "missing",
                };
                status.insert(item.path.clone(), json!(word));
            }
        }
        Ok(Value::Object(status.into_iter().collect::<Map<_, _>>()))
    }

    pub(super) fn begin(&self, activity: Activity, files: usize, bytes: Option<u64>) -> Begun<'a> {
        let progress = &*self.project.repository.progress;
        Begun::new(progress, activity, files as u64, bytes)
    }

    fn watch(&self) -> Watch<'a> {
        Watch {
            progress: &*self.project.repository.progress,
            stop: self.stop,
        }
    }

    /// Moves items side by side and counts them; gives the objects that failed.
    fn move_all(
        &self,
        side: &Side<'_>,
        items: &[&Item],
        done: &mut Transferred,
        begun: &Begun<'_>,
        work: impl Fn(&Item) -> Result<(), RemoteError> + Sync,
    ) -> HashSet<String> {
        let in_a_row = AtomicUsize::new(0);
        let results = in_parallel(items, side.jobs, |item| {
            if self.stop.is_requested() {
                return Err(RemoteError::Interrupted);
            }
            if in_a_row.load(Ordering::Relaxed) >= MOST_FAILURES_IN_A_ROW {
                return Err(RemoteError::GivenUp);
            }
            let result = work(item);
            match result {
                Ok(()) => in_a_row.store(0, Ordering::Relaxed),
                Err(_) => {
                    in_a_row.fetch_add(1, Ordering::Relaxed);
                }
            }
            begun.advance(1, 0);
            result
        });
        let mut failed = HashSet::new();
        for (item, result) in items.iter().zip(results) {
            match result {
                Ok(()) => done.moved += 1,
                Err(error) => {
                    failed.insert(item.key.clone());
                    done.failed.push((item.path.clone(), error));
                }
            }
        }
        failed
    }

    /// The keys of those that are there.
    pub(super) fn existing<'i, 'c: 'i>(
        &self,
        side: &Side<'_>,
        items: impl Iterator<Item = &'i Item<'c>>,
    ) -> Result<HashSet<String>, PipelineError> {
        Ok(self.existing_sizes(side, items)?.into_keys().collect())
    }

    fn existing_sizes<'i, 'c: 'i>(
        &self,
        side: &Side<'_>,
        items: impl Iterator<Item = &'i Item<'c>>,
    ) -> Result<HashMap<String, u64>, PipelineError> {
        // Apart, as a remote looks for each kind in another way.
        let (objects, others): (Vec<&Item>, Vec<&Item>) =
            items.partition(|item| item.cache.has_plain_md5s());
        let mut sizes = HashMap::new();
        for items in [objects, others] {
            let keys: Vec<String> = items.into_iter().map(|item| item.key.clone()).collect();
            if !keys.is_empty() {
                sizes.extend(side.remote.existing(&keys, side.jobs, self.stop)?);
            }
        }
        Ok(sizes)
    }

    /// An interrupted transfer is an error of its own, whatever else failed.
    fn ended(&self, done: Transferred) -> Result<Transferred, PipelineError> {
        if self.stop.is_requested() {
            return Err(RemoteError::Interrupted.into());
        }
        Ok(done)
    }

    pub(super) fn default_name(&self) -> Option<String> {
        let config = &self.project.repository.config;
        let set = || Some(config.get("core", "remote")?.0.to_lowercase());
        self.asked.clone().or_else(set)
    }

    fn no_remote(&self) -> PipelineError {
        PipelineError::NoRemote {
            folder: self.project.repository.root.display().to_string(),
        }
    }

    fn default_side(&self) -> Result<Side<'a>, PipelineError> {
        let name = self.default_name().ok_or_else(|| self.no_remote())?;
        self.side(&name, Vec::new())
    }

    /// The remotes of some stages, each with its outputs.
    pub(super) fn sides(&self, targets: &[usize]) -> Result<Vec<Side<'a>>, PipelineError> {
        let project = self.project;
        let default = self.default_name();
        let mut by_name: BTreeMap<String, Vec<&'a Output>> = BTreeMap::new();
        let outs = targets
            .iter()
            .flat_map(|&stage| &project.stages[stage].outs);
        for out in outs.filter(|out| out.is_cached && out.is_pushed) {
            let own = out.remote.as_ref().map(|remote| remote.to_lowercase());
            let name = match (&self.asked, own) {
                (Some(asked), Some(own)) if *asked != own => continue,
                (_, Some(own)) => own,
                (_, None) => default.clone().ok_or_else(|| self.no_remote())?,
            };
            by_name.entry(name).or_default().push(out);
        }
        by_name
            .into_iter()
            .map(|(name, outs)| self.side(&name, outs))
            .collect()
    }

    pub(super) fn side(
        &self,
        name: &str,
        outs: Vec<&'a Output>,
    ) -> Result<Side<'a>, PipelineError> {
        let options = RemoteOptions::of(&self.project.repository.config, name)?;
        let set = options
            .get("jobs")
            .and_then(|jobs| jobs.trim().parse().ok());
        Ok(Side {
            remote: open_remote(&options)?,
            jobs: self
                .jobs
                .or(set)
                .unwrap_or((4 * parallel::available()).min(MOST_JOBS)),
            outs,
        })
    }
}
