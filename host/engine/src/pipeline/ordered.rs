//! Parallel work in order: results come out in the order of their inputs, and never more than a window of them waits.

use crossbeam_channel::{Receiver, bounded};
use std::{num::NonZeroUsize, thread::Scope};

/// Applies `work` to `inputs` on `workers` threads of `scope`. It gives the results in the inputs' order.
///
/// At most `window` results exist beyond the one being looked at, and no input is taken before there is room for its result,
/// so memory stays bounded however slow the reader is.
/// Dropping what is returned stops the threads after their current piece of work.
pub fn map_ordered<'scope, 'env, I, T>(
    scope: &'scope Scope<'scope, 'env>,
    mut inputs: impl Iterator<Item = I> + Send + 'scope,
    workers: NonZeroUsize,
    window: NonZeroUsize,
    work: impl Fn(I) -> T + Send + Clone + 'scope,
) -> Ordered<T>
where
    I: Send + 'scope,
    T: Send + 'scope,
{
    // Every input gets a channel of its own for its result. The receivers queue up in order; that queue's bound is
    // the window. The last one gets no result, and ends them.
    let (order_sender, order) = bounded::<Receiver<T>>(window.get());
    let (work_sender, work_queue) = bounded(window.get());
    scope.spawn(move || {
        // Either send fails only when the reader is gone: there is nothing left to do.
        loop {
            let (result_sender, result) = bounded(1);
            if order_sender.send(result).is_err() {
                return;
            }
            let Some(input) = inputs.next() else {
                return;
            };
            if work_sender.send((input, result_sender)).is_err() {
                return;
            }
        }
    });
    for _ in 0..workers.get() {
        let (work_queue, work) = (work_queue.clone(), work.clone());
        scope.spawn(move || {
            for (input, result) in work_queue {
                if result.send(work(input)).is_err() {
                    return;
                }
            }
        });
    }
    Ordered(order)
}

/// The results of [`map_ordered`], in the order of their inputs.
pub struct Ordered<T>(Receiver<Receiver<T>>);

impl<T> Iterator for Ordered<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        // A result is missing behind the last input, and when its worker panicked; the panic itself ends the scope.
        self.0.recv().ok()?.recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread,
        time::Duration,
    };

    const THREE: NonZeroUsize = NonZeroUsize::new(3).expect("three is not zero");

    #[test]
    fn results_keep_the_order_of_their_inputs() {
        let results: Vec<u64> = thread::scope(|scope| {
            map_ordered(scope, 0..50, THREE, THREE, |number: u64| {
                thread::sleep(Duration::from_micros((number * 7919) % 500));
                number * number
            })
            .collect()
        });
        assert_eq!(results, (0..50).map(|number| number * number).collect::<Vec<_>>());
    }

    #[test]
    fn no_more_than_the_window_is_done_ahead() {
        let begun = AtomicUsize::new(0);
        thread::scope(|scope| {
            let mut results = map_ordered(scope, 0..1000, THREE, THREE, |_| {
                begun.fetch_add(1, Ordering::SeqCst)
            });
            results.next();
            thread::sleep(Duration::from_millis(50));
            // The one that was looked at, and the window.
            assert!(begun.load(Ordering::SeqCst) <= 1 + 3, "{begun:?}");
            drop(results);
        });
        assert!(
            begun.load(Ordering::SeqCst) < 100,
            "the threads went on after the reader had gone"
        );
    }
}
