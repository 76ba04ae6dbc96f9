//! Which objects the outputs of a project need, and what people call them.

use std::collections::HashSet;

use crate::cache::{Cache, CacheError};
use crate::error::PipelineError;
use crate::project::Project;
use crate::stage::Output;

/// An object and a path that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) path: String,
    pub(super) md5: String,
}

/// A folder's list and what it lists.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    pub(super) list: Item,
    pub(super) members: Vec<Item>,
}

/// The objects of some outputs; each once, under the first of its paths.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) files: Vec<Item>,
    pub(super) folders: Vec<Folder>,
    /// Folders whose lists are not in the cache, so that nobody knows their files.
    pub(super) unknown: Vec<Item>,
}

impl Plan {
    /// What the lists in the cache tell of some outputs.
    pub(super) fn of(project: &Project, outs: &[&Output]) -> Result<Self, PipelineError> {
        let cache = &project.repository.cache;
        let mut plan = Self::default();
        let mut seen = HashSet::new();
        for item in named(project, outs) {
            if !seen.insert(item.md5.clone()) {
                continue;
            }
            if item.md5.strip_suffix(".dir").is_none() {
                plan.files.push(item);
            } else if let Some(members) = members(cache, &item)? {
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
                .filter(|member| seen.insert(member.md5.clone()));
            plan.files.extend(new.cloned());
        }
        Ok(plan)
    }

    /// Files first, then lists.
    pub(super) fn all(&self) -> impl Iterator<Item = &Item> + Clone {
        let lists = self.folders.iter().map(|folder| &folder.list);
        self.files.iter().chain(lists).chain(&self.unknown)
    }
}

/// The objects that the lock files name.
fn named(project: &Project, outs: &[&Output]) -> Vec<Item> {
    let locked = outs
        .iter()
        .filter_map(|out| Some((*out, out.locked.as_ref()?)));
    let items = locked.map(|(out, locked)| Item {
        path: project.display(&out.at),
        md5: locked.md5.clone(),
    });
    items.collect()
}

/// What a folder's list says; none where the cache has no such list.
fn members(cache: &Cache, list: &Item) -> Result<Option<Vec<Item>>, PipelineError> {
    let tree = match cache.tree(&list.md5) {
        Ok(tree) => tree,
        Err(CacheError::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let entries = tree.entries().iter().map(|(inside, md5)| Item {
        path: format!("{}/{inside}", list.path),
        md5: md5.clone(),
    });
    Ok(Some(entries.collect()))
}
