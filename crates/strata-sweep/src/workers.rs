//! Jobs side by side in this process.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

/// Runs jobs on so many threads: each takes the next when it is free, until there is none. What a job panics with is
/// given to `ended` as an error, and the others go on. `next` and `ended` are told the thread, from 0.
pub(crate) fn run_side_by_side<J, R>(
    workers: usize,
    next: impl Fn(usize) -> Option<J> + Sync,
    run: impl Fn(usize, &J) -> R + Sync,
    ended: impl Fn(J, Result<R, String>) + Sync,
) {
    let work = |worker: usize| {
        while let Some(job) = next(worker) {
            let result = catch_unwind(AssertUnwindSafe(|| run(worker, &job)));
            ended(job, result.map_err(|panic| message(&*panic)));
        }
    };
    if workers <= 1 {
        return work(0);
    }
    thread::scope(|scope| {
        for worker in 0..workers {
            let work = &work;
            scope.spawn(move || work(worker));
        }
    });
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("it panicked: {}", text.unwrap_or("without a message"))
}

/// The threads of a worker where `total` are divided among `workers`: at least one, the first ones get what is over.
pub(crate) fn threads_of(total: usize, workers: usize, worker: usize) -> usize {
    let (share, over) = (total / workers.max(1), total % workers.max(1));
    (share + usize::from(worker < over)).max(1)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_panicking_job_does_not_touch_the_others() {
        let given = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        run_side_by_side(
            3,
            |_| Some(given.fetch_add(1, Ordering::Relaxed)).filter(|job| *job < 20),
            |_, job| {
                assert!(*job != 7, "job seven");
                job * 2
            },
            |job, result| results.lock().expect("no panic holds it").push((job, result)),
        );
        let mut results = results.into_inner().expect("all threads ended");
        results.sort();
        assert_eq!(results.len(), 20);
        for (job, result) in results {
            match job {
                7 => assert_eq!(result, Err("it panicked: job seven".to_owned())),
                job => assert_eq!(result, Ok(job * 2)),
            }
        }
    }

    #[test]
    fn threads_are_divided_fairly() {
        let shares = |total, workers| -> Vec<usize> {
            (0..workers).map(|worker| threads_of(total, workers, worker)).collect()
        };
        assert_eq!(shares(8, 3), [3, 3, 2]);
        assert_eq!(shares(2, 4), [1, 1, 1, 1]);
        assert_eq!(shares(2, 1), [2]);
    }
}
