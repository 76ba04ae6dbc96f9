//! From what was asked for to the three parts.

use std::path::PathBuf;
use std::sync::Arc;

use strata_fs::Sha256;

use crate::class_names::class_names;
use crate::course;
use crate::dataset::{Dataset, Splits};
use crate::emnist;
use crate::error::DataError;
use crate::fetch::fetch;
use crate::glyphs::{self, GlyphsConfig};
use crate::shared::{self, ImageSets};
use crate::split::Recipe;

/// What to load.
#[derive(Debug, Clone)]
pub struct DataRequest {
    /// Folder of the data.
    pub root: PathBuf,
    /// Split of EMNIST.
    pub split: String,
    /// Share of the training images held out for validation, in 0..1.
    pub val_split: f64,
    /// Seed of that choice.
    pub seed: u64,
    /// Whether the archive is downloaded if nothing is on disk.
    pub download: bool,
    /// Address of the archive.
    pub url: String,
    /// MD5 of the archive; none takes any.
    pub md5: Option<String>,
    /// A further folder for the course's npz files.
    pub mlp_data_dir: Option<PathBuf>,
}

/// What the caller sees and decides while data are loaded.
pub trait Events {
    /// A line for the user.
    fn notice(&mut self, line: &str);
    /// So many bytes of so many, if that is known, are downloaded.
    fn progress(&mut self, done_bytes: u64, total_bytes: Option<u64>);
    /// Whether to stop a download.
    fn interrupted(&self) -> bool;
}

/// Loads EMNIST: IDX files in `root`, npz files in `root` or `mlp_data_dir`, or the archive, downloaded.
///
/// # Errors
/// Nothing is found, files are damaged or incomplete, or the download fails.
pub fn load(request: &DataRequest, events: &mut dyn Events) -> Result<Splits, DataError> {
    let Some(names) = class_names(&request.split) else {
        return Err(DataError::Split {
            split: request.split.clone(),
        });
    };
    if let Some(splits) = on_disk(request, &names)? {
        return Ok(splits);
    }
    let mut failure = None;
    if request.download {
        match fetch(request, events) {
            Ok(_) => {
                if let Some(splits) = on_disk(request, &names)? {
                    return Ok(splits);
                }
            }
            Err(DataError::Download(problem)) => failure = Some(problem.to_string()),
            Err(other) => return Err(other),
        }
    }
    let mut looked_in = vec![
        emnist::raw_folder(&request.root).display().to_string(),
        format!("{} (npz)", request.root.display()),
    ];
    if let Some(folder) = request
        .mlp_data_dir
        .as_ref()
        .filter(|folder| **folder != request.root)
    {
        looked_in.push(format!("{} (MLP_DATA_DIR)", folder.display()));
    }
    Err(DataError::NotFound {
        looked_in,
        download: failure,
    })
}

fn on_disk(request: &DataRequest, names: &[String]) -> Result<Option<Splits>, DataError> {
    let recipe = |source: String, content: String| Recipe {
        val_split: request.val_split,
        seed: request.seed,
        class_names: names.to_vec(),
        source,
        content,
    };
    if let Some(files) = emnist::find(&request.root, &request.split)? {
        let sets = shared::once(files.paths(), request.split.clone(), || {
            let loaded = files.read()?;
            Ok((vec![loaded.train, loaded.test], loaded.digest))
        })?;
        let source = format!(
            "EMNIST {} in {}",
            request.split,
            emnist::raw_folder(&request.root).display()
        );
        return Ok(Some(parts(recipe(source, sets.digest.clone()), &sets)));
    }
    let folders = [Some(&request.root), request.mlp_data_dir.as_ref()];
    for folder in folders.into_iter().flatten() {
        if let Some(paths) = course::find(folder)? {
            let files = paths.iter().map(PathBuf::as_path);
            let sets = shared::once(files, format!("{} classes", names.len()), || {
                let loaded = course::read(&paths, names.len())?;
                let sets = vec![loaded.train, loaded.validation, loaded.test];
                Ok((sets, loaded.digest))
            })?;
            let source = format!("the course's npz files in {}", folder.display());
            return Ok(Some(parts(recipe(source, sets.digest.clone()), &sets)));
        }
    }
    Ok(None)
}

/// Draws the glyphs, or reads them from their cache in `root/glyphs/`.
///
/// # Errors
/// Sizes that no memory holds; trouble with the cache is a notice.
pub fn load_glyphs(
    config: &GlyphsConfig,
    request: &DataRequest,
    events: &mut dyn Events,
) -> Result<Splits, DataError> {
    let dataset = |images: glyphs::Images| Dataset {
        images: images.pixels,
        labels: images.labels,
    };
    let variant = format!(
        "glyphs {} {} {} in {}",
        config.seed,
        config.train_per_class,
        config.test_per_class,
        request.root.display()
    );
    let sets = shared::once([], variant, || {
        let cached = glyphs::cached(&request.root, config)?;
        for warning in &cached.warnings {
            events.notice(&warning.to_string());
        }
        if cached.source == glyphs::Source::Generated {
            events.notice(&format!(
                "drew the glyphs; kept in {}",
                cached.path.display()
            ));
        }
        let sets = vec![dataset(cached.glyphs.train), dataset(cached.glyphs.test)];
        Ok((sets, digest_of(config)))
    })?;
    let recipe = Recipe {
        val_split: request.val_split,
        seed: request.seed,
        class_names: glyphs::CLASSES.iter().map(ToString::to_string).collect(),
        source: format!("glyphs of seed {}", config.seed),
        content: sets.digest.clone(),
    };
    Ok(parts(recipe, &sets))
}

/// Training and test set, of which the former is parted, or all three as they are given.
fn parts(recipe: Recipe, sets: &ImageSets) -> Splits {
    let copy = |set: &Arc<Dataset>| Arc::clone(set);
    match sets.sets.as_slice() {
        [train, test] => recipe.hold_out(copy(train), copy(test)),
        [train, validation, test] => recipe.given(copy(train), copy(validation), copy(test)),
        _ => unreachable!("a source has two sets or three"),
    }
}

/// Of what decides the glyphs.
fn digest_of(config: &GlyphsConfig) -> String {
    let mut digest = Sha256::new();
    let recipe = format!(
        "glyphs version {} seed {} {}+{}",
        glyphs::VERSION,
        config.seed,
        config.train_per_class,
        config.test_per_class
    );
    digest.update(recipe.as_bytes());
    digest.hex()
}
