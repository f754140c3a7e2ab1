//! Whatever a plugin answers, with whatever buffers beside it, is so many outputs, embeddings or prepared images as it was
//! asked for, or an error; and outputs go on to the next process as they are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelzoo_plugin_api::message::{
    self, FrameHeader, Log, PluginDescription, PredictArguments, Progress, decode_embeddings, decode_images,
    decode_outputs, decode_prepared, encode_outputs,
};

/// The message, the number of items, and the buffers.
type Input<'a> = (&'a [u8], u8, Vec<&'a [u8]>);

fuzz_target!(|input: Input<'_>| {
    let (message, expected, buffers) = input;
    let expected = usize::from(expected);
    if let Ok(outputs) = decode_outputs(message, &buffers, expected) {
        assert_eq!(outputs.len(), expected);
        let (again, arrays) = encode_outputs(outputs).expect("what was decoded can be encoded");
        let arrays: Vec<&[u8]> = arrays.iter().map(|array| array.bytes()).collect();
        let outputs = decode_outputs(&again, &arrays, expected).expect("what was encoded can be decoded");
        assert_eq!(outputs.len(), expected);
    }
    if let Ok(embeddings) = decode_embeddings(message, &buffers, expected) {
        assert_eq!(embeddings.len(), expected);
    }
    if let Ok(prepared) = decode_prepared(message, &buffers, expected) {
        assert_eq!(prepared.len(), expected);
    }
    if let Ok(arguments) = message::decode::<PredictArguments>(message)
        && let Ok(images) = decode_images(&arguments.images, &buffers)
    {
        assert_eq!(images.len(), arguments.images.len());
    }
    // What else plugins send: to be read or refused.
    let _ = message::decode::<PluginDescription>(message);
    let _ = message::decode::<FrameHeader>(message);
    let _ = message::decode::<Progress>(message);
    let _ = message::decode::<Log>(message);
});
