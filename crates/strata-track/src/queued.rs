//! A sink on a thread of its own.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::{Event, Row, RunState, Sink, SinkError};

/// Rows and events that may wait: some seconds of a training that logs every step. Who logs more than the sink takes
/// waits for it, since nothing is to be lost.
const WAITING: usize = 4096;

/// Hands everything to a sink that works on a thread of its own, which takes all that waits at once.
///
/// What fails there is returned by the next call, once.
pub struct QueuedSink {
    name: String,
    queue: Arc<Queue>,
    /// Absent once the run is over.
    worker: Option<JoinHandle<()>>,
}

enum Message {
    Row(Row),
    Event(Event),
    Finish(RunState),
}

#[derive(Default)]
struct Queue {
    state: Mutex<QueueState>,
    /// There is something, or nothing will come any more.
    filled: Condvar,
    /// There is room.
    emptied: Condvar,
}

#[derive(Default)]
struct QueueState {
    messages: Vec<Message>,
    /// Nothing comes any more.
    is_closed: bool,
    /// Nobody takes anything any more.
    is_gone: bool,
    failure: Option<SinkError>,
}

impl QueuedSink {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no room for another thread.
    pub fn new(sink: impl Sink + 'static) -> std::io::Result<Self> {
        let name = sink.name().to_owned();
        let queue = Arc::new(Queue::default());
        let worker = {
            let queue = Arc::clone(&queue);
            thread::Builder::new()
                .name(format!("sink-{name}"))
                .spawn(move || work(sink, &queue))?
        };
        Ok(Self {
            name,
            queue,
            worker: Some(worker),
        })
    }

    /// Lets others tell the sink something, as long as the run goes on.
    pub fn sender(&self) -> EventSender {
        EventSender {
            queue: Arc::clone(&self.queue),
        }
    }

    /// Lets the thread come to the end of the queue; whether it did.
    fn close(&mut self) -> bool {
        self.queue.lock().is_closed = true;
        self.queue.filled.notify_one();
        self.worker
            .take()
            .is_none_or(|worker| worker.join().is_ok())
    }
}

/// Tells a sink events from elsewhere.
pub struct EventSender {
    queue: Arc<Queue>,
}

impl EventSender {
    /// Tells an event, without waiting; once the run is over nobody hears it.
    pub fn tell(&self, event: Event) {
        // A sink that has failed has its owner to tell so.
        let _ = self.queue.push(self.queue.lock(), Message::Event(event));
    }
}

impl Queue {
    /// Waits for room and tells what has failed before.
    fn send(&self, message: Message) -> Result<(), SinkError> {
        let mut state = self.lock();
        while state.messages.len() >= WAITING && !state.is_gone {
            let waited = self.emptied.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        let failure = state.failure.take();
        self.push(state, message)?;
        failure.map_or(Ok(()), Err)
    }

    fn push(
        &self,
        mut state: MutexGuard<'_, QueueState>,
        message: Message,
    ) -> Result<(), SinkError> {
        if state.is_gone || state.is_closed {
            return Err(SinkError::Gone);
        }
        state.messages.push(message);
        if state.messages.len() == 1 {
            self.filled.notify_one();
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for messages, at most until `due`, and exchanges them for the empty `taken`; whether more may come.
    fn take(&self, taken: &mut Vec<Message>, due: Option<Instant>) -> bool {
        let mut state = self.lock();
        while state.messages.is_empty() && !state.is_closed {
            let waited = match due {
                None => self.filled.wait(state),
                Some(due) => {
                    let left = due.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return true;
                    }
                    let waited = self.filled.wait_timeout(state, left);
                    Ok(waited.unwrap_or_else(PoisonError::into_inner).0)
                }
            };
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut state.messages, taken);
        self.emptied.notify_all();
        !taken.is_empty()
    }

    fn note(&self, result: Result<(), SinkError>) {
        if let Err(error) = result {
            self.lock().failure.get_or_insert(error);
        }
    }
}

/// Lets nobody wait for a thread that has panicked.
struct Leaving<'a>(&'a Queue);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.lock().is_gone = true;
        self.0.emptied.notify_all();
    }
}

fn work(mut sink: impl Sink, queue: &Queue) {
    let _leaving = Leaving(queue);
    let mut messages = Vec::new();
    let next_beat = |sink: &dyn Sink| sink.pulse().map(|pulse| Instant::now() + pulse);
    let mut due = next_beat(&sink);
    while queue.take(&mut messages, due) {
        if due.is_some_and(|due| due <= Instant::now()) {
            queue.note(sink.beat());
            due = next_beat(&sink);
        }
        sink.hold();
        for message in messages.drain(..) {
            queue.note(match message {
                Message::Row(row) => sink.log(&row),
                Message::Event(event) => sink.take(&event),
                Message::Finish(state) => sink.finish(state),
            });
        }
        queue.note(sink.flush());
    }
}

impl Sink for QueuedSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn log(&mut self, row: &Row) -> Result<(), SinkError> {
        self.queue.send(Message::Row(row.clone()))
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        self.queue.send(Message::Event(event.clone()))
    }

    fn finish(&mut self, state: RunState) -> Result<(), SinkError> {
        self.queue.send(Message::Finish(state))?;
        if !self.close() {
            return Err(SinkError::Gone);
        }
        self.queue.lock().failure.take().map_or(Ok(()), Err)
    }
}

impl Drop for QueuedSink {
    /// Also a run that panics keeps what it has logged.
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// Tells what it was given; row 13 fails, and row 99 panics.
    struct Probe(Sender<String>);

    impl Sink for Probe {
        fn name(&self) -> &'static str {
            "probe"
        }

        fn log(&mut self, row: &Row) -> Result<(), SinkError> {
            assert_ne!(row.step, 99, "row 99");
            self.0.send(format!("row {}", row.step)).expect("heard");
            if row.step == 13 {
                return Err(SinkError::Other("row 13".into()));
            }
            Ok(())
        }

        fn take(&mut self, event: &Event) -> Result<(), SinkError> {
            self.0.send(format!("{event:?}")).expect("heard");
            Ok(())
        }

        fn finish(&mut self, state: RunState) -> Result<(), SinkError> {
            self.0.send(format!("{state:?}")).expect("heard");
            Ok(())
        }
    }

    fn told(steps: impl IntoIterator<Item = u64>) -> (Vec<String>, Vec<String>) {
        let (sender, told) = channel();
        let mut sink = QueuedSink::new(Probe(sender)).expect("a thread");
        let mut results = Vec::new();
        for step in steps {
            results.push(sink.log(&Row::new(step, None)));
        }
        results.push(sink.take(&Event::PurgeStep(7)));
        results.push(sink.finish(RunState::Finished));
        let errors = results.into_iter().filter_map(Result::err);
        let errors = errors.map(|error| error.to_string()).collect();
        (told.iter().collect(), errors)
    }

    #[test]
    fn everything_arrives_in_order() {
        let (told, errors) = told(1_000..11_000);
        let mut expected: Vec<String> = (1_000..11_000).map(|step| format!("row {step}")).collect();
        expected.push("PurgeStep(7)".to_owned());
        expected.push("Finished".to_owned());
        assert_eq!(told, expected);
        assert!(errors.is_empty());
    }

    #[test]
    fn a_failure_is_returned_once_and_the_rest_arrives() {
        let (told, errors) = told([12, 13, 14]);
        assert_eq!(
            told,
            ["row 12", "row 13", "row 14", "PurgeStep(7)", "Finished"]
        );
        assert_eq!(errors, ["row 13"]);
    }

    #[test]
    fn a_panic_is_a_failure() {
        let (told, errors) = told([12, 99, 14]);
        assert_eq!(told, ["row 12"]);
        assert!(
            errors.iter().any(|error| error.contains("thread")),
            "{errors:?}"
        );
    }
}
