//! Threads that claim numbered chunks of work.
//!
//! [`ThreadPool::run`] publishes a phase of several parts, each cut into chunks. Every thread has a share
//! of each part, the same one whenever the part is cut into as many chunks: what it has computed in one
//! phase is still in its cache in the next. Who is done with his own share helps the others, so that a
//! thread that the system has put aside holds up at most the one chunk it has claimed: an epoch beside
//! another busy process loses its fair share and no more. Which thread computes a chunk never decides
//! its result. Threads spin briefly between phases, which are microseconds apart, and park after that.
//! Nothing is allocated per phase.

use std::cell::UnsafeCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Thread};

/// About 20 microseconds: longer than the gaps within a training step, far shorter than a time slice.
const SPINS: u32 = 1_000;

/// A chunk of a phase, and which thread computes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The caller is thread 0.
    pub(crate) thread: usize,
    pub(crate) part: usize,
    pub(crate) chunk: usize,
}

/// The work of a phase: called with the thread that is to do it, a thread whose share it is, and a number within that
/// share.
type Work<'a> = dyn Fn(usize, usize, usize) + Sync + 'a;

/// On cache lines of its own: a line that another core has written is up to half a microsecond away.
#[repr(align(128))]
#[derive(Default)]
pub(super) struct OwnLine<T>(pub(super) T);

struct Phase {
    /// The claimed and the last chunk of each thread's share: end (32 bits), next (32 bits).
    claims: Box<[OwnLine<AtomicU64>]>,
    /// How many chunks of all phases each thread has finished, which it tells when it finds no other.
    finished: Box<[OwnLine<AtomicU64>]>,
    /// How many phases there have been: what idle threads look at, so that nobody is disturbed at his claims.
    published: OwnLine<AtomicU64>,
    /// Its lifetime erased; see the safety notes in [`ThreadPool::publish`].
    work: UnsafeCell<Option<*const Work<'static>>>,
    /// Set while it is parked.
    caller: Mutex<Option<Thread>>,
    caller_parked: AtomicBool,
    workers_parked: Box<[AtomicBool]>,
    panicked: AtomicBool,
    stop: AtomicBool,
}

// SAFETY: `work` is written by the caller of `run` alone, while no chunk can be claimed, and read only by threads
// that have claimed a chunk; `claims` orders the two.
unsafe impl Sync for Phase {}
// SAFETY: the pointer in `work` is only followed under the same protocol, whichever thread drops it.
unsafe impl Send for Phase {}

/// A fixed set of threads, of which the caller is one.
pub(crate) struct ThreadPool {
    phase: Arc<Phase>,
    workers: Vec<JoinHandle<()>>,
    /// Chunks of all phases so far.
    chunks: u64,
}

impl ThreadPool {
    /// A pool of `threads` threads, at least one: the caller.
    pub(crate) fn new(threads: usize) -> Self {
        let threads = threads.max(1);
        let counters = || (0..threads).map(|_| OwnLine::default()).collect();
        let phase = Arc::new(Phase {
            claims: counters(),
            finished: counters(),
            published: OwnLine::default(),
            work: UnsafeCell::new(None),
            caller: Mutex::new(None),
            caller_parked: AtomicBool::new(false),
            workers_parked: (1..threads).map(|_| AtomicBool::new(false)).collect(),
            panicked: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let workers = (1..threads)
            .map(|index| {
                let phase = Arc::clone(&phase);
                thread::Builder::new()
                    .name(format!("strata-nn-{index}"))
                    .spawn(move || phase.serve(index))
                    .expect("the system has room for another thread")
            })
            .collect();
        Self {
            phase,
            workers,
            chunks: 0,
        }
    }

    /// Calls `work` once for each chunk in `0..chunks[part]` of each part, and returns when all are done.
    ///
    /// # Panics
    /// If a chunk panics.
    pub(crate) fn run(&mut self, chunks: &[usize], work: &(dyn Fn(Claim) + Sync)) {
        let threads = self.phase.claims.len();
        if threads == 1 {
            for (part, &chunks) in chunks.iter().enumerate() {
                for chunk in 0..chunks {
                    work(Claim {
                        thread: 0,
                        part,
                        chunk,
                    });
                }
            }
            return;
        }
        let share_of = |chunks: usize, owner: usize| -> Range<usize> {
            chunks * owner / threads..chunks * (owner + 1) / threads
        };
        let of_owner = |thread: usize, owner: usize, number: usize| {
            let mut number = number;
            for (part, &chunks) in chunks.iter().enumerate() {
                let share = share_of(chunks, owner);
                if number < share.len() {
                    return work(Claim {
                        thread,
                        part,
                        chunk: share.start + number,
                    });
                }
                number -= share.len();
            }
        };
        let lengths = |owner: usize| {
            let shares = chunks.iter().map(|&chunks| share_of(chunks, owner).len());
            shares.sum::<usize>()
        };
        self.chunks += chunks.iter().sum::<usize>() as u64;
        self.publish(&lengths, &of_owner);
        self.phase.work_off(0);
        self.wait();
        assert!(
            !self.phase.panicked.swap(false, Ordering::Relaxed),
            "a chunk of work panicked"
        );
    }

    fn publish(&mut self, lengths: &dyn Fn(usize) -> usize, work: &Work) {
        // SAFETY: only the lifetime changes. The pointer is followed only by threads that have claimed
        // a chunk of this phase, and `run` does not return before all of them are finished.
        let work = unsafe { std::mem::transmute::<&Work<'_>, &'static Work<'static>>(work) };
        // SAFETY: the previous phase has no unclaimed chunk and all of its chunks are finished, so no
        // other thread reads this cell until `claims` below announces the new phase.
        unsafe { *self.phase.work.get() = Some(work) };
        for (owner, OwnLine(claims)) in self.phase.claims.iter().enumerate() {
            let end = lengths(owner) as u64;
            claims.store(end << 32, Ordering::SeqCst);
        }
        self.phase.published.0.fetch_add(1, Ordering::SeqCst);
        for (parked, worker) in self.phase.workers_parked.iter().zip(&self.workers) {
            if parked.load(Ordering::SeqCst) {
                worker.thread().unpark();
            }
        }
    }

    fn wait(&self) {
        let phase = &self.phase;
        let finished = |OwnLine(chunks): &OwnLine<AtomicU64>| chunks.load(Ordering::SeqCst);
        let all_finished = || phase.finished.iter().map(finished).sum::<u64>() == self.chunks;
        if spin_until(all_finished) {
            return;
        }
        *phase.caller.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current());
        phase.caller_parked.store(true, Ordering::SeqCst);
        while !all_finished() {
            thread::park();
        }
        phase.caller_parked.store(false, Ordering::SeqCst);
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
    /// A worker's life: spin, park, work.
    fn serve(&self, index: usize) {
        let mut seen = 0;
        let published = || self.published.0.load(Ordering::SeqCst);
        let stopped = || self.stop.load(Ordering::SeqCst);
        while !stopped() {
            let something_new = || published() != seen || stopped();
            if !spin_until(something_new) {
                let parked = &self.workers_parked[index - 1];
                parked.store(true, Ordering::SeqCst);
                while !something_new() {
                    thread::park();
                }
                parked.store(false, Ordering::SeqCst);
            }
            seen = published();
            self.work_off(index);
        }
    }

    /// Computes chunks of one's own share and, when it is used up, of the others', until none is left.
    fn work_off(&self, index: usize) {
        let mut finished = 0;
        while let Some((owner, number)) = self.claim(index) {
            // SAFETY: this thread holds a chunk of the current phase of which it has not yet told that it is
            // finished, so `run` is still waiting: nobody writes the cell, and the pointer is alive.
            let outcome = catch_unwind(AssertUnwindSafe(|| unsafe {
                let work = (*self.work.get()).expect("a phase that has chunks has work");
                (*work)(index, owner, number);
            }));
            if outcome.is_err() {
                self.panicked.store(true, Ordering::SeqCst);
            }
            finished += 1;
        }
        if finished == 0 {
            return;
        }
        self.finished[index].0.fetch_add(finished, Ordering::SeqCst);
        if self.caller_parked.load(Ordering::SeqCst) {
            let caller = self.caller.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(caller) = &*caller {
                caller.unpark();
            }
        }
    }

    /// The next chunk for a thread: whose share it is of, and its number there.
    fn claim(&self, index: usize) -> Option<(usize, usize)> {
        let threads = self.claims.len();
        (0..threads).find_map(|further| {
            let owner = (index + further) % threads;
            let OwnLine(claims) = &self.claims[owner];
            let next = |claims: u64| has_chunks(claims).then_some(claims + 1);
            let before = claims.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next);
            before.ok().map(|before| (owner, next_of(before)))
        })
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

fn next_of(claims: u64) -> usize {
    (claims & 0xffff_ffff) as usize
}

fn has_chunks(claims: u64) -> bool {
    claims & 0xffff_ffff < claims >> 32
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn every_chunk_is_done_once() {
        for threads in [1, 2, 5] {
            let mut pool = ThreadPool::new(threads);
            for parts in [&[0][..], &[1], &[2, 0, 3], &[7, 1], &[300, 5]] {
                let counts: Vec<Vec<AtomicUsize>> = parts
                    .iter()
                    .map(|&chunks| (0..chunks).map(|_| AtomicUsize::new(0)).collect())
                    .collect();
                for _ in 0..50 {
                    pool.run(parts, &|claim| {
                        assert!(claim.thread < threads);
                        counts[claim.part][claim.chunk].fetch_add(1, Ordering::Relaxed);
                    });
                }
                let all_fifty = counts
                    .iter()
                    .flatten()
                    .all(|count| count.load(Ordering::Relaxed) == 50);
                assert!(all_fifty, "{threads} threads, {parts:?}");
            }
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
        let mut pool = ThreadPool::new(3);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            pool.run(&[20], &|claim| assert!(claim.chunk != 11, "chunk 11 fails"));
        }));
        assert!(panicked.is_err());
        let done = AtomicUsize::new(0);
        pool.run(&[20], &|_| {
            done.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(done.into_inner(), 20);
    }
}
