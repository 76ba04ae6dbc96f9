//! EMNIST on disk, as torchvision leaves it.
//!
//! `root/EMNIST/raw/emnist-<split>-{train,test}-{images-idx3,labels-idx1}-ubyte`, gzip'd (`.gz`) or not.
//! Images are stored transposed and made upright here.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;

use strata_fs::Sha256;

use crate::class_names::{class_names, first_label};
use crate::dataset::{Dataset, PIXELS, SIDE};
use crate::error::DataError;
use crate::idx::{self, IdxError};

/// The files of a split that were found.
pub(crate) struct Files {
    train: Pair,
    test: Pair,
    split: String,
}

struct Pair {
    images: PathBuf,
    labels: PathBuf,
}

/// Training images, test images, and the digest of both.
pub(crate) struct Loaded {
    pub(crate) train: Dataset,
    pub(crate) test: Dataset,
    pub(crate) digest: String,
}

/// The folder of the files.
pub(crate) fn raw_folder(root: &Path) -> PathBuf {
    root.join("EMNIST").join("raw")
}

/// Looks for the files of a split; none if not a single one is there.
pub(crate) fn find(root: &Path, split: &str) -> Result<Option<Files>, DataError> {
    let folder = raw_folder(root);
    // A folder that cannot be read is an error, not an absence.
    match fs_err::read_dir(&folder) {
        Ok(_) => {}
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    }
    let names = [
        "train-images-idx3",
        "train-labels-idx1",
        "test-images-idx3",
        "test-labels-idx1",
    ];
    let plain: Vec<PathBuf> = names
        .iter()
        .map(|name| folder.join(format!("emnist-{split}-{name}-ubyte")))
        .collect();
    let found: Vec<Option<PathBuf>> = plain.iter().map(|path| existing(path)).collect();
    let Some(present) = found.iter().flatten().next().cloned() else {
        return Ok(None);
    };
    let mut complete = Vec::new();
    for (found, path) in found.into_iter().zip(plain) {
        complete.push(found.ok_or_else(|| DataError::Incomplete {
            missing: path,
            present: present.clone(),
        })?);
    }
    let [train_images, train_labels, test_images, test_labels]: [PathBuf; 4] =
        complete.try_into().expect("there are four names");
    Ok(Some(Files {
        train: Pair {
            images: train_images,
            labels: train_labels,
        },
        test: Pair {
            images: test_images,
            labels: test_labels,
        },
        split: split.to_owned(),
    }))
}

fn existing(path: &Path) -> Option<PathBuf> {
    let mut gzip = path.to_owned().into_os_string();
    gzip.push(".gz");
    [path.to_owned(), gzip.into()]
        .into_iter()
        .find(|path| path.exists())
}

impl Files {
    /// Where they are.
    pub(crate) fn paths(&self) -> [&Path; 4] {
        [
            &self.train.images,
            &self.train.labels,
            &self.test.images,
            &self.test.labels,
        ]
    }

    /// Reads the four files, training and test set at the same time.
    pub(crate) fn read(&self) -> Result<Loaded, DataError> {
        let (train, test) = thread::scope(|scope| {
            let test = scope.spawn(|| self.read_pair(&self.test));
            (
                self.read_pair(&self.train),
                test.join().expect("reading does not panic"),
            )
        });
        let ((train, train_digest), (test, test_digest)) = (train?, test?);
        Ok(Loaded {
            train,
            test,
            digest: format!("{} {train_digest} {test_digest}", self.split),
        })
    }

    fn read_pair(&self, pair: &Pair) -> Result<(Dataset, String), DataError> {
        let compressed = fs_err::read(&pair.images)?;
        let label_bytes = fs_err::read(&pair.labels)?;
        let (images, digest) = thread::scope(|scope| {
            // Of the files as they are: hashing what they inflate to would take three times as long.
            let digest = scope.spawn(|| {
                let mut digest = Sha256::new();
                digest.update(&compressed);
                digest.update(&label_bytes);
                digest.hex()
            });
            let images =
                inflated(&pair.images, &compressed, |reader| idx::images(reader)).map(upright);
            (images, digest.join().expect("hashing does not panic"))
        });
        let (images, labels) = (
            images?,
            inflated(&pair.labels, &label_bytes, |reader| idx::labels(reader))?,
        );
        let count = images.len() / PIXELS;
        if count != labels.len() {
            return Err(DataError::Counts {
                image_path: pair.images.clone(),
                images: count,
                label_path: pair.labels.clone(),
                labels: labels.len(),
            });
        }
        Ok((
            Dataset {
                images,
                labels: self.counted_from_zero(labels, &pair.labels)?,
            },
            digest,
        ))
    }

    /// Labels that begin at 0.
    fn counted_from_zero(&self, mut labels: Vec<u8>, path: &Path) -> Result<Vec<u8>, DataError> {
        let classes = class_names(&self.split).map_or(0, |names| names.len()) as u8;
        let first = first_label(&self.split);
        let last = first + classes - 1;
        for (image, label) in labels.iter_mut().enumerate() {
            if !(first..=last).contains(label) {
                return Err(DataError::Label {
                    path: path.to_owned(),
                    label: *label,
                    image,
                    first,
                    last,
                });
            }
            *label -= first;
        }
        Ok(labels)
    }
}

fn inflated(
    path: &Path,
    bytes: &[u8],
    read: impl FnOnce(&mut dyn Read) -> Result<Vec<u8>, IdxError>,
) -> Result<Vec<u8>, DataError> {
    let is_gzip = bytes.starts_with(&[0x1f, 0x8b]);
    let result = if is_gzip {
        read(&mut idx::gunzip(bytes))
    } else {
        read(&mut &bytes[..])
    };
    result.map_err(|problem| DataError::Idx {
        path: path.to_owned(),
        problem,
    })
}

/// Transposes each image in place.
fn upright(mut images: Vec<u8>) -> Vec<u8> {
    for image in images.chunks_exact_mut(PIXELS) {
        for row in 0..SIDE {
            for column in row + 1..SIDE {
                image.swap(row * SIDE + column, column * SIDE + row);
            }
        }
    }
    images
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_transposed() {
        let stored: Vec<u8> = (0..PIXELS).map(|at| (at % 251) as u8).collect();
        let upright = upright(stored.clone());
        for row in 0..SIDE {
            for column in 0..SIDE {
                assert_eq!(upright[row * SIDE + column], stored[column * SIDE + row]);
            }
        }
    }
}
