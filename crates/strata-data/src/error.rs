//! Why data could not be had.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::class_names::SPLITS;
use crate::idx::IdxError;

/// Data that are missing, damaged, or cannot be downloaded.
#[derive(Debug, Error)]
pub enum DataError {
    /// Nothing was found.
    #[error("{}", nothing_found(.looked_in, .download.as_deref()))]
    NotFound {
        /// Where it was looked for.
        looked_in: Vec<String>,
        /// Why the download failed, if one was tried.
        download: Option<String>,
    },
    /// Some files of a split are there, another is not.
    #[error("{} is missing beside {}", .missing.display(), .present.display())]
    Incomplete {
        /// The file that is missing.
        missing: PathBuf,
        /// One that is there.
        present: PathBuf,
    },
    /// A file or folder cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A file in IDX format that is not what it should be.
    #[error("{}: {problem}", .path.display())]
    Idx {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: IdxError,
    },
    /// A label that the split has no class for.
    #[error("{}: label {label} of image {image} is out of range {first}..={last}", .path.display())]
    Label {
        /// The file.
        path: PathBuf,
        /// The label.
        label: u8,
        /// Which image, from 0.
        image: usize,
        /// The least label.
        first: u8,
        /// The greatest label.
        last: u8,
    },
    /// Images and labels do not belong together.
    #[error("{} has {images} images, but {} has {labels} labels", .image_path.display(), .label_path.display())]
    Counts {
        /// The file of images.
        image_path: PathBuf,
        /// How many it has.
        images: usize,
        /// The file of labels.
        label_path: PathBuf,
        /// How many it has.
        labels: usize,
    },
    /// An npz file that is not what the course's are.
    #[error("{}: {problem}", .path.display())]
    Npz {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A split that EMNIST does not have.
    #[error("EMNIST has no split `{split}`; its splits are {}", SPLITS.join(", "))]
    Split {
        /// What was asked for.
        split: String,
    },
    /// A download that failed.
    #[error(transparent)]
    Download(#[from] strata_fs::DownloadError),
    /// An archive that does not hold what it should.
    #[error("{}: {problem}", .path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The glyphs could not be made.
    #[error(transparent)]
    Glyphs(#[from] crate::glyphs::GlyphsError),
}

fn nothing_found(looked_in: &[String], download: Option<&str>) -> String {
    let failure = download
        .map(|problem| format!("; the download failed: {problem}"))
        .unwrap_or_default();
    format!(
        "there are no EMNIST images in {}{failure}\nhelp: `strata data fetch` downloads them, `data.root=FOLDER` names \
         another folder; `data=glyphs`, or `source: glyphs` for `strata synth`, is procedural handwriting without any file",
        looked_in.join(", nor in ")
    )
}
