//! The cache: the set in one file, written whole or not at all and checked when read.
//!
//! `<root>/glyphs/v<version>-seed<seed>-<train>x<test>.bin`: 32 bytes of SHA-256 over all that
//! follows; then the header, which repeats what the name says; then the pixels and labels of the
//! training part and those of the test part.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::alphabet::CLASSES;
use super::emnist_pipeline::PIXELS;
use super::generate::{Glyphs, GlyphsConfig, GlyphsError, Images, VERSION, generate};

/// Why the cache was of no use. Never fatal: the set is made anew.
#[derive(Debug, Error)]
pub enum CacheError {
    /// The file is there and cannot be read.
    #[error("cannot read the glyphs' cache {path}; made the glyphs anew")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what was once written.
    #[error("the glyphs' cache {path} is damaged ({what}); made the glyphs anew")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The file cannot be written, as on a read-only disk or a full one.
    #[error("cannot write the glyphs' cache {path}; the next run makes the glyphs anew")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Where a set came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Read from the cache.
    Cache,
    /// Made just now.
    Generated,
}

/// A set, and how it was come by.
#[derive(Debug)]
pub struct Cached {
    /// The set.
    pub glyphs: Glyphs,
    /// Read or made.
    pub source: Source,
    /// The cache file, which is there unless a warning says otherwise.
    pub path: PathBuf,
    /// What went wrong with the cache, to be shown; the set is sound all the same.
    pub warnings: Vec<CacheError>,
}

/// The set of `config`, read from `<root>/glyphs/` if it is there, else made and written there.
///
/// A damaged file is replaced. Where nothing can be written the set is made every time.
///
/// # Errors
/// Those of [`generate`]; what goes wrong with the cache is a warning.
pub fn cached(root: &Path, config: &GlyphsConfig) -> Result<Cached, GlyphsError> {
    config.check()?;
    let path = cache_path(root, config);
    let mut warnings = Vec::new();
    let found = read(&path, config).unwrap_or_else(|error| {
        warnings.push(error);
        None
    });
    let (glyphs, source) = match found {
        Some(glyphs) => (glyphs, Source::Cache),
        None => (generate(config)?, Source::Generated),
    };
    if source == Source::Generated
        && let Err(source) = write(&path, config, &glyphs)
    {
        warnings.push(CacheError::Write {
            path: path.clone(),
            source,
        });
    }
    Ok(Cached {
        glyphs,
        source,
        path,
        warnings,
    })
}

fn cache_path(root: &Path, config: &GlyphsConfig) -> PathBuf {
    let GlyphsConfig {
        seed,
        train_per_class,
        test_per_class,
        ..
    } = config;
    let name = format!("v{VERSION}-seed{seed}-{train_per_class}x{test_per_class}.bin");
    root.join("glyphs").join(name)
}

/// What the file says of itself: 32 bytes.
fn header(config: &GlyphsConfig) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(b"GLYF");
    header[4..8].copy_from_slice(&VERSION.to_le_bytes());
    header[8..16].copy_from_slice(&config.seed.to_le_bytes());
    header[16..24].copy_from_slice(&(config.train_per_class as u64).to_le_bytes());
    header[24..].copy_from_slice(&(config.test_per_class as u64).to_le_bytes());
    header
}

const HEADER: usize = 32;
const CHECKSUM: usize = 32;

/// The parts of the file after the header, in their order.
fn parts(glyphs: &Glyphs) -> [&[u8]; 4] {
    let Glyphs { train, test } = glyphs;
    [&train.pixels, &train.labels, &test.pixels, &test.labels]
}

/// SHA-256 of all but itself.
fn checksum_of(header: &[u8], glyphs: &Glyphs) -> [u8; CHECKSUM] {
    let mut digest = Sha256::new();
    digest.update(header);
    for part in parts(glyphs) {
        digest.update(part);
    }
    digest.finalize().into()
}

/// The cached set, or `None` where there is no cache.
fn read(path: &Path, config: &GlyphsConfig) -> Result<Option<Glyphs>, CacheError> {
    let unreadable = |source| CacheError::Read {
        path: path.to_owned(),
        source,
    };
    let damaged = |what| CacheError::Damaged {
        path: path.to_owned(),
        what,
    };
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let (n_train, n_test) = (
        config.train_per_class * CLASSES.len(),
        config.test_per_class * CLASSES.len(),
    );
    let size = CHECKSUM + HEADER + (n_train + n_test) * (PIXELS + 1);
    // Asked first, so that a wrong file is not read into memory whatever its size.
    if file.metadata().map_err(unreadable)?.len() != size as u64 {
        return Err(damaged("its size is wrong"));
    }
    let mut take = |length: usize| {
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    };
    let checksum = take(CHECKSUM)?;
    let found_header = take(HEADER)?;
    let train = Images {
        pixels: take(n_train * PIXELS)?,
        labels: take(n_train)?,
    };
    let test = Images {
        pixels: take(n_test * PIXELS)?,
        labels: take(n_test)?,
    };
    let glyphs = Glyphs { train, test };

    if checksum_of(&found_header, &glyphs)[..] != checksum[..] {
        return Err(damaged("its checksum is wrong"));
    }
    if found_header != header(config) {
        return Err(damaged("its header does not fit its name"));
    }
    Ok(Some(glyphs))
}

fn write(path: &Path, config: &GlyphsConfig, glyphs: &Glyphs) -> io::Result<()> {
    let header = header(config);
    strata_fs::write_atomically_with(path, |file| {
        file.write_all(&checksum_of(&header, glyphs))?;
        file.write_all(&header)?;
        parts(glyphs)
            .into_iter()
            .try_for_each(|part| file.write_all(part))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tiny() -> GlyphsConfig {
        GlyphsConfig {
            seed: 9,
            train_per_class: 2,
            test_per_class: 1,
            threads: 1,
        }
    }

    /// The second call reads what the first one made.
    #[test]
    fn a_set_comes_back_from_the_cache() {
        let root = tempfile::tempdir().unwrap();

        let first = cached(root.path(), &tiny()).unwrap();
        let second = cached(root.path(), &tiny()).unwrap();

        assert_eq!(
            (first.source, second.source),
            (Source::Generated, Source::Cache)
        );
        assert_eq!(first.glyphs, second.glyphs);
        assert!(first.warnings.is_empty() && second.warnings.is_empty());
        assert_eq!(fs::read_dir(root.path().join("glyphs")).unwrap().count(), 1);
    }

    /// One flipped bit, or a missing end, is noticed; the set is made anew and the file mended.
    #[test]
    fn a_damaged_cache_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let first = cached(root.path(), &tiny()).unwrap();
        let sound = fs::read(&first.path).unwrap();
        let mut flipped = sound.clone();
        flipped[5000] ^= 1;

        for bad in [&flipped[..], &sound[..sound.len() - 1], b""] {
            fs::write(&first.path, bad).unwrap();
            let again = cached(root.path(), &tiny()).unwrap();

            assert_eq!(again.source, Source::Generated);
            assert_eq!(again.glyphs, first.glyphs);
            assert!(matches!(again.warnings[..], [CacheError::Damaged { .. }]));
            assert_eq!(fs::read(&first.path).unwrap(), sound);
        }
    }

    /// Other settings have another file.
    #[test]
    fn settings_do_not_share_a_file() {
        let path = |seed, train_per_class| {
            cache_path(
                Path::new("r"),
                &GlyphsConfig {
                    seed,
                    train_per_class,
                    ..tiny()
                },
            )
        };

        assert_ne!(path(1, 2), path(2, 2));
        assert_ne!(path(1, 2), path(1, 3));
    }

    /// Where no folder can be made the set is made all the same, with a warning.
    #[test]
    fn a_root_that_cannot_be_written_to_is_no_obstacle() {
        let root = tempfile::tempdir().unwrap();
        let occupied = root.path().join("occupied");
        fs::write(&occupied, "a file, not a folder").unwrap();

        let made = cached(&occupied, &tiny()).unwrap();

        assert_eq!(made.glyphs, generate(&tiny()).unwrap());
        assert!(matches!(
            made.warnings.last(),
            Some(CacheError::Write { .. })
        ));
    }
}
