//! Seconds and GFLOP/s of training epochs on random images.
//!
//! `cargo run --release -p strata-nn --example epoch_time -- 512,512,256 128 0.3 1 2 5` trains a network
//! with those hidden widths, batch size, dropout, clipping (0 for none) and threads for five epochs of
//! 103,486 images.

use std::ops::ControlFlow;

use strata_nn::{
    DropoutConfig, MatrixSamples, Mlp, MlpConfig, OptimizerConfig, Stream, Trainer, TrainerConfig,
};

const IMAGES: usize = 103_486;

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
        ..MlpConfig::new(784, &dims, 47)
    };
    let mut random = Stream::new(1, "images");
    let samples = MatrixSamples {
        x: (0..IMAGES * 784).map(|_| random.uniform() - 0.5).collect(),
        labels: (0..IMAGES).map(|_| random.below(47)).collect(),
        input_dim: 784,
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
