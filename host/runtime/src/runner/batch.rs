//! Batches: what to do when one of them fails as a whole.

use super::CallFailure;
use crate::{CallError, RuntimeError};
use modelzoo_plugin_api::ErrorKind;

/// The result of each item of a batch, in order.
pub type Items<T> = Vec<Result<T, CallError>>;

/// Calls `once` for all `items` together. When that fails, calls it for each of them alone, so that exactly the guilty
/// ones get the error. `once` gives a result for each of the items it is called with.
pub(super) fn call_for<I, T>(
    items: &[I],
    once: impl Fn(&[I]) -> Result<Items<T>, CallFailure>,
) -> Result<Items<T>, RuntimeError> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    match once(items) {
        Ok(results) => Ok(results),
        Err(CallFailure::EveryCall(error)) => Err(error),
        Err(CallFailure::ThisCall(error)) if items.len() == 1 || !may_be_one_item(error.kind()) => {
            Ok(items.iter().map(|_| Err(error.clone())).collect())
        }
        Err(CallFailure::ThisCall(error)) => {
            tracing::debug!(%error, items = items.len(), "the batch failed; trying each item alone");
            items
                .iter()
                .map(|item| match once(std::slice::from_ref(item)) {
                    Ok(mut results) => Ok(results.remove(0)),
                    Err(CallFailure::ThisCall(error)) => Ok(Err(error)),
                    Err(CallFailure::EveryCall(error)) => Err(error),
                })
                .collect()
        }
    }
}

/// Whether an error of this kind may come from one item of the batch, rather than from what was asked.
fn may_be_one_item(kind: ErrorKind) -> bool {
    !matches!(
        kind,
        ErrorKind::Unsupported | ErrorKind::InvalidOption | ErrorKind::Cancelled
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_plugin_api::Error as PluginError;
    use std::cell::RefCell;

    /// Calls a model that fails every batch with a 0 in it; also gives the sizes of the batches that it saw.
    fn call(items: &[u8], kind: ErrorKind) -> (Items<u8>, Vec<usize>) {
        let sizes = RefCell::new(Vec::new());
        let results = call_for(items, |items| {
            sizes.borrow_mut().push(items.len());
            if items.contains(&0) {
                return Err(PluginError::new("too dark").with_kind(kind).into());
            }
            Ok(items.iter().copied().map(Ok).collect())
        });
        (results.unwrap(), sizes.into_inner())
    }

    #[test]
    fn only_the_guilty_item_gets_the_error() {
        let (results, sizes) = call(&[1, 0, 3], ErrorKind::Panic);
        assert_eq!((&results[0], &results[2]), (&Ok(1), &Ok(3)));
        assert_eq!(results[1].as_ref().unwrap_err().to_string(), "too dark");
        assert_eq!(sizes, [3, 1, 1, 1]);
    }

    #[test]
    fn what_no_item_can_be_blamed_for_is_not_tried_again() {
        let (results, sizes) = call(&[1, 0, 3], ErrorKind::Cancelled);
        assert!(results.iter().all(Result::is_err));
        assert_eq!(sizes, [3]);
    }

    #[test]
    fn a_single_item_is_asked_for_once_and_none_not_at_all() {
        assert_eq!(call(&[0], ErrorKind::Other).1, [1]);
        assert_eq!(call(&[], ErrorKind::Other), (vec![], vec![]));
    }

    #[test]
    fn the_end_of_the_plugin_ends_the_batch() {
        let result = call_for(&[1], |_| -> Result<Items<u8>, _> {
            Err(CallFailure::EveryCall(RuntimeError::IsolationUnsupported))
        });
        assert!(matches!(result, Err(RuntimeError::IsolationUnsupported)));
    }
}
