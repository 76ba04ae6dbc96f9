//! A panic that is the failure of one job, and not the end of the program.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

/// What a job panicked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobPanic {
    /// The message of the panic.
    pub message: String,
    /// `file:line:column` in the source; none if the panic was passed on from a thread that the job had started.
    pub location: Option<String>,
    /// Where the panic came from, if `RUST_BACKTRACE` asks for it.
    pub backtrace: Option<String>,
}

impl fmt::Display for JobPanic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.message)?;
        match &self.location {
            Some(location) => write!(f, " (at {location})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for JobPanic {}

thread_local! {
    /// Whether a panic of this thread is to be kept rather than printed.
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<JobPanic>> = const { RefCell::new(None) };
}

/// Runs `work`, and gives its panic instead of printing it: a message in the middle of a progress display helps nobody,
/// and says not which job it is about.
///
/// Only panics of this thread are kept. Those of others are printed as ever, by the hook that was there before the first
/// call, so a thread that `work` starts prints its own.
///
/// What `work` was changing when it panicked is as it was left: do not share half-made things between jobs. A `Mutex` is
/// poisoned as usual.
///
/// # Errors
/// The panic of `work`.
pub fn catch_panic<R>(work: impl FnOnce() -> R) -> Result<R, JobPanic> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if IS_CAUGHT.get() {
                LAST.set(Some(JobPanic::of(info)));
            } else {
                print(info);
            }
        }));
    });

    LAST.set(None);
    let outer = IS_CAUGHT.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(outer);
    // `resume_unwind`, which passes on the panic of another thread, calls no hook.
    result.map_err(|payload| LAST.take().unwrap_or_else(|| JobPanic::passed_on(payload)))
}

impl JobPanic {
    fn of(info: &PanicHookInfo<'_>) -> Self {
        let backtrace = Backtrace::capture();
        Self {
            message: info
                .payload_as_str()
                .unwrap_or("without a message")
                .to_owned(),
            location: info.location().map(ToString::to_string),
            backtrace: (backtrace.status() == BacktraceStatus::Captured)
                .then(|| backtrace.to_string()),
        }
    }

    fn passed_on(payload: Box<dyn Any + Send>) -> Self {
        let message = match payload.downcast::<String>() {
            Ok(message) => *message,
            Err(payload) => match payload.downcast::<&'static str>() {
                Ok(message) => (*message).to_owned(),
                Err(_) => "without a message".to_owned(),
            },
        };
        Self {
            message,
            location: None,
            backtrace: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::resume_unwind;
    use std::thread;

    use super::*;

    #[test]
    fn the_message_and_the_place_are_kept() {
        let job = 3;
        let panic = catch_panic(|| panic!("job {job} divides by zero")).unwrap_err();
        assert_eq!(panic.message, "job 3 divides by zero");
        assert!(panic.location.as_deref().unwrap().contains("panic.rs:"));
        assert!(
            panic
                .to_string()
                .starts_with("panicked: job 3 divides by zero (at ")
        );
    }

    #[test]
    fn a_result_is_given_through() {
        assert_eq!(catch_panic(|| 42), Ok(42));
    }

    #[test]
    fn a_panic_passed_on_from_another_thread_has_its_message_and_no_place() {
        let panic = catch_panic::<()>(|| {
            let payload = thread::spawn(|| resume_unwind(Box::new("shard 1".to_owned())));
            resume_unwind(payload.join().unwrap_err())
        })
        .unwrap_err();
        assert_eq!((panic.message.as_str(), panic.location), ("shard 1", None));
    }

    #[test]
    fn the_panic_of_an_inner_job_leaves_the_outer_one_caught() {
        let outer = catch_panic::<()>(|| {
            let inner = catch_panic::<()>(|| panic!("inner"));
            assert_eq!(inner.unwrap_err().message, "inner");
            panic!("outer");
        });
        assert_eq!(outer.unwrap_err().message, "outer");
        assert!(!IS_CAUGHT.get());
    }
}
