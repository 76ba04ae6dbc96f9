//! Which of many objects are there: asked one by one, or found in lists.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::store::S3Remote;
use crate::parallel::in_parallel;
use crate::progress::Stop;
use crate::remote::{RemoteError, sizes_one_by_one};

/// Keys of a page of a list.
const PAGE: usize = 1000;
/// Objects of the cache are spread evenly over so many prefixes: three digits of their MD5s. One of them tells how many
/// objects there are in all.
const PREFIXES: usize = 4096;
const SAMPLE: &str = "files/md5/00/0";
/// From so many objects on pages count more: lists of millions take long to go through.
const MANY_OBJECTS: usize = 500_000;
const WEIGHT_OF_PAGES: usize = 5;

impl S3Remote {
    /// As DVC does it: a sample of the bucket tells whether lists or questions are fewer.
    pub(super) fn find(
        &self,
        keys: &[String],
        jobs: usize,
        stop: &dyn Stop,
    ) -> Result<HashMap<String, u64>, RemoteError> {
        let are_objects = keys.iter().all(|key| key.starts_with("files/md5/"));
        if keys.len() <= 1 || !are_objects {
            return sizes_one_by_one(self, keys, jobs, stop);
        }
        let objects = self.estimate(keys.len(), stop)?;
        let pages = objects.div_ceil(PAGE);
        let weight = if objects > MANY_OBJECTS {
            pages * WEIGHT_OF_PAGES
        } else {
            pages
        };
        if keys.len() < weight {
            return sizes_one_by_one(self, keys, jobs, stop);
        }
        self.find_in_lists(keys, pages, jobs, stop)
    }

    /// About how many objects there are; more than need be counted to know that questions are fewer are not.
    fn estimate(&self, keys: usize, stop: &dyn Stop) -> Result<usize, RemoteError> {
        let enough = MANY_OBJECTS.max(keys.saturating_mul(PAGE) / WEIGHT_OF_PAGES) / PREFIXES;
        let mut found = 0;
        self.each_page(SAMPLE, stop, |page| {
            found += page.len();
            found <= enough
        })?;
        Ok(PREFIXES * found.max(1))
    }

    /// One list where it has few pages, one for each two digits of the wanted MD5s side by side where it has many.
    fn find_in_lists(
        &self,
        keys: &[String],
        pages: usize,
        jobs: usize,
        stop: &dyn Stop,
    ) -> Result<HashMap<String, u64>, RemoteError> {
        let wanted: HashSet<&str> = keys.iter().map(String::as_str).collect();
        let folders: BTreeSet<&str> = keys
            .iter()
            .filter_map(|key| Some(key.rsplit_once('/')?.0))
            .collect();
        let is_short = pages < folders.len().div_ceil(jobs.max(1));
        let starts: Vec<String> = if is_short {
            vec!["files/md5/".to_owned()]
        } else {
            folders
                .into_iter()
                .map(|folder| format!("{folder}/"))
                .collect()
        };
        let lists = in_parallel(&starts, jobs, |start| {
            let mut found = Vec::new();
            self.each_page(start, stop, |page| {
                found.extend(
                    page.into_iter()
                        .filter(|(key, _)| wanted.contains(key.as_str())),
                );
                true
            })?;
            Ok::<_, RemoteError>(found)
        });
        let mut existing = HashMap::new();
        for list in lists {
            existing.extend(list?);
        }
        Ok(existing)
    }
}
