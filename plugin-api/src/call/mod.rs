//! From the name of a method to the model's own function.

use crate::{
    Error, Host, Image, MediaType, Model, ModelInfo, Result, Video,
    items::{one_by_one, working_for},
    message::{self, encode_embeddings, encode_outputs, encode_prepared},
};
use modelzoo_abi::ReplyBuffer;

/// The methods that a model knows.
pub(crate) fn methods(model: &dyn Model, info: &ModelInfo) -> Vec<String> {
    let known = [
        (message::PREDICT, true),
        (
            message::EMBED,
            info.has_embeddings && info.media_type == MediaType::Image,
        ),
        (message::SETUP, model.session().is_some()),
        (message::TEARDOWN, model.session().is_some()),
        (message::PREPROCESS, model.preprocessing().is_some()),
        (message::PREDICT_PREPARED, model.preprocessing().is_some()),
        (message::EMBED_PROMPTS, model.prompts().is_some()),
        (message::PREDICT_SAMPLES, model.samples().is_some()),
        (message::PREDICT_VIDEO, model.videos().is_some()),
        (message::EMBED_VIDEO, model.video_embeddings().is_some()),
    ];
    known
        .iter()
        .filter(|(_, is_known)| *is_known)
        .map(|(method, _)| (*method).to_owned())
        .collect()
}

/// Calls a method of `model`: the reply's message and buffers.
pub(crate) fn call(
    model: &dyn Model,
    host: Host,
    method: &str,
    arguments: &[u8],
    buffers: &[&[u8]],
) -> Result<(Vec<u8>, Vec<ReplyBuffer>)> {
    working_for(host, || call_by_name(model, host, method, arguments, buffers))
}

fn call_by_name(
    model: &dyn Model,
    host: Host,
    method: &str,
    arguments: &[u8],
    buffers: &[&[u8]],
) -> Result<(Vec<u8>, Vec<ReplyBuffer>)> {
    let unknown = || Error::unsupported(format!("the model has no method {method}"));
    match method {
        message::PREDICT => {
            let (images, arguments) = images(arguments, buffers)?;
            encode_outputs(model.predict_all(&images, &arguments.options)?)
        }
        message::EMBED => {
            let (images, _) = images(arguments, buffers)?;
            encode_embeddings(model.embed_all(&images)?)
        }
        message::SETUP => {
            model.session().ok_or_else(unknown)?.setup()?;
            nothing()
        }
        message::TEARDOWN => {
            model.session().ok_or_else(unknown)?.teardown()?;
            nothing()
        }
        message::PREPROCESS => {
            let preprocessing = model.preprocessing().ok_or_else(unknown)?;
            let (images, _) = images(arguments, buffers)?;
            encode_prepared(one_by_one(&images, |image| preprocessing.preprocess(image)))
        }
        message::PREDICT_PREPARED => {
            let preprocessing = model.preprocessing().ok_or_else(unknown)?;
            let mut arguments: message::PreparedArguments = message::decode(arguments)?;
            arguments
                .images
                .iter_mut()
                .try_for_each(|image| image.input.attach(buffers))?;
            encode_outputs(preprocessing.predict_prepared(&arguments.images, &arguments.options)?)
        }
        message::EMBED_PROMPTS => {
            let prompts = model.prompts().ok_or_else(unknown)?;
            let arguments: message::PromptArguments = message::decode(arguments)?;
            encode_embeddings(prompts.embed_prompts(&arguments.prompts)?)
        }
        message::PREDICT_SAMPLES => {
            let samples = model.samples().ok_or_else(unknown)?;
            let arguments: message::SampleArguments = message::decode(arguments)?;
            let images = message::decode_images(&arguments.images, buffers)?;
            if images.len() != arguments.samples.len() {
                return Err(Error::new(format!(
                    "{} images came with the fields of {} samples",
                    images.len(),
                    arguments.samples.len()
                )));
            }
            encode_outputs(samples.predict_samples(&images, &arguments.samples, &arguments.options)?)
        }
        message::PREDICT_VIDEO => {
            let videos = model.videos().ok_or_else(unknown)?;
            let (mut video, arguments) = video(arguments, host)?;
            encode_outputs(vec![videos.predict_video(&mut video, &arguments.options)])
        }
        message::EMBED_VIDEO => {
            let embeddings = model.video_embeddings().ok_or_else(unknown)?;
            let (mut video, _) = video(arguments, host)?;
            encode_embeddings(vec![embeddings.embed_video(&mut video)])
        }
        _ => Err(unknown()),
    }
}

fn images<'a>(arguments: &[u8], buffers: &[&'a [u8]]) -> Result<(Vec<Image<'a>>, message::PredictArguments)> {
    let arguments: message::PredictArguments = message::decode(arguments)?;
    Ok((message::decode_images(&arguments.images, buffers)?, arguments))
}

fn video(arguments: &[u8], host: Host) -> Result<(Video, message::VideoArguments)> {
    let arguments: message::VideoArguments = message::decode(arguments)?;
    Ok((
        Video::new(arguments.info.clone(), arguments.reader, host),
        arguments,
    ))
}

fn nothing() -> Result<(Vec<u8>, Vec<ReplyBuffer>)> {
    Ok((message::encode(&())?, Vec::new()))
}

#[cfg(test)]
mod tests;
