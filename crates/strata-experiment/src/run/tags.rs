//! The names under which TensorBoard and W&B have a run's rows.

use std::time::Duration;

use strata_track::{Event, Row, RunState, Sink, SinkError};

/// Hands rows on under the names of the Python stack: `train/loss` is that of a batch, every `training.log_interval`
/// steps, and the mean over an epoch is `train_epoch/loss`.
pub(super) struct Tagged<S>(pub(super) S);

impl<S: Sink> Sink for Tagged<S> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn log(&mut self, row: &Row) -> Result<(), SinkError> {
        self.0.log(&tagged(row))
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        self.0.take(event)
    }

    fn hold(&mut self) {
        self.0.hold();
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.0.flush()
    }

    fn pulse(&self) -> Option<Duration> {
        self.0.pulse()
    }

    fn beat(&mut self) -> Result<(), SinkError> {
        self.0.beat()
    }

    fn finish(&mut self, state: RunState) -> Result<(), SinkError> {
        self.0.finish(state)
    }
}

fn tagged(row: &Row) -> Row {
    const OF_A_BATCH: &str = "train/batch_";
    let is_of_a_step = row.values.keys().any(|name| name.starts_with(OF_A_BATCH));
    let values = row.values.iter().map(|(name, &value)| {
        let tag = if is_of_a_step {
            name.replacen(OF_A_BATCH, "train/", 1)
        } else {
            of_epoch(name)
        };
        (tag, value)
    });
    Row {
        values: values.collect(),
        ..*row
    }
}

/// The tag of a value that is logged once an epoch.
pub(super) fn of_epoch(name: &str) -> String {
    match name.strip_prefix("train/") {
        Some(rest) => format!("train_epoch/{rest}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_and_epochs_have_tags_of_their_own() {
        let names = |row: &Row| tagged(row).values.into_keys().collect::<Vec<_>>();
        let batch = Row::new(50, Some(1))
            .with("train/batch_loss", 1.0)
            .with("train/lr", 0.1);
        assert_eq!(names(&batch), ["train/loss", "train/lr"]);
        let epoch = Row::new(50, Some(1))
            .with("train/loss", 1.0)
            .with("validation/loss", 0.5);
        assert_eq!(names(&epoch), ["train_epoch/loss", "validation/loss"]);
    }
}
