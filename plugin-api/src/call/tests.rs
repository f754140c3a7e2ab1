use super::*;
use crate::{
    Array, ErrorKind, Output, PredictOptions, PreparedImage, Preprocessing, PromptEmbedding, SampleFields,
    SampleModel,
    label::{Classification, PlainValue},
};
use modelzoo_abi::{AbiResult, HostServices, RawServices, Reply, ReplyBuffer, Request};
use std::sync::Mutex;

/// A model with every capability but videos and their embeddings: it prepares pictures as their first byte.
struct Capable;

impl Model for Capable {
    fn info(&self) -> ModelInfo {
        ModelInfo::image()
    }

    fn predict(&self, image: &Image<'_>, _: &PredictOptions) -> Result<Output> {
        Ok(Classification::new(image.pixels()[0].to_string()).into())
    }

    fn preprocessing(&self) -> Option<&dyn Preprocessing> {
        Some(self)
    }

    fn prompts(&self) -> Option<&dyn PromptEmbedding> {
        Some(self)
    }

    fn samples(&self) -> Option<&dyn SampleModel> {
        Some(self)
    }
}

impl Preprocessing for Capable {
    fn preprocess(&self, image: &Image<'_>) -> Result<PreparedImage> {
        Ok(PreparedImage::new(
            Array::vector(vec![image.pixels()[0]]),
            image.width(),
            image.height(),
        ))
    }

    fn predict_prepared(&self, images: &[PreparedImage], _: &PredictOptions) -> Result<Vec<Result<Output>>> {
        let label =
            |image: &PreparedImage| Ok(Classification::new(image.input.to_f64()[0].to_string()).into());
        Ok(images.iter().map(label).collect())
    }
}

impl PromptEmbedding for Capable {
    fn embed_prompts(&self, prompts: &[String]) -> Result<Vec<Result<Array>>> {
        Ok(prompts
            .iter()
            .map(|prompt| Ok(Array::vector(vec![prompt.len() as f32])))
            .collect())
    }
}

impl SampleModel for Capable {
    fn predict_samples(
        &self,
        _: &[Image<'_>],
        samples: &[SampleFields],
        _: &PredictOptions,
    ) -> Result<Vec<Result<Output>>> {
        Ok(samples
            .iter()
            .map(|sample| Ok(PlainValue::new(sample["prompt"].clone()).into()))
            .collect())
    }
}

/// Reads the reply to a call for so many items.
type Decode<T> = fn(&[u8], &[&[u8]], usize) -> Result<Vec<Result<T>>>;

fn reply<T>(
    method: &str,
    arguments: &impl serde::Serialize,
    buffers: &[&[u8]],
    decode: Decode<T>,
) -> Result<T> {
    let (message, buffers) = call(
        &Capable,
        Host::default(),
        method,
        &message::encode(arguments)?,
        buffers,
    )?;
    let bytes: Vec<&[u8]> = buffers.iter().map(ReplyBuffer::bytes).collect();
    decode(&message, &bytes, 1)?.remove(0)
}

fn one_pixel() -> Vec<message::ImageRef> {
    vec![message::ImageRef {
        width: 1,
        height: 1,
        buffer: 0,
    }]
}

#[test]
fn only_what_the_model_can_do_is_listed() {
    let methods = methods(&Capable, &Capable.info());
    assert!(methods.contains(&message::EMBED_PROMPTS.to_owned()));
    for absent in [
        message::EMBED,
        message::SETUP,
        message::PREDICT_VIDEO,
        message::EMBED_VIDEO,
    ] {
        assert!(!methods.contains(&absent.to_owned()), "{absent}");
        let arguments = message::encode(&message::PredictArguments::default()).unwrap();
        // Embedding no pictures is no error, and tells nothing.
        if absent != message::EMBED {
            let error = call(&Capable, Host::default(), absent, &arguments, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{absent}");
        }
    }
}

#[test]
fn a_prepared_picture_predicts_what_the_picture_does() {
    let arguments = message::PredictArguments {
        images: one_pixel(),
        ..Default::default()
    };
    let prepared = reply(
        message::PREPROCESS,
        &arguments,
        &[&[9, 8, 7]],
        message::decode_prepared,
    )
    .unwrap();
    assert_eq!((prepared.width, prepared.height), (1, 1));
    let mut detached = prepared.clone();
    let mut buffers = Vec::new();
    detached.input.detach(&mut buffers);
    let from_prepared = reply(
        message::PREDICT_PREPARED,
        &message::PreparedArguments {
            images: vec![detached],
            ..Default::default()
        },
        &[buffers[0].bytes()],
        message::decode_outputs,
    );
    let from_picture = reply(
        message::PREDICT,
        &arguments,
        &[&[9, 8, 7]],
        message::decode_outputs,
    );
    assert_eq!(from_prepared, from_picture);
}

/// Services that note which items they are told of.
#[derive(Default)]
struct Notes(Mutex<Vec<Option<u64>>>);

impl RawServices for Notes {
    fn call(&self, request: Request<'_>) -> AbiResult<Reply> {
        assert_eq!(request.method.as_str(), message::ITEM);
        self.0
            .lock()
            .unwrap()
            .push(message::decode(request.message.as_slice()).unwrap());
        AbiResult::ROk(Reply {
            message: message::encode(&()).unwrap().into(),
            buffers: Vec::new().into(),
        })
    }
}

#[test]
fn the_host_is_told_which_of_several_items_it_is() {
    let notes: &Notes = Box::leak(Box::default());
    let host = Host::new(HostServices::of(notes));
    for (count, expected) in [(1, vec![]), (3, vec![Some(0), Some(1), Some(2), None])] {
        let arguments = message::PredictArguments {
            images: one_pixel().repeat(count),
            ..Default::default()
        };
        let arguments = message::encode(&arguments).unwrap();
        for method in [message::PREDICT, message::PREPROCESS] {
            call(&Capable, host, method, &arguments, &[&[9, 8, 7]]).unwrap();
            assert_eq!(
                std::mem::take(&mut *notes.0.lock().unwrap()),
                expected,
                "{method}"
            );
        }
    }
}

#[test]
fn prompts_and_sample_fields_reach_the_model() {
    let prompts = message::PromptArguments {
        prompts: vec!["a cat".into()],
    };
    let embedding = reply(message::EMBED_PROMPTS, &prompts, &[], message::decode_embeddings).unwrap();
    assert_eq!(embedding, Array::vector(vec![5.0f32]));

    let fields = SampleFields::from([("prompt".to_owned(), "all cats".into())]);
    let arguments = message::SampleArguments {
        images: one_pixel(),
        samples: vec![fields],
        ..Default::default()
    };
    let output = reply(
        message::PREDICT_SAMPLES,
        &arguments,
        &[&[0; 3]],
        message::decode_outputs,
    )
    .unwrap();
    assert_eq!(output, PlainValue::new("all cats").into());

    let arguments = message::SampleArguments {
        images: one_pixel(),
        ..Default::default()
    };
    assert!(
        reply(
            message::PREDICT_SAMPLES,
            &arguments,
            &[&[0; 3]],
            message::decode_outputs
        )
        .is_err()
    );
}
