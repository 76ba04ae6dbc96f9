//! Jobs that are closures: several side by side on threads of this process.

use std::thread;

use crate::panic::{JobPanic, catch_panic};

/// Runs jobs on `workers` threads side by side until there are no more.
///
/// A worker that is free asks `next` for a job, does it with `run`, hands the job and what came of it to `ended`, and asks
/// again: a job that has ended is replaced at once, whatever the others are at. It stops when `next` gives none. All three
/// are told the worker's number, from 0.
///
/// A job that panics is an `Err` for `ended`, and hinders no other. `next` and `ended` run on the workers too, and at the
/// same time as each other. They are no jobs: their panic ends the worker, and comes out of this function when the other
/// workers have stopped.
///
/// Worker 0 is the calling thread. Of no workers at all there is one; where the system gives no more threads, there are
/// fewer.
///
/// ```
/// use std::sync::Mutex;
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// let jobs = ["1", "2", "three"];
/// let handed_out = AtomicUsize::new(0);
/// let sum = Mutex::new(0);
/// strata_launch::run_jobs(
///     2,
///     |_worker| jobs.get(handed_out.fetch_add(1, Ordering::Relaxed)),
///     |_worker, job| job.parse::<u32>().expect("a number"),
///     |_worker, job, result| match result {
///         Ok(number) => *sum.lock().unwrap() += number,
///         Err(panic) => assert!(*job == "three" && panic.message.contains("a number")),
///     },
/// );
/// assert_eq!(sum.into_inner().unwrap(), 3);
/// ```
pub fn run_jobs<J, R>(
    workers: usize,
    next: impl Fn(usize) -> Option<J> + Sync,
    run: impl Fn(usize, &J) -> R + Sync,
    ended: impl Fn(usize, J, Result<R, JobPanic>) + Sync,
) {
    let work = |worker: usize| {
        while let Some(job) = next(worker) {
            let result = catch_panic(|| run(worker, &job));
            ended(worker, job, result);
        }
    };
    thread::scope(|scope| {
        for worker in 1..workers {
            let name = format!("job worker {worker}");
            let spawned = thread::Builder::new()
                .name(name)
                .spawn_scoped(scope, move || work(worker));
            if spawned.is_err() {
                break;
            }
        }
        work(0);
    });
}

/// The threads that one of `workers` may use of `total`: equal shares, the first workers get what is left over, and
/// nobody gets none.
pub fn threads_of_worker(total: usize, workers: usize, worker: usize) -> usize {
    let workers = workers.max(1);
    let left_over = usize::from(worker < total % workers);
    (total / workers + left_over).max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::mpsc::{Receiver, channel};
    use std::sync::{Barrier, Mutex};

    use super::*;

    fn numbers(count: usize) -> impl Fn(usize) -> Option<usize> + Sync {
        let rest = Mutex::new(0..count);
        move |_| rest.lock().unwrap().next()
    }

    #[test]
    fn every_job_is_done_once_by_any_number_of_workers() {
        for workers in [0, 1, 3, 20] {
            let done = Mutex::new(Vec::new());
            run_jobs(
                workers,
                numbers(10),
                |_, job| job * job,
                |_, job, result| done.lock().unwrap().push((job, result.unwrap())),
            );
            let mut done = done.into_inner().unwrap();
            done.sort_unstable();
            let expected: Vec<_> = (0..10).map(|job| (job, job * job)).collect();
            assert_eq!(done, expected, "{workers} workers");
        }
    }

    #[test]
    fn workers_run_side_by_side() {
        let meeting = Barrier::new(3);
        let workers = Mutex::new(BTreeSet::new());
        run_jobs(
            3,
            numbers(3),
            |worker, _| {
                // Nobody gets past this unless all three are here.
                meeting.wait();
                worker
            },
            |_, _, worker| {
                workers.lock().unwrap().insert(worker.unwrap());
            },
        );
        assert_eq!(workers.into_inner().unwrap(), BTreeSet::from([0, 1, 2]));
    }

    #[test]
    fn a_finished_job_is_replaced_while_another_still_runs() {
        let (others_done, all_others_done) = channel();
        let all_others_done: Mutex<Receiver<()>> = Mutex::new(all_others_done);
        run_jobs(
            2,
            numbers(6),
            |_, &job| {
                if job == 0 {
                    // The long job ends when the five others have: a launcher of batches would never get there.
                    let waiting = all_others_done.lock().unwrap();
                    (0..5).for_each(|_| waiting.recv().unwrap());
                }
            },
            |_, job, _| {
                if job != 0 {
                    others_done.send(()).unwrap();
                }
            },
        );
    }

    #[test]
    fn a_panic_is_the_failure_of_one_job() {
        let results = Mutex::new([None, None, None, None]);
        run_jobs(
            2,
            numbers(4),
            |_, &job| {
                assert!(job % 2 == 0, "job {job} is odd");
                job
            },
            |_, job, result| results.lock().unwrap()[job] = Some(result),
        );
        let results = results.into_inner().unwrap().map(Option::unwrap);
        assert_eq!((&results[0], &results[2]), (&Ok(0), &Ok(2)));
        for job in [1, 3] {
            let panic = results[job].as_ref().unwrap_err();
            assert_eq!(panic.message, format!("job {job} is odd"));
        }
    }

    #[test]
    fn a_panic_outside_of_a_job_comes_out() {
        let out = catch_panic(|| {
            run_jobs(
                1,
                numbers(2),
                |_, _| (),
                |_, job, _| panic!("writing {job}"),
            );
        });
        assert_eq!(out.unwrap_err().message, "writing 0");
    }

    #[test]
    fn threads_are_parted_fairly_and_nobody_gets_none() {
        let shares = |total, workers| -> Vec<usize> {
            (0..workers)
                .map(|worker| threads_of_worker(total, workers, worker))
                .collect()
        };
        assert_eq!(shares(8, 3), [3, 3, 2]);
        assert_eq!(shares(8, 4), [2, 2, 2, 2]);
        assert_eq!(shares(2, 4), [1, 1, 1, 1]);
        assert_eq!(shares(0, 1), [1]);
        assert_eq!(threads_of_worker(4, 0, 0), 4);
    }
}
