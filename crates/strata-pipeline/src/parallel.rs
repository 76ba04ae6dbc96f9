//! Work on many items in several threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

/// Items below which more threads cost more than they bring.
const FEW_ITEMS: usize = 16;

/// How many threads the machine runs at a time; asked once, as the answer takes some files to be read.
pub(crate) fn available() -> usize {
    static AVAILABLE: OnceLock<usize> = OnceLock::new();
    *AVAILABLE.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

/// `work` done for each item in up to `threads` threads, however few items there are, and whatever comes of some of
/// them: for work that waits more than it computes. Results in the items' order.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    by_index(items.len(), threads, |index| work(&items[index]))
}

/// `work` done for each item in up to `threads` threads, for work that computes; results in the items' order.
///
/// # Errors
/// The first one in the items' order, as if they had been worked on one after the other; later items may have been
/// worked on too.
pub(crate) fn side_by_side<T: Sync, R: Send, E: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    if items.len() < FEW_ITEMS || threads <= 1 {
        return items.iter().map(work).collect();
    }
    let first_failed = AtomicUsize::new(usize::MAX);
    let results = by_index(items.len(), threads, |index| {
        if index > first_failed.load(Ordering::Relaxed) {
            return None;
        }
        let result = work(&items[index]);
        if result.is_err() {
            first_failed.fetch_min(index, Ordering::Relaxed);
        }
        Some(result)
    });
    // What was left out comes after a failure, and the first failure ends this.
    results.into_iter().flatten().collect()
}

fn by_index<R: Send>(count: usize, threads: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let threads = threads.min(count);
    if threads <= 1 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(count));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut own = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        break;
                    }
                    own.push((index, work(index)));
                }
                done.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend(own);
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_number_of_threads_gives_what_one_gives(
            items in prop::collection::vec(0_u32..200, 0..300),
            threads in 2_usize..9,
            bad in 0_u32..400,
        ) {
            let work = |item: &u32| if *item == bad { Err(*item) } else { Ok(item * 2) };
            let indexed: Vec<u32> = items;
            prop_assert_eq!(
                side_by_side(&indexed, threads, work),
                side_by_side(&indexed, 1, work)
            );
        }
    }

    #[test]
    fn every_item_has_its_result_for_any_number_of_threads() {
        let items: Vec<usize> = (0..100).collect();
        let doubled: Vec<usize> = items.iter().map(|item| 2 * item).collect();
        for threads in [0, 1, 3, 200] {
            assert_eq!(in_parallel(&items, threads, |item| 2 * item), doubled);
        }
    }
}
