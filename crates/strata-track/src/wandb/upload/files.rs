//! The files of a run: which ones, and their way to the server.

use std::path::{Component, Path, PathBuf};

use super::UploadError;
use crate::wandb::server::{Client, Patience, RemoteRun, RequestError};

/// Names in one question to the server.
const NAMES_OF_A_REQUEST: usize = 100;

/// Files that are to be sent, relative to the run's `files/`.
#[derive(Debug, Default)]
pub(super) struct PendingFiles {
    names: Vec<String>,
}

impl PendingFiles {
    pub(super) fn push(&mut self, name: &str) {
        if !self.names.iter().any(|other| other == name) {
            self.names.push(name.to_owned());
        }
    }

    /// Sends the files; returns the names of those that are there now, and what was wrong with the others.
    pub(super) fn send(
        &mut self,
        client: &Client,
        patience: &Patience,
        run: &RemoteRun,
        folder: &Path,
    ) -> Result<(Vec<String>, Vec<UploadError>), RequestError> {
        let (mut sent, mut problems) = (Vec::new(), Vec::new());
        while !self.names.is_empty() {
            let count = self.names.len().min(NAMES_OF_A_REQUEST);
            let mut readable = Vec::new();
            for name in &self.names[..count] {
                match path_below(folder, name).and_then(|path| read(&path)) {
                    Ok(content) => readable.push((name.clone(), content)),
                    Err(problem) => problems.push(problem),
                }
            }
            let names: Vec<String> = readable.iter().map(|(name, _)| name.clone()).collect();
            let places = if names.is_empty() {
                Vec::new()
            } else {
                client.create_run_files(patience, run, &names)?
            };
            for (name, content) in readable {
                let place = places.iter().find(|(placed, _)| *placed == name);
                let Some((_, place)) = place else {
                    problems.push(UploadError::NoPlace(name));
                    continue;
                };
                match client.put(patience, &place.url, &place.headers, &content) {
                    Ok(()) => sent.push(name),
                    Err(error @ RequestError::Refused { .. }) => {
                        problems.push(UploadError::File {
                            name,
                            source: error,
                        });
                    }
                    Err(error) => return Err(error),
                }
            }
            self.names.drain(..count);
        }
        Ok((sent, problems))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, UploadError> {
    fs_err::read(path).map_err(|source| UploadError::Folder {
        path: path.to_owned(),
        source,
    })
}

/// A transaction log may have come from anywhere: it is not to name files outside of its folder.
fn path_below(folder: &Path, name: &str) -> Result<PathBuf, UploadError> {
    let is_inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if !Path::new(name).components().all(is_inside) {
        return Err(UploadError::Outside(name.to_owned()));
    }
    Ok(folder.join(name))
}
