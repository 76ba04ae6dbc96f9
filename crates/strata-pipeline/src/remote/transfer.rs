//! Objects moved between the cache and a remote.

use std::io;

use serde_json::{Map, Value, json};

use super::{LocalRemote, Remote};
use crate::cache::Cache;
use crate::error::PipelineError;
use crate::project::Project;
use crate::repository::Repository;
use crate::stage::Output;

/// What was moved.
#[derive(Debug, Clone, Default)]
pub struct Transferred {
    /// Number of files.
    pub moved: usize,
    /// Paths whose objects are on neither side.
    pub missing: Vec<String>,
}

/// A project and one of its remotes.
pub struct Cloud<'a> {
    project: &'a Project,
    name: String,
    remote: Box<dyn Remote>,
}

/// A path and its object.
struct Item {
    path: String,
    md5: String,
}

impl<'a> Cloud<'a> {
    /// The remote of a name, or the one that the settings name.
    ///
    /// # Errors
    /// There is none; its kind is not known.
    pub fn open(project: &'a Project, name: Option<&str>) -> Result<Self, PipelineError> {
        let repository = &project.repository;
        let config = &repository.config;
        let name = match name.or_else(|| Some(config.get("core", "remote")?.0)) {
            Some(name) => name.to_owned(),
            None => {
                return Err(PipelineError::NoRemote {
                    folder: repository.root.display().to_string(),
                });
            }
        };
        let remote = open_remote(repository, &name)?;
        Ok(Self {
            project,
            name,
            remote,
        })
    }

    /// Sends objects that the remote lacks. A folder's list goes last: who finds it finds its files.
    ///
    /// # Errors
    /// The remote cannot be reached; the cache cannot be read.
    pub fn push(&self, targets: &[usize], run_cache: bool) -> Result<Transferred, PipelineError> {
        let cache = &self.project.repository.cache;
        let mut done = Transferred::default();
        for item in self.items(targets)? {
            let key = key_of(&item.md5);
            if self.remote.has(&key)? {
                continue;
            }
            if cache.has(&item.md5)? {
                self.remote.upload(&cache.path(&item.md5), &key)?;
                done.moved += 1;
            } else {
                done.missing.push(item.path);
            }
        }
        if run_cache {
            let runs = LocalRemote::new(cache.folder().to_owned());
            for key in runs.keys("runs")? {
                if !self.remote.has(&key)? {
                    self.remote.upload(&cache.folder().join(&key), &key)?;
                    done.moved += 1;
                }
            }
        }
        Ok(done)
    }

    /// Brings objects that the cache lacks, each checked against its name.
    ///
    /// # Errors
    /// The remote cannot be reached; an object is not what its name says.
    pub fn fetch(&self, targets: &[usize], run_cache: bool) -> Result<Transferred, PipelineError> {
        let cache = &self.project.repository.cache;
        let mut done = Transferred::default();
        if run_cache {
            for key in self.remote.keys("runs")? {
                let file = cache.folder().join(&key);
                if !file.exists() {
                    self.remote.download(&key, &file)?;
                    done.moved += 1;
                }
            }
        }
        for out in self.outputs(targets) {
            let Some(locked) = &out.locked else { continue };
            let path = self.project.display(&out.at);
            if !self.fetch_one(cache, &locked.md5, &mut done)? {
                done.missing.push(path);
                continue;
            }
            if !locked.is_folder() {
                continue;
            }
            for (inside, md5) in cache.tree(&locked.md5)?.entries() {
                if !self.fetch_one(cache, md5, &mut done)? {
                    done.missing.push(format!("{path}/{inside}"));
                }
            }
        }
        Ok(done)
    }

    /// Gives whether the cache has the object now.
    fn fetch_one(
        &self,
        cache: &Cache,
        md5: &str,
        done: &mut Transferred,
    ) -> Result<bool, PipelineError> {
        if cache.has(md5)? {
            return Ok(true);
        }
        let key = key_of(md5);
        if !self.remote.has(&key)? {
            return Ok(false);
        }
        let file = cache.path(md5);
        self.remote.download(&key, &file)?;
        // A file that may be written is hashed before it is trusted, and made read-only then.
        if !cache.has(md5)? {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "the object {md5} of remote '{}' is damaged; it was not kept",
                    self.name
                ),
            )
            .into());
        }
        done.moved += 1;
        Ok(true)
    }

    /// What the two sides do not share, as `status -c --json` has it: `new`, `deleted`, `missing`.
    ///
    /// # Errors
    /// Either side cannot be read.
    pub fn status(&self, targets: &[usize]) -> Result<Value, PipelineError> {
        let mut status = Map::new();
        for item in self.items(targets)? {
            let here = self.project.repository.cache.has(&item.md5)?;
            let there = self.remote.has(&key_of(&item.md5))?;
            let word = match (here, there) {
                (true, true) => continue,
                (true, false) => "new",
                // A folder that is not here is told by its files.
                (false, _) if item.md5.strip_suffix(".dir").is_some() => continue,
                (false, true) => "deleted",
                (false, false) => "missing",
            };
            status.insert(item.path, json!(word));
        }
        Ok(Value::Object(status))
    }

    fn outputs(&self, targets: &[usize]) -> impl Iterator<Item = &'a Output> {
        let project = self.project;
        let outs: Vec<&'a Output> = targets
            .iter()
            .flat_map(|&stage| &project.stages[stage].outs)
            .filter(|out| {
                let elsewhere = out
                    .remote
                    .as_ref()
                    .is_some_and(|remote| *remote != self.name);
                out.is_cached && out.is_pushed && !elsewhere
            })
            .collect();
        outs.into_iter()
    }

    /// Paths and objects, the files of a folder before its list; lists that are only there are brought.
    fn items(&self, targets: &[usize]) -> Result<Vec<Item>, PipelineError> {
        let cache = &self.project.repository.cache;
        let mut items = Vec::new();
        for out in self.outputs(targets) {
            let Some(locked) = &out.locked else { continue };
            let path = self.project.display(&out.at);
            if locked.is_folder() {
                let mut done = Transferred::default();
                if self.fetch_one(cache, &locked.md5, &mut done)? {
                    let tree = cache.tree(&locked.md5)?;
                    items.extend(tree.entries().iter().map(|(inside, md5)| Item {
                        path: format!("{path}/{inside}"),
                        md5: md5.clone(),
                    }));
                }
            }
            items.push(Item {
                path,
                md5: locked.md5.clone(),
            });
        }
        Ok(items)
    }
}

fn key_of(md5: &str) -> String {
    let (first, rest) = md5.split_at_checked(2).unwrap_or((md5, ""));
    format!("files/md5/{first}/{rest}")
}

fn open_remote(repository: &Repository, name: &str) -> Result<Box<dyn Remote>, PipelineError> {
    let section = format!("remote \"{name}\"");
    let Some((url, _)) = repository.config.get(&section, "url") else {
        return Err(PipelineError::Config {
            why: format!("remote '{name}' doesn't exist."),
        });
    };
    if let Some((scheme, _)) = url.split_once("://") {
        return Err(PipelineError::Config {
            why: format!(
                "remote '{name}' has the URL '{url}'; remotes of kind '{scheme}' are not known, folders are"
            ),
        });
    }
    let folder = repository.config.path_of(&section, "url");
    let folder = folder.unwrap_or_else(|| repository.root.join(url));
    Ok(Box::new(LocalRemote::new(folder)))
}
