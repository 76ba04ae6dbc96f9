//! The stage that makes synthetic images: from `params.yaml` to a folder of files.
//!
//! | file | what it is |
//! | --- | --- |
//! | `synthetic_emnist.pt` | `{"images": uint8 [N, 1, 28, 28], "labels": int64 [N], "source_index": int64 [N]}` for torch |
//! | `synthetic_emnist.safetensors` | the same |
//! | `contact_sheet.png` | some copies of each class |
//! | `metadata.yaml` | seed, transforms, totals, class counts, and the fingerprint of the original images |

mod metadata;
mod params;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use strata_data::synthetic::{SynthRequest, Synthetic, fingerprint_of, synthesize};
use strata_data::transforms::Augmenter;
use strata_data::{
    DataRequest, EMNIST_MD5, EMNIST_URL, Events, PIXELS, SIDE, Splits, Subset, contact_sheet,
    glyphs,
};
use strata_figure::{ContactSheet, SheetRow, Tile};
use strata_tensorfile::{pt, safetensors};

use crate::config::SourceName;
use crate::engine;
use crate::error::{ExperimentError, write_file};
use crate::synthetic::METADATA;

pub use params::SynthParams;

const PT: &str = "synthetic_emnist.pt";
const SAFETENSORS: &str = "synthetic_emnist.safetensors";
const SHEET: &str = "contact_sheet.png";
/// Copies of a class on the sheet.
const SHEET_COLUMNS: usize = 12;

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SynthReport {
    /// Copies.
    pub images: usize,
    /// What making them took, without reading and writing.
    pub made_in: Duration,
    /// Classes with fewer images than were wanted: theirs were drawn with replacement.
    pub drawn_with_replacement: Vec<String>,
    /// The files, the artifact first.
    pub files: Vec<PathBuf>,
}

/// Makes the synthetic images of `params` and writes their files; those that exist are replaced.
/// `progress` is told how many more are made, from any thread, and may stop the work.
///
/// # Errors
/// The original images cannot be had, a class has none, a file cannot be written, or it was stopped.
pub fn synth(
    params: &SynthParams,
    threads: Option<usize>,
    events: &mut dyn Events,
    progress: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
) -> Result<SynthReport, ExperimentError> {
    let threads = engine::threads(threads);
    let splits = originals(params, threads, events)?;
    let original = &splits.train.dataset;
    let request = SynthRequest {
        seed: params.seed,
        num_samples_per_class: params.num_samples_per_class,
        variants_per_sample: params.variants_per_sample,
        threads,
    };
    let augmenter = Augmenter::new(&params.transforms).expect("checked with the parameters");
    let started = Instant::now();
    let classes = splits.class_names.len();
    let synthetic = synthesize(original, classes, &request, &augmenter, progress)?;
    let made_in = started.elapsed();
    let names = synthetic.drawn_with_replacement.iter();
    let drawn_with_replacement: Vec<String> = names
        .map(|&class| splits.class_names[class].clone())
        .collect();
    let images = synthetic.source_index.len();

    let folder = &params.output_dir;
    let sheet = sheet(&synthetic, &splits.class_names)?;
    let metadata = metadata::yaml(
        params,
        &splits,
        &synthetic,
        &fingerprint_of(original),
        &drawn_with_replacement,
    );
    let note = json!({"seed": params.seed, "source": splits.source});
    let tensors = synthetic.into_tensors();
    pt::write_dictionary(&folder.join(PT), &tensors)?;
    safetensors::write_typed(&folder.join(SAFETENSORS), &tensors, &note)?;
    write_file(&folder.join(SHEET), &sheet)?;
    write_file(&folder.join(METADATA), metadata.as_bytes())?;
    Ok(SynthReport {
        images,
        made_in,
        drawn_with_replacement,
        files: [PT, SAFETENSORS, METADATA, SHEET]
            .map(|name| folder.join(name))
            .to_vec(),
    })
}

/// The images to make copies of: the training file, whole.
fn originals(
    params: &SynthParams,
    threads: usize,
    events: &mut dyn Events,
) -> Result<Splits, ExperimentError> {
    let request = DataRequest {
        root: params.raw_root.clone(),
        split: params.split.clone(),
        val_split: 0.0,
        seed: 0,
        download: params.download,
        url: EMNIST_URL.to_owned(),
        md5: Some(EMNIST_MD5.to_owned()),
        mlp_data_dir: None,
    };
    Ok(match params.source {
        SourceName::Emnist => strata_data::load(&request, events)?,
        SourceName::Glyphs => {
            let config = glyphs::GlyphsConfig {
                seed: params.glyphs_seed,
                threads,
                ..glyphs::GlyphsConfig::default()
            };
            strata_data::load_glyphs(&config, &request, events)?
        }
    })
}

fn sheet(synthetic: &Synthetic, class_names: &[String]) -> Result<Vec<u8>, ExperimentError> {
    let copies = Subset::whole(std::sync::Arc::new(synthetic.dataset.clone()));
    let chosen = contact_sheet(&copies, class_names.len(), SHEET_COLUMNS, 0);
    let rows = class_names.iter().zip(chosen).map(|(name, positions)| {
        let tile = |position: u32| Tile {
            pixels: copies.pixels(position as usize).to_vec(),
            width: SIDE,
            height: SIDE,
            title: String::new(),
        };
        SheetRow {
            label: name.clone(),
            tiles: positions.into_iter().map(tile).collect(),
        }
    });
    debug_assert_eq!(synthetic.dataset.images.len(), copies.len() * PIXELS);
    let sheet = ContactSheet {
        rows: rows.collect(),
        dpi: 100,
        title: Some(format!("{} synthetic images", copies.len())),
    };
    Ok(sheet.to_png()?)
}

impl SynthParams {
    /// The copies that these parameters ask for, of so many classes.
    pub fn expected_images(&self, classes: usize) -> usize {
        let each = self
            .num_samples_per_class
            .saturating_mul(self.variants_per_sample);
        classes.saturating_mul(each)
    }

    /// Reads the section `synth_emnist` of a file of parameters and checks it.
    ///
    /// # Errors
    /// The file or section is missing, or a key is unknown or makes no sense, with the place.
    pub fn read(path: &Path) -> Result<Self, ExperimentError> {
        let text = std::fs::read_to_string(path).map_err(|source| ExperimentError::Parameters {
            path: path.to_owned(),
            source,
            help: "\nhelp: `strata synth --params FILE` names another one; see docs/synthetic-data.md for its keys",
        })?;
        Ok(Self::parse(&path.display().to_string(), &text)?)
    }
}
