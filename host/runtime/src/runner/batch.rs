//! Batches: what to do when one of them fails as a whole.

use super::CallFailure;
use crate::{CallError, RuntimeError};
use modelzoo_plugin_api::ErrorKind;

/// The result of each item of a batch, in order.
pub type Items<T> = Vec<Result<T, CallError>>;

/// Calls `once` for all `items` together. When that fails over one of them, calls it for those before and for those
/// behind it; when it is not known over which, for each of them alone. So exactly the guilty ones get the error. `once`
/// gives a result for each of the items it is called with.
pub(super) fn call_for<I, T>(
    items: &[I],
    once: impl Fn(&[I]) -> Result<Items<T>, CallFailure>,
) -> Result<Items<T>, RuntimeError> {
    let mut results = Vec::with_capacity(items.len());
    add_results(items, &once, &mut results)?;
    Ok(results)
}

fn add_results<I, T>(
    items: &[I],
    once: &impl Fn(&[I]) -> Result<Items<T>, CallFailure>,
    results: &mut Items<T>,
) -> Result<(), RuntimeError> {
    if items.is_empty() {
        return Ok(());
    }
    match once(items) {
        Ok(more) => results.extend(more),
        Err(CallFailure::EveryCall(error)) => return Err(error),
        Err(CallFailure::OneItem(index, error)) if index < items.len() => {
            tracing::debug!(%error, index, items = items.len(), "the batch failed over one item");
            add_results(&items[..index], once, results)?;
            results.push(Err(error));
            add_results(&items[index + 1..], once, results)?;
        }
        Err(CallFailure::ThisCall(error) | CallFailure::OneItem(_, error)) => {
            if items.len() == 1 || !may_be_one_item(error.kind()) {
                results.extend(items.iter().map(|_| Err(error.clone())));
                return Ok(());
            }
            tracing::debug!(%error, items = items.len(), "the batch failed; trying each item alone");
            for item in items {
                add_results(std::slice::from_ref(item), once, results)?;
            }
        }
    }
    Ok(())
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
    fn the_others_of_a_batch_that_failed_over_one_item_stay_together() {
        let sizes = RefCell::new(Vec::new());
        let results = call_for(&[1, 2, 0, 4, 0, 0], |items| {
            sizes.borrow_mut().push(items.len());
            match items.iter().position(|&item| item == 0) {
                Some(index) => Err(CallFailure::OneItem(index, PluginError::new("too dark").into())),
                None => Ok(items.iter().copied().map(Ok).collect()),
            }
        });
        let good: Vec<Option<u8>> = results.unwrap().into_iter().map(Result::ok).collect();
        assert_eq!(good, [Some(1), Some(2), None, Some(4), None, None]);
        assert_eq!(sizes.into_inner(), [6, 2, 3, 1, 1]);
    }

    #[test]
    fn an_item_that_is_not_there_is_nobodys_fault() {
        let results = call_for(&[1, 2], |items| match items.len() {
            1 => Ok(vec![Ok(items[0])]),
            _ => Err(CallFailure::OneItem(7, PluginError::new("odd").into())),
        });
        assert_eq!(results.unwrap(), [Ok(1), Ok(2)]);
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
