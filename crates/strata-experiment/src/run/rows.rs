//! The rows that a run logs.

use strata_nn::{EpochReport, Evaluation, StepReport};
use strata_track::Row;

/// A batch.
pub(super) fn of_step(report: &StepReport) -> Row {
    let correct = report.correct as f64 / report.batch_size as f64;
    let row = Row::new(report.step, Some(report.epoch as u64))
        .with("train/batch_loss", report.loss)
        .with("train/batch_accuracy", correct)
        .with("train/grad_norm", report.grad_norm)
        .with("train/lr", report.lr);
    if report.penalty == 0.0 {
        row
    } else {
        row.with("train/batch_penalty", report.penalty)
    }
}

/// An epoch; `names` are those of the layers' weights.
pub(super) fn of_epoch(step: u64, epoch: usize, report: &EpochReport, names: &[String]) -> Row {
    let mut row = Row::new(step, Some(epoch as u64))
        .with("train/loss", report.loss)
        .with("train/accuracy", report.accuracy)
        .with("train/lr", report.lr);
    if report.penalty != 0.0 {
        row = row.with("train/penalty", report.penalty);
    }
    for (name, layer) in names.iter().zip(&report.layers) {
        row = row
            .with(format!("gradients/{name}/norm"), layer.grad_norm)
            .with(format!("gradients/{name}/mean_abs"), layer.mean_abs_grad)
            .with(format!("weights/{name}/norm"), layer.weight_norm);
    }
    row.with("time/train_s", report.seconds)
        .with("time/images_per_s", report.images as f64 / report.seconds)
}

/// The figures of a part of the data.
pub(super) fn with_evaluation(row: Row, of: &str, evaluation: &Evaluation) -> Row {
    row.with(format!("{of}/loss"), evaluation.loss)
        .with(format!("{of}/accuracy"), evaluation.accuracy)
        .with(format!("{of}/top5_accuracy"), evaluation.top5_accuracy)
        .with(
            format!("{of}/calibration_error"),
            evaluation.calibration_error,
        )
}

/// How much worse the network does on what it has not seen, both in evaluation mode.
pub(super) fn with_gap(row: Row, seen: &Evaluation, unseen: &Evaluation) -> Row {
    row.with("generalization_gap/loss", unseen.loss - seen.loss)
        .with(
            "generalization_gap/accuracy",
            seen.accuracy - unseen.accuracy,
        )
}
