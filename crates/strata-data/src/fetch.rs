//! The official EMNIST archive: downloaded, checked, and the chosen split unpacked.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use strata_fs::{DownloadEvents, DownloadRequest, download, md5_of_file, write_atomically_with};
use zip::ZipArchive;

use crate::class_names::class_names;
use crate::emnist::raw_folder;
use crate::error::DataError;
use crate::idx::gunzip;
use crate::load::{DataRequest, Events};

/// Where NIST keeps the archive.
pub const EMNIST_URL: &str = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip";
/// MD5 of that archive.
pub const EMNIST_MD5: &str = "58c8d27c78d21e728a6bc7b3cc06412e";

/// A file of the largest split inflates to 547 MB.
const MOST_BYTES: u64 = 1 << 30;

/// Downloads the archive, unless it is there already, and unpacks the chosen split as torchvision does.
///
/// Gives back the folder of the files. What, how large, from where and to where is said before the
/// download starts.
///
/// # Errors
/// The download fails or is interrupted, the archive is not the expected one, or the disk refuses.
pub fn fetch(request: &DataRequest, events: &mut dyn Events) -> Result<PathBuf, DataError> {
    if class_names(&request.split).is_none() {
        return Err(DataError::Split {
            split: request.split.clone(),
        });
    }
    let folder = raw_folder(&request.root);
    let archive = folder.join("gzip.zip");
    if is_there(&archive, request.md5.as_deref())? {
        events.notice(&format!("using the archive {}", archive.display()));
    } else {
        events.notice(&format!(
            "downloading EMNIST, about 560 MB, from {} to {}",
            request.url,
            archive.display()
        ));
        let wanted = DownloadRequest {
            url: request.url.clone(),
            destination: archive.clone(),
            md5: request.md5.clone(),
        };
        download(&wanted, &mut Forward(events))?;
    }
    for file in unpack(&archive, &request.split, &folder)? {
        events.notice(&format!("unpacked {}", file.display()));
    }
    Ok(folder)
}

fn is_there(archive: &Path, md5: Option<&str>) -> Result<bool, DataError> {
    if !archive.is_file() {
        return Ok(false);
    }
    let Some(expected) = md5 else { return Ok(true) };
    Ok(md5_of_file(archive)?.eq_ignore_ascii_case(expected))
}

/// Unpacks `gzip/emnist-<split>-*` and gives back the files made.
fn unpack(archive: &Path, split: &str, folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let refused = |problem: String| DataError::Archive {
        path: archive.to_owned(),
        problem,
    };
    let file = io::BufReader::new(fs_err::File::open(archive)?);
    let mut zip = ZipArchive::new(file).map_err(|error| refused(error.to_string()))?;
    let mut made = Vec::new();
    for index in 0..zip.len() {
        let mut member = zip
            .by_index(index)
            .map_err(|error| refused(error.to_string()))?;
        // Only the last part of a name is ever used, and only a name of a known form.
        let Some(name) = wanted_name(&member.name().unwrap_or_default(), split) else {
            continue;
        };
        let path = folder.join(name.trim_end_matches(".gz"));
        let mut head = [0; 2];
        member
            .read_exact(&mut head)
            .map_err(|error| refused(format!("{name}: {error}")))?;
        let whole = io::Cursor::new(head).chain(&mut member);
        let is_gzip = head == [0x1f, 0x8b];
        write_atomically_with(&path, |out| {
            let copied = if is_gzip {
                io::copy(
                    &mut gunzip(io::BufReader::new(whole)).take(MOST_BYTES + 1),
                    out,
                )?
            } else {
                io::copy(&mut whole.take(MOST_BYTES + 1), out)?
            };
            if copied > MOST_BYTES {
                return Err(io::Error::other("it inflates to more than 1 GiB"));
            }
            Ok(())
        })
        .map_err(|error| refused(format!("{name}: {error}")))?;
        made.push(path);
    }
    if made.is_empty() {
        return Err(refused(format!("it holds no file of the split `{split}`")));
    }
    Ok(made)
}

/// The file name of a member that belongs to the split.
fn wanted_name(member: &str, split: &str) -> Option<String> {
    let name = member.rsplit('/').next()?;
    let rest = name
        .strip_prefix("emnist-")?
        .strip_prefix(split)?
        .strip_prefix('-')?;
    let known = [
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "test-images-idx3-ubyte",
        "test-labels-idx1-ubyte",
    ];
    let is_known = rest == "mapping.txt" || known.contains(&rest.trim_end_matches(".gz"));
    is_known.then(|| name.to_owned())
}

/// The caller's events, as the download needs them.
struct Forward<'a>(&'a mut dyn Events);

impl DownloadEvents for Forward<'_> {
    fn progress(&mut self, done_bytes: u64, total_bytes: Option<u64>) {
        self.0.progress(done_bytes, total_bytes);
    }

    fn interrupted(&self) -> bool {
        self.0.interrupted()
    }

    fn wait(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until && !self.0.interrupted() {
            thread::sleep(Duration::from_millis(50));
        }
    }
}
