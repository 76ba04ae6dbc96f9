//! The figures of a single run.

use strata_data::{PIXELS, SIDE, Splits};
use strata_figure::{ImageGrid, Tile};
use strata_nn::Stream;

use crate::config::ExperimentConfig;
use crate::error::ExperimentError;
use crate::samples::Augmentation;

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
    let augmenter = config.data.augmentations.augmenter();
    let augmenter = augmenter.expect("checked with the configuration");
    let augmentation = augmenter.as_ref().map(|augmenter| Augmentation {
        augmenter,
        seed: config.training.seed,
    });
    let tiles = order.iter().take(shown).enumerate().map(|(at, &index)| {
        let index = index as usize;
        let mut pixels = splits.train.pixels(index).to_vec();
        if let Some(augmentation) = augmentation {
            let mut changed = [0; PIXELS];
            augmentation.change(1, at, &pixels, &mut changed);
            pixels = changed.to_vec();
        }
        let label = usize::from(splits.train.label(index));
        Tile {
            pixels,
            width: SIDE,
            height: SIDE,
            title: format!("label: {}", splits.class_names[label]),
        }
    });
    Ok(ImageGrid::square(tiles.collect(), config.logging.matplotlib.dpi).to_png()?)
}
