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

/// `work` done for each item in up to `threads` threads; results in the items' order.
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
    let next = AtomicUsize::new(0);
    let failed: Mutex<Option<(usize, E)>> = Mutex::new(None);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    thread::scope(|scope| {
        for _ in 0..threads.min(items.len()) {
            scope.spawn(|| {
                let mut own = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    match work(item) {
                        Ok(result) => own.push((index, result)),
                        Err(error) => {
                            // Items are taken in order: those before this one are done or being done.
                            next.fetch_max(items.len(), Ordering::Relaxed);
                            let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                            if failed.as_ref().is_none_or(|(first, _)| index < *first) {
                                *failed = Some((index, error));
                            }
                        }
                    }
                }
                done.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend(own);
            });
        }
    });
    if let Some((_, error)) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
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
}
