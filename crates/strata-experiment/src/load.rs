//! The data of a configuration.

use std::path::PathBuf;

use strata_data::{DataRequest, Events, Splits, glyphs};

use crate::config::{DataConfig, SourceName};
use crate::error::ExperimentError;
use crate::synthetic;

/// What to load, for the data sets on disk. `seed` decides the split.
pub fn data_request(config: &DataConfig, seed: u64) -> DataRequest {
    DataRequest {
        root: config.root.clone(),
        split: config.split.clone(),
        val_split: config.val_split,
        seed,
        download: config.download,
        url: config.url.clone(),
        md5: config.md5.clone(),
        mlp_data_dir: std::env::var_os("MLP_DATA_DIR").map(PathBuf::from),
    }
}

/// Loads the data of a configuration, with its synthetic images in the training set; `seed` decides the split, `threads` only the time it takes.
///
/// # Errors
/// Nothing is found, a file is damaged, a download fails, or the synthetic images cannot be used; the error
/// says what would help.
pub fn load_splits(
    config: &DataConfig,
    seed: u64,
    threads: usize,
    events: &mut dyn Events,
) -> Result<Splits, ExperimentError> {
    let mut splits = match config.name {
        SourceName::Emnist => strata_data::load(&data_request(config, seed), events)?,
        SourceName::Glyphs => {
            let glyphs_config = glyphs::GlyphsConfig {
                seed: config.seed,
                threads,
                ..glyphs::GlyphsConfig::default()
            };
            let request = data_request(config, seed);
            strata_data::load_glyphs(&glyphs_config, &request, events)?
        }
    };
    if config.use_synthetic {
        synthetic::add(config, &mut splits, events)?;
    }
    Ok(splits)
}
