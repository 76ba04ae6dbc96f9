//! The figures of a single run.

use strata_data::{PIXELS, SIDE, Splits};
use strata_figure::{ImageGrid, Tile};
use strata_nn::Stream;

use crate::config::ExperimentConfig;
use crate::error::ExperimentError;

/// A grid of the first training batch, each image under its class, as the first epoch sees it.
pub(crate) fn first_batch(
    config: &ExperimentConfig,
    splits: &Splits,
) -> Result<Vec<u8>, ExperimentError> {
    let mut order: Vec<u32> = (0..splits.train.len() as u32).collect();
    if config.data.shuffle {
        // The engine's own order of the first epoch.
        Stream::new(config.training.seed, "shuffle")
            .at(1, 0)
            .shuffle(&mut order);
    }
    let shown = config
        .logging
        .matplotlib
        .num_samples
        .min(config.data.batch_size);
    let tiles = order.iter().take(shown).map(|&position| {
        let at = splits.train.indices[position as usize] as usize;
        let dataset = &splits.train.dataset;
        let label = usize::from(dataset.labels[at]);
        Tile {
            pixels: dataset.images[at * PIXELS..(at + 1) * PIXELS].to_vec(),
            width: SIDE,
            height: SIDE,
            title: format!("label: {}", splits.class_names[label]),
        }
    });
    Ok(ImageGrid::square(tiles.collect(), config.logging.matplotlib.dpi).to_png()?)
}
