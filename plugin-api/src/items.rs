//! Telling the host which item of a batch is being worked on, from where no host is at hand.

use crate::Host;
use std::cell::Cell;

thread_local! {
    /// Whom this thread works for.
    static HOST: Cell<Host> = Cell::new(Host::default());
}

/// Does what `host` asked for on this thread.
pub(crate) fn working_for<T>(host: Host, body: impl FnOnce() -> T) -> T {
    HOST.set(host);
    let result = body();
    HOST.set(Host::default());
    result
}

/// Does the same for each of the items, and tells the host which one it is; for a single one, it knows.
pub(crate) fn one_by_one<I, T>(items: &[I], work: impl Fn(&I) -> T) -> Vec<T> {
    if let [item] = items {
        return vec![work(item)];
    }
    let host = HOST.get();
    let results = items.iter().enumerate().map(|(index, item)| {
        host.item(Some(index));
        work(item)
    });
    let results = results.collect();
    host.item(None);
    results
}
