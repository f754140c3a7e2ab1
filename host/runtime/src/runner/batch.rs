//! Batches: what to do when one of them fails as a whole.

use super::{Call, CallFailure};
use crate::RuntimeError;
use modelzoo_plugin_api::{
    Error as PluginError, ErrorKind, Image, PredictOptions,
    message::{ImageRef, PredictArguments, encode},
};

/// The result of each item of a batch.
pub(crate) type Items<T> = Vec<Result<T, PluginError>>;

/// Reads the reply to a batch of so many images.
type Decode<T> = fn(message: &[u8], buffers: &[&[u8]], expected: usize) -> Result<Items<T>, PluginError>;

/// Calls `method` for all `images` at once. When that fails, calls it for each of them alone, so that exactly the
/// guilty ones get the error.
pub(super) fn call_for_images<T>(
    model: &dyn Call,
    method: &str,
    images: &[Image<'_>],
    options: &PredictOptions,
    decode: Decode<T>,
) -> Result<Items<T>, RuntimeError> {
    if images.is_empty() {
        return Ok(Vec::new());
    }
    match call_once(model, method, images, options, decode) {
        Ok(items) => Ok(items),
        Err(CallFailure::EveryCall(error)) => Err(error),
        Err(CallFailure::ThisCall(error)) if images.len() == 1 || !may_be_one_image(error.kind()) => {
            Ok(images.iter().map(|_| Err(error.clone())).collect())
        }
        Err(CallFailure::ThisCall(error)) => {
            tracing::debug!(%error, images = images.len(), "the batch failed; trying each image alone");
            images
                .iter()
                .map(|image| {
                    let alone = std::slice::from_ref(image);
                    match call_once(model, method, alone, options, decode) {
                        // `decode` made sure that there is exactly one.
                        Ok(mut items) => Ok(items.remove(0)),
                        Err(CallFailure::ThisCall(error)) => Ok(Err(error)),
                        Err(CallFailure::EveryCall(error)) => Err(error),
                    }
                })
                .collect()
        }
    }
}

/// Whether an error of this kind may come from one image of the batch, rather than from what was asked.
fn may_be_one_image(kind: ErrorKind) -> bool {
    !matches!(
        kind,
        ErrorKind::Unsupported | ErrorKind::InvalidOption | ErrorKind::Cancelled
    )
}

fn call_once<T>(
    model: &dyn Call,
    method: &str,
    images: &[Image<'_>],
    options: &PredictOptions,
    decode: Decode<T>,
) -> Result<Items<T>, CallFailure> {
    let arguments = PredictArguments {
        images: images
            .iter()
            .enumerate()
            .map(|(buffer, image)| ImageRef {
                width: image.width(),
                height: image.height(),
                buffer,
            })
            .collect(),
        options: options.clone(),
    };
    let pixels: Vec<&[u8]> = images.iter().map(Image::pixels).collect();
    let reply = model.call(method, &encode(&arguments)?, &pixels)?;
    let buffers: Vec<&[u8]> = reply.buffers.iter().map(|buffer| buffer.bytes()).collect();
    Ok(decode(&reply.message, &buffers, images.len())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelzoo_abi::Reply;
    use modelzoo_plugin_api::{Output, Result, label::Regression, message};
    use std::sync::Mutex;

    /// A model that fails every batch with a black picture in it, and remembers the sizes of its batches.
    struct Fussy {
        batches: Mutex<Vec<usize>>,
        kind: ErrorKind,
    }

    impl Call for Fussy {
        fn call(&self, _: &str, arguments: &[u8], buffers: &[&[u8]]) -> Result<Reply, CallFailure> {
            let arguments: PredictArguments = message::decode(arguments)?;
            self.batches.lock().unwrap().push(arguments.images.len());
            if buffers.iter().any(|pixels| pixels[0] == 0) {
                return Err(PluginError::new("too dark").with_kind(self.kind).into());
            }
            let outputs = buffers
                .iter()
                .map(|pixels| Ok(Regression::new(pixels[0].into()).into()))
                .collect();
            let (message, buffers) = message::encode_outputs(outputs)?;
            Ok(Reply {
                message: message.into(),
                buffers: buffers.into(),
            })
        }
    }

    fn predict(model: &Fussy, greys: &[u8]) -> Items<Output> {
        let pixels: Vec<[u8; 3]> = greys.iter().map(|&grey| [grey; 3]).collect();
        let images: Vec<Image<'_>> = pixels
            .iter()
            .map(|pixel| Image::new(1, 1, pixel).unwrap())
            .collect();
        call_for_images(
            model,
            "predict/1",
            &images,
            &PredictOptions::default(),
            message::decode_outputs,
        )
        .unwrap()
    }

    fn fussy(kind: ErrorKind) -> Fussy {
        Fussy {
            batches: Mutex::default(),
            kind,
        }
    }

    #[test]
    fn only_the_guilty_image_gets_the_error() {
        let model = fussy(ErrorKind::Other);
        let items = predict(&model, &[1, 0, 3]);
        assert_eq!(items[0], Ok(Regression::new(1.0).into()));
        assert_eq!(items[1].as_ref().unwrap_err().message(), "too dark");
        assert_eq!(items[2], Ok(Regression::new(3.0).into()));
        assert_eq!(*model.batches.lock().unwrap(), [3, 1, 1, 1]);
    }

    #[test]
    fn what_no_image_can_be_blamed_for_is_not_tried_again() {
        let model = fussy(ErrorKind::Cancelled);
        let items = predict(&model, &[1, 0, 3]);
        assert!(items.iter().all(Result::is_err));
        assert_eq!(*model.batches.lock().unwrap(), [3]);
    }

    #[test]
    fn a_single_image_is_asked_for_once_and_none_not_at_all() {
        let model = fussy(ErrorKind::Panic);
        assert!(predict(&model, &[0])[0].is_err());
        assert!(predict(&model, &[]).is_empty());
        assert_eq!(*model.batches.lock().unwrap(), [1]);
    }
}
