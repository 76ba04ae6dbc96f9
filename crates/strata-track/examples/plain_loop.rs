//! A training loop of one's own that logs to W&B, TensorBoard and a file.
//!
//! `WANDB_MODE=offline cargo run -p strata-track --example plain_loop` fits a line to points and leaves
//! `runs/line/` behind: `tensorboard --logdir runs/line/tensorboard` and `strata sync runs/line` show it.

use strata_track::{Event, Fields, Init, Logged, Run, RunOptions, SinkError};

fn main() -> Result<(), SinkError> {
    let learning_rate = 0.1;
    let mut run = Run::start(RunOptions {
        directory: "runs/line".into(),
        wandb: true,
        tensorboard: true,
        jsonl: true,
        init: Init {
            project: Some("lines".to_owned()),
            name: Some("line".to_owned()),
            config: Fields::from([("lr".to_owned(), learning_rate.into())]),
            ..Init::default()
        },
    })?;
    let points: Vec<(f64, f64)> = (0..20)
        .map(|i| (f64::from(i) / 20.0, 2.0 * f64::from(i) / 20.0 - 1.0))
        .collect();
    let (mut slope, mut intercept) = (0.0, 0.0);
    for _ in 0..200 {
        let residuals = points.iter().map(|(x, y)| (x, slope * x + intercept - y));
        let (mut loss, mut by_slope, mut by_intercept) = (0.0, 0.0, 0.0);
        for (x, residual) in residuals {
            loss += residual * residual / 20.0;
            by_slope += 2.0 * residual * x / 20.0;
            by_intercept += 2.0 * residual / 20.0;
        }
        slope -= learning_rate * by_slope;
        intercept -= learning_rate * by_intercept;
        run.log([("loss", loss), ("slope", slope), ("intercept", intercept)]);
    }
    let fitted = Fields::from([("slope".to_owned(), slope.into())]);
    run.tell(Event::Summary(fitted.clone()));
    run.tell(Event::Log(Logged {
        values: fitted,
        ..Logged::default()
    }));
    run.finish(0);
    Ok(())
}
