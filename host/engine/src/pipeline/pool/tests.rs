use super::*;
use crossbeam_channel::{Receiver, bounded};
use proptest::prelude::*;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

/// Whether nothing comes for some time.
fn stays_silent<T>(receiver: &Receiver<T>) -> bool {
    receiver.recv_timeout(Duration::from_millis(30)).is_err()
}

#[test]
fn what_is_taken_is_given_back() {
    let pool = Pool::new(100);
    let mut lease = pool.ticket().take(70);
    assert_eq!(pool.used(), 70);
    lease.resize(20);
    assert_eq!(pool.used(), 20);
    let other = pool.ticket().take(80);
    assert_eq!(pool.used(), 100);
    drop(lease);
    drop(other);
    assert_eq!(pool.used(), 0);
}

#[test]
fn the_first_in_line_waits_for_room_and_the_others_for_it() {
    let pool = Pool::new(100);
    let held = pool.ticket().take(60);
    let (first, second) = (pool.ticket(), pool.ticket());
    let (sender, taken) = bounded(2);
    thread::scope(|scope| {
        let told = sender.clone();
        scope.spawn(move || told.send(("second", second.take(30))));
        assert!(stays_silent(&taken), "it is not its turn");
        scope.spawn(move || sender.send(("first", first.take(50))));
        assert!(stays_silent(&taken), "there is no room");
        drop(held);
        let names: BTreeSet<&str> = [taken.recv().unwrap(), taken.recv().unwrap()]
            .iter()
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(names, BTreeSet::from(["first", "second"]));
    });
    assert_eq!(pool.used(), 0);
}

#[test]
fn small_ones_need_not_wait_for_their_turn() {
    let pool = Pool::new(100);
    let (first, second) = (pool.ticket(), pool.ticket());
    let early = second.take(25);
    assert_eq!(pool.used(), 25);
    // What came early does not keep the first one out, however large it is.
    let first = first.take(1000);
    assert_eq!(pool.used(), 1025);
    drop((early, first));
    assert_eq!(pool.used(), 0);
}

#[test]
fn what_is_left_of_a_video_keeps_no_more_than_it_is_from_others() {
    let outer = Pool::new(48);
    let inner = Pool::within(outer.ticket().take(24));
    let mut tail = inner.ticket().take(3);
    assert!(!tail.part().is_whole());
    assert_eq!(outer.used(), 24);
    inner.close();
    assert_eq!(outer.used(), 3);
    // It would wait for ever.
    let next = outer.ticket().take(36);
    tail.resize(2);
    assert_eq!(outer.used(), 38);
    drop((tail, next));
    assert_eq!(outer.used(), 0);
}

#[test]
fn a_batch_of_a_pool_within_is_full_with_a_share_of_the_outer_one() {
    let outer = Pool::new(40);
    // Larger than all that there is.
    let inner = Pool::within(outer.ticket().take(400));
    assert!(inner.ticket().take(10).part().is_whole());
    assert!(!inner.ticket().take(9).part().is_whole());
}

#[test]
fn a_ticket_that_is_given_up_holds_nobody_up() {
    let pool = Pool::new(100);
    let (first, second, third) = (pool.ticket(), pool.ticket(), pool.ticket());
    drop(second);
    drop(first);
    assert_eq!(third.take(90).bytes, 90);
}

#[test]
fn a_batch_below_its_share_does_not_keep_a_piece_out_that_is_larger_than_all() {
    let pool = Pool::new(100);
    let batch = pool.ticket().take(24);
    assert!(!batch.part().is_whole());
    let large = pool.ticket().take(5000);
    assert!(large.part().is_whole());
    drop(batch);
    // The next one has to wait for it.
    let (sender, taken) = bounded(1);
    let next = pool.ticket();
    thread::scope(|scope| {
        scope.spawn(move || sender.send(next.take(1)));
        assert!(stays_silent(&taken));
        drop(large);
        taken.recv().unwrap();
    });
}

#[test]
fn nobody_waits_for_a_pool_that_is_closed() {
    let pool = Pool::new(100);
    let (_held, waiting) = (pool.ticket().take(90), pool.ticket());
    thread::scope(|scope| {
        scope.spawn(move || waiting.take(90));
        thread::sleep(Duration::from_millis(10));
        pool.close();
    });
    pool.ticket().take(1000);
    assert_eq!(pool.used(), 90);
}

#[test]
fn a_pool_within_another_gives_its_bytes_back_when_nobody_has_any_of_them() {
    let outer = Pool::new(100);
    let inner = Pool::within(outer.ticket().take(40));
    let lease = inner.ticket().take(10);
    drop(inner);
    assert_eq!(outer.used(), 40);
    drop(lease);
    assert_eq!(outer.used(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Threads take in any order, some give up, sizes change, and a batch is held until it is full: all get through, all comes
    /// back, and no more is held than there may be.
    #[test]
    fn nothing_waits_for_ever_and_all_comes_back(
        total in 1u64..200,
        sizes in prop::collection::vec((0u64..300, 0u64..300, prop::bool::weighted(0.1)), 1..60),
        threads in 1usize..6,
    ) {
        let pool = Pool::new(total);
        let largest = sizes.iter().map(|&(size, after, _)| size.max(after)).max().unwrap();
        let grows = sizes.iter().map(|&(size, after, _)| after.saturating_sub(size)).max().unwrap();
        let most = AtomicU64::new(0);
        let (to_workers, work) = bounded(sizes.len());
        let results: Vec<_> = sizes
            .iter()
            .map(|&piece| {
                let (sender, result) = bounded(1);
                to_workers.send((pool.ticket(), piece, sender)).unwrap();
                result
            })
            .collect();
        drop(to_workers);
        thread::scope(|scope| {
            for _ in 0..threads {
                let (work, most, pool) = (work.clone(), &most, &pool);
                scope.spawn(move || {
                    for (ticket, (size, after, gives_up), sender) in work {
                        if gives_up {
                            drop((ticket, sender));
                            continue;
                        }
                        let mut lease = ticket.take(size);
                        most.fetch_max(pool.used(), Ordering::SeqCst);
                        lease.resize(after);
                        sender.send(lease).unwrap();
                    }
                });
            }
            let (mut batch, mut part) = (Vec::new(), Part::default());
            for result in results {
                let Ok(lease) = result.recv() else { continue };
                part = part.and(lease.part());
                batch.push(lease);
                if part.is_whole() {
                    batch.clear();
                    part = Part::default();
                }
            }
        });
        prop_assert_eq!(pool.used(), 0);
        // What grows after it was taken, as many at once as there are threads, comes on top.
        let bound = total.max(total / 2 + 1 + largest) + grows * 60;
        prop_assert!(most.load(Ordering::SeqCst) <= bound);
    }
}
