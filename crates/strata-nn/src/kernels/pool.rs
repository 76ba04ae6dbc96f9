//! Threads that claim numbered chunks of work.
//!
//! [`ThreadPool::run`] publishes a phase of `n` chunks; whoever is awake, the caller included, claims
//! the next number until none is left. Which thread computes a chunk never decides its result, so a
//! thread that the system has put aside holds up at most the one chunk it has claimed: an epoch beside
//! another busy process loses its fair share and no more. Threads spin briefly between phases, which
//! are microseconds apart, and park after that. Nothing is allocated per phase.

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, Thread};

/// About 20 microseconds: longer than the gaps within a training step, far shorter than a time slice.
const SPINS: u32 = 1_000;

/// A chunk's work, its lifetime erased; see the safety notes in [`ThreadPool::run`].
type Work = *const (dyn Fn(usize) + Sync);

struct Phase {
    /// Generation (24 bits), number of chunks (20 bits), next chunk (20 bits).
    claims: AtomicU64,
    finished: AtomicUsize,
    work: UnsafeCell<Option<Work>>,
    caller: UnsafeCell<Option<Thread>>,
    caller_parked: AtomicBool,
    workers_parked: Box<[AtomicBool]>,
    panicked: AtomicBool,
    stop: AtomicBool,
}

// SAFETY: `work` and `caller` are written by the caller of `run` alone, while no chunk of the phase can
// be claimed, and read only by threads that have claimed a chunk; `claims` orders the two.
unsafe impl Sync for Phase {}
// SAFETY: the pointer in `work` is only followed under the same protocol, whichever thread drops it.
unsafe impl Send for Phase {}

/// A fixed set of threads, of which the caller is one.
pub(crate) struct ThreadPool {
    phase: Arc<Phase>,
    workers: Vec<JoinHandle<()>>,
}

/// The most chunks of a phase.
pub(crate) const MOST_CHUNKS: usize = (1 << 20) - 1;

impl ThreadPool {
    /// A pool of `threads` threads, at least one: the caller.
    pub(crate) fn new(threads: usize) -> Self {
        let workers = threads.max(1) - 1;
        let phase = Arc::new(Phase {
            claims: AtomicU64::new(0),
            finished: AtomicUsize::new(0),
            work: UnsafeCell::new(None),
            caller: UnsafeCell::new(None),
            caller_parked: AtomicBool::new(false),
            workers_parked: (0..workers).map(|_| AtomicBool::new(false)).collect(),
            panicked: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let workers = (0..workers)
            .map(|index| {
                let phase = Arc::clone(&phase);
                thread::Builder::new()
                    .name(format!("strata-nn-{}", index + 1))
                    .spawn(move || phase.serve(index))
                    .expect("the system has room for another thread")
            })
            .collect();
        Self { phase, workers }
    }

    /// Calls `work(chunk)` once for each chunk in `0..chunks`, and returns when all are done.
    ///
    /// # Panics
    /// If a chunk panics, or there are more than [`MOST_CHUNKS`].
    pub(crate) fn run(&mut self, chunks: usize, work: &(dyn Fn(usize) + Sync)) {
        assert!(chunks <= MOST_CHUNKS, "too many chunks in a phase");
        if chunks == 0 {
            return;
        }
        if self.workers.is_empty() {
            (0..chunks).for_each(work);
            return;
        }
        self.publish(chunks, work);
        let generation = generation_of(self.phase.claims.load(Ordering::Relaxed));
        while self.phase.claim_and_work(generation) {}
        self.wait_for(chunks);
        assert!(
            !self.phase.panicked.swap(false, Ordering::Relaxed),
            "a chunk of work panicked"
        );
    }

    fn publish(&mut self, chunks: usize, work: &(dyn Fn(usize) + Sync)) {
        // SAFETY: only the lifetime changes. The pointer is followed only by threads that have claimed
        // a chunk of this phase, and `run` does not return before all of them are finished.
        let work = unsafe {
            std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(work)
        };
        let work: Work = work;
        // SAFETY: the previous phase has no unclaimed chunk and all of its chunks are finished, so no
        // other thread reads these cells until `claims` below announces the new phase.
        unsafe {
            *self.phase.work.get() = Some(work);
            *self.phase.caller.get() = Some(thread::current());
        }
        self.phase.finished.store(0, Ordering::Relaxed);
        let before = generation_of(self.phase.claims.load(Ordering::Relaxed));
        let generation = (before + 1) & 0xff_ffff;
        self.phase
            .claims
            .store(packed(generation, chunks), Ordering::SeqCst);
        for (parked, worker) in self.phase.workers_parked.iter().zip(&self.workers) {
            if parked.load(Ordering::SeqCst) {
                worker.thread().unpark();
            }
        }
    }

    fn wait_for(&self, chunks: usize) {
        let all_finished = || self.phase.finished.load(Ordering::SeqCst) == chunks;
        if spin_until(all_finished) {
            return;
        }
        self.phase.caller_parked.store(true, Ordering::SeqCst);
        while !all_finished() {
            thread::park();
        }
        self.phase.caller_parked.store(false, Ordering::SeqCst);
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.phase.stop.store(true, Ordering::SeqCst);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // A worker catches the panics of its chunks, so there is nothing to learn from joining.
            let _ = worker.join();
        }
    }
}

impl Phase {
    /// A worker's life: work, spin, park.
    fn serve(&self, index: usize) {
        while !self.stop.load(Ordering::SeqCst) {
            let generation = generation_of(self.claims.load(Ordering::SeqCst));
            while self.claim_and_work(generation) {}
            let something_new = || {
                let claims = self.claims.load(Ordering::SeqCst);
                has_chunks(claims) || self.stop.load(Ordering::SeqCst)
            };
            if spin_until(something_new) {
                continue;
            }
            self.workers_parked[index].store(true, Ordering::SeqCst);
            while !something_new() {
                thread::park();
            }
            self.workers_parked[index].store(false, Ordering::SeqCst);
        }
    }

    /// Computes the next chunk of the phase `generation`; false if there is none left.
    fn claim_and_work(&self, generation: u32) -> bool {
        let claimed = self
            .claims
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |claims| {
                (generation_of(claims) == generation && has_chunks(claims)).then_some(claims + 1)
            });
        let Ok(claims) = claimed else { return false };
        // SAFETY: this thread holds an unfinished chunk of the current phase, so `run` is still waiting
        // and neither cell is written before `finished` says that this chunk is done; the pointer
        // outlives the call for the same reason.
        let (work, caller) = unsafe { (*self.work.get(), (*self.caller.get()).clone()) };
        let work = work.expect("a phase that has chunks has work");
        // SAFETY: see above.
        let outcome = catch_unwind(AssertUnwindSafe(|| unsafe { (*work)(next_of(claims)) }));
        if outcome.is_err() {
            self.panicked.store(true, Ordering::SeqCst);
        }
        let finished = self.finished.fetch_add(1, Ordering::SeqCst) + 1;
        if finished == chunks_of(claims) && self.caller_parked.load(Ordering::SeqCst) {
            caller.expect("a phase has a caller").unpark();
        }
        true
    }
}

fn spin_until(condition: impl Fn() -> bool) -> bool {
    for _ in 0..SPINS {
        if condition() {
            return true;
        }
        std::hint::spin_loop();
    }
    false
}

fn packed(generation: u32, chunks: usize) -> u64 {
    u64::from(generation) << 40 | (chunks as u64) << 20
}

fn generation_of(claims: u64) -> u32 {
    (claims >> 40) as u32
}

fn chunks_of(claims: u64) -> usize {
    (claims >> 20 & 0xf_ffff) as usize
}

fn next_of(claims: u64) -> usize {
    (claims & 0xf_ffff) as usize
}

fn has_chunks(claims: u64) -> bool {
    next_of(claims) < chunks_of(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chunk_is_done_once() {
        for threads in [1, 2, 5] {
            let mut pool = ThreadPool::new(threads);
            for chunks in [0, 1, 2, 7, 300] {
                let counts: Vec<AtomicUsize> = (0..chunks).map(|_| AtomicUsize::new(0)).collect();
                for _ in 0..50 {
                    pool.run(chunks, &|chunk| {
                        counts[chunk].fetch_add(1, Ordering::Relaxed);
                    });
                }
                let all_fifty = counts
                    .iter()
                    .all(|count| count.load(Ordering::Relaxed) == 50);
                assert!(all_fifty, "{threads} threads, {chunks} chunks");
            }
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
        let mut pool = ThreadPool::new(3);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            pool.run(20, &|chunk| assert!(chunk != 11, "chunk 11 fails"));
        }));
        assert!(panicked.is_err());
        let done = AtomicUsize::new(0);
        pool.run(20, &|_| {
            done.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(done.into_inner(), 20);
    }
}
