//! Seconds and GFLOP/s of training epochs on random images.
//!
//! `cargo run --release -p strata-nn --example epoch_time -- 512,512,256 128 0.3 1 2 5` trains a network
//! with those hidden widths, batch size, dropout, clipping (0 for none) and threads for five epochs of
//! 103,486 images.

use std::ops::ControlFlow;

use strata_nn::{
    DropoutConfig, Mlp, MlpConfig, OptimizerConfig, Place, Samples, Stream, Trainer, TrainerConfig,
    prefetch_bytes, scale_bytes,
};

const IMAGES: usize = 103_486;
const PIXELS: usize = 784;

/// Bytes, scaled as they are gathered, as images of a data set are.
struct RandomImages {
    pixels: Vec<u8>,
    labels: Vec<u32>,
}

impl Samples for RandomImages {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn input_dim(&self) -> usize {
        PIXELS
    }

    fn prefetch(&self, indices: &[u32]) {
        for &index in indices {
            let index = index as usize;
            prefetch_bytes(&self.pixels[index * PIXELS..(index + 1) * PIXELS]);
        }
    }

    fn label(&self, index: u32) -> u32 {
        self.labels[index as usize]
    }

    fn gather(&self, _: Place, indices: &[u32], x: &mut [f32], row_stride: usize) {
        for (row, &index) in x.chunks_mut(row_stride).zip(indices) {
            let index = index as usize;
            let pixels = &self.pixels[index * PIXELS..(index + 1) * PIXELS];
            scale_bytes(pixels, 1.0 / 255.0, -0.5, row);
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dims, batch, dropout, clip, threads, epochs] = args.as_slice() else {
        eprintln!(
            "usage: epoch_time HIDDEN BATCH DROPOUT CLIP THREADS EPOCHS, e.g. 512,512,256 128 0.3 1 2 5"
        );
        std::process::exit(2);
    };
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let dims: Vec<usize> = dims
        .split(',')
        .map(|dim| dim.parse().expect("a width"))
        .collect();
    let config = MlpConfig {
        dropout: DropoutConfig::inverted(number(dropout) as f32),
        ..MlpConfig::new(PIXELS, &dims, 47)
    };
    let mut random = Stream::new(1, "images");
    let samples = RandomImages {
        pixels: (0..IMAGES * PIXELS)
            .map(|_| random.below(256) as u8)
            .collect(),
        labels: (0..IMAGES).map(|_| random.below(47)).collect(),
    };
    let optimizer = OptimizerConfig::from_name("AdamW", &[].into()).expect("a known optimiser");
    let mut trainer = Trainer::new(
        Mlp::new(&config, 1),
        TrainerConfig {
            batch_size: number(batch) as usize,
            threads: number(threads) as usize,
            max_grad_norm: Some(number(clip) as f32).filter(|&clip| clip > 0.0),
            ..TrainerConfig::new(optimizer)
        },
    );
    for epoch in 1..=number(epochs) as usize {
        let report = trainer
            .train_epoch(&samples, epoch, &mut |_| ControlFlow::Continue(()))
            .expect("random images train");
        let gflops = trainer.operations(report.images) / report.seconds / 1e9;
        eprintln!(
            "epoch {epoch}: {:.3} s, {gflops:.1} GFLOP/s, loss {:.5}",
            report.seconds, report.loss
        );
    }
}
