//! The names of the methods of models. The names of the host's services are in `services`.

/// Predictions for a batch of images: [`PredictArguments`](super::PredictArguments) with a buffer of pixels for each
/// image, answered by outcomes of [`Output`](crate::Output).
pub const PREDICT: &str = "predict/1";

/// Embeddings for a batch of images: [`PredictArguments`](super::PredictArguments), answered by outcomes of
/// [`Array`](crate::Array).
pub const EMBED: &str = "embed/1";

/// What the model has found of the values in its networks: nothing, answered by a [`Calibration`](crate::Calibration).
/// Known where the model was loaded for [`Precision::Int8`](crate::Precision::Int8) and nothing was known.
pub const CALIBRATE: &str = "calibrate/1";

/// Gets ready for a run: nothing, answered by nothing.
pub const SETUP: &str = "setup/1";

/// Ends a run: nothing, answered by nothing.
pub const TEARDOWN: &str = "teardown/1";

/// Preprocessing of a batch of images: [`PredictArguments`](super::PredictArguments), answered by outcomes of
/// [`PreparedImage`](crate::PreparedImage).
pub const PREPROCESS: &str = "preprocess/1";

/// Predictions for preprocessed images: [`PreparedArguments`](super::PreparedArguments), answered as [`PREDICT`].
pub const PREDICT_PREPARED: &str = "predict_prepared/1";

/// Embeddings of texts: [`PromptArguments`](super::PromptArguments), answered as [`EMBED`].
pub const EMBED_PROMPTS: &str = "embed_prompts/1";

/// Predictions for images with fields of their samples: [`SampleArguments`](super::SampleArguments), answered as
/// [`PREDICT`].
pub const PREDICT_SAMPLES: &str = "predict_samples/1";

/// Predictions for one video: [`VideoArguments`](super::VideoArguments), answered as [`PREDICT`] with one outcome.
pub const PREDICT_VIDEO: &str = "predict_video/1";

/// The embedding of one video: [`VideoArguments`](super::VideoArguments), answered as [`EMBED`] with one outcome.
pub const EMBED_VIDEO: &str = "embed_video/1";
