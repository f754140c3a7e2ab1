//! Applying models: the pipeline from samples to fields.
#![forbid(unsafe_code)]
