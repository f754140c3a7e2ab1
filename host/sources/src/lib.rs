//! Where models come from: references, manifests, fetching, the store, the lock and trust.
#![forbid(unsafe_code)]
