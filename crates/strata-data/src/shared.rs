//! One copy of a data set in memory for all jobs of this process.
//!
//! The jobs of a sweep mostly use the same images: whoever comes first reads them, the others, also
//! those that start at the same time, get the same memory. The last data set read is kept.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::dataset::Dataset;
use crate::error::DataError;

/// The sets of one source (training and test set, perhaps validation), and the digest of what decides them.
#[derive(Debug)]
pub(crate) struct ImageSets {
    pub(crate) sets: Vec<Arc<Dataset>>,
    pub(crate) digest: String,
}

/// What must be the same for the images to be the same.
#[derive(Debug, PartialEq, Eq)]
struct Key {
    variant: String,
    files: Vec<(PathBuf, u64, Option<SystemTime>)>,
}

static KEPT: Mutex<Option<(Key, Arc<ImageSets>)>> = Mutex::new(None);

/// The sets in `files`, read by `read` unless they are in memory and no file has changed; `variant` says
/// what else decides them.
pub(crate) fn once<'a>(
    files: impl IntoIterator<Item = &'a Path>,
    variant: String,
    read: impl FnOnce() -> Result<(Vec<Dataset>, String), DataError>,
) -> Result<Arc<ImageSets>, DataError> {
    let state_of = |path: &Path| {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let metadata = fs_err::metadata(path)?;
        Ok((absolute, metadata.len(), metadata.modified().ok()))
    };
    let files = files.into_iter().map(state_of);
    let key = Key {
        variant,
        files: files.collect::<Result<_, std::io::Error>>()?,
    };
    // Held while reading, so that a job that starts at the same time waits for these images.
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((of, sets)) = kept.as_ref()
        && *of == key
    {
        return Ok(Arc::clone(sets));
    }
    *kept = None;
    let (sets, digest) = read()?;
    let sets = Arc::new(ImageSets {
        sets: sets.into_iter().map(Arc::new).collect(),
        digest,
    });
    *kept = Some((key, Arc::clone(&sets)));
    Ok(sets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(pixel: u8) -> (Vec<Dataset>, String) {
        let set = Dataset {
            images: vec![pixel; 784],
            labels: vec![0],
        };
        (vec![set], pixel.to_string())
    }

    #[test]
    fn files_are_read_again_only_after_a_change() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("images");
        std::fs::write(&file, "1").expect("a file");
        let files = || std::iter::once(file.as_path());
        let first = once(files(), String::new(), || Ok(images(1))).expect("read");
        let again = once(files(), String::new(), || unreachable!()).expect("in memory");
        assert!(Arc::ptr_eq(&first, &again));
        std::fs::write(&file, "12").expect("a file");
        let changed = once(files(), String::new(), || Ok(images(2))).expect("read");
        assert_eq!(changed.digest, "2");
        let other = once(files(), "letters".to_owned(), || Ok(images(3))).expect("read");
        assert_eq!(other.sets[0].images[0], 3);
    }
}
