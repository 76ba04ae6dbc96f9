//! From the settings of a remote to the remote.

use super::s3::{Environment, S3Remote, S3Settings};
use super::{LocalRemote, Remote, RemoteOptions};
use crate::config::without_user;
use crate::error::PipelineError;

/// The remote that some settings describe; nothing is asked of it yet.
///
/// # Errors
/// Its kind is not known, or its settings cannot be followed.
pub fn open_remote(options: &RemoteOptions<'_>) -> Result<Box<dyn Remote>, PipelineError> {
    for option in ["version_aware", "worktree"] {
        if options.is_true(option) == Some(true) {
            return Err(options.wrong(&format!(
                "{option} is set, and files by their names and versions are not kept; without it objects are kept by their hashes"
            )));
        }
    }
    let url = options.url();
    match url.split_once("://") {
        Some(("s3", _)) => {
            let settings = S3Settings::of(options, &Environment::of_process())?;
            Ok(Box::new(S3Remote::open(settings)))
        }
        Some((scheme, _)) => Err(options.wrong(&format!(
            "its URL is '{}'; remotes of kind '{scheme}' are not known, folders and s3://BUCKET/PREFIX are",
            without_user(&url).map_or(url.clone(), |(_, plain)| plain)
        ))),
        None => {
            let folder = options.folder();
            let folder = folder.ok_or_else(|| options.wrong("it has no URL"))?;
            Ok(Box::new(LocalRemote::new(folder)))
        }
    }
}
