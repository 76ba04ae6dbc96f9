//! Which objects the outputs of a project need, and what people call them.

use std::collections::HashSet;

use crate::cache::{Cache, CacheError};
use crate::error::PipelineError;
use crate::project::Project;
use crate::stage::Output;

/// An object and a path that it belongs to.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    pub(super) path: String,
    pub(super) md5: String,
    /// What it is found by in remotes. Unlike the MD5, DVC 2's objects and others do not share it.
    pub(super) key: String,
    /// The cache that it belongs to.
    pub(super) cache: &'a Cache,
}

impl<'a> Item<'a> {
    fn new(path: String, md5: String, cache: &'a Cache) -> Self {
        Self {
            key: cache.key(&md5),
            path,
            md5,
            cache,
        }
    }

    /// A kept run has no MD5; its key is all that it is known by.
    pub(super) fn of_run(key: String, cache: &'a Cache) -> Self {
        Self {
            path: key.clone(),
            md5: key.clone(),
            key,
            cache,
        }
    }
}

/// A folder's list and what it lists.
#[derive(Debug, Clone)]
pub(super) struct Folder<'a> {
    pub(super) list: Item<'a>,
    pub(super) members: Vec<Item<'a>>,
}

/// The objects of some outputs; each once, under the first of its paths.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    pub(super) files: Vec<Item<'a>>,
    pub(super) folders: Vec<Folder<'a>>,
    /// Folders whose lists are not in the cache, so that nobody knows their files.
    pub(super) unknown: Vec<Item<'a>>,
}

impl<'a> Plan<'a> {
    /// What the lists in the cache tell of some outputs.
    pub(super) fn of(project: &'a Project, outs: &[&Output]) -> Result<Self, PipelineError> {
        let mut plan = Self::default();
        let mut seen = HashSet::new();
        for item in named(project, outs) {
            if !seen.insert(item.key.clone()) {
                continue;
            }
            if item.md5.strip_suffix(".dir").is_none() {
                plan.files.push(item);
            } else if let Some(members) = members(&item)? {
                plan.folders.push(Folder {
                    list: item,
                    members,
                });
            } else {
                plan.unknown.push(item);
            }
        }
        for folder in &plan.folders {
            let new = folder
                .members
                .iter()
                .filter(|member| seen.insert(member.key.clone()));
            plan.files.extend(new.cloned());
        }
        Ok(plan)
    }

    /// Files first, then lists.
    pub(super) fn all(&self) -> impl Iterator<Item = &Item<'a>> + Clone {
        let lists = self.folders.iter().map(|folder| &folder.list);
        self.files.iter().chain(lists).chain(&self.unknown)
    }
}

/// The objects that the lock files name.
fn named<'a>(project: &'a Project, outs: &[&Output]) -> Vec<Item<'a>> {
    let locked = outs
        .iter()
        .filter_map(|out| Some((*out, out.locked.as_ref()?)));
    let items = locked.map(|(out, locked)| {
        let cache = project.repository.cache_of(locked);
        Item::new(project.display(&out.at), locked.md5.clone(), cache)
    });
    items.collect()
}

/// What a folder's list says; none where the cache has no such list.
fn members<'a>(list: &Item<'a>) -> Result<Option<Vec<Item<'a>>>, PipelineError> {
    let tree = match list.cache.tree(&list.md5) {
        Ok(tree) => tree,
        // A damaged list has been dropped: the remote may have a whole one.
        Err(CacheError::Missing { .. } | CacheError::Damaged { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let entries = tree.entries().iter().map(|(inside, md5)| {
        let path = format!("{}/{inside}", list.path);
        Item::new(path, md5.clone(), list.cache)
    });
    Ok(Some(entries.collect()))
}
