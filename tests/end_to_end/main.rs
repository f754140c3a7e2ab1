//! The real program against real Git and HTTP servers, real weights and hostile plugins. A subject a module.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

mod apply;
mod authors;
mod bad_input;
mod book;
mod bundles;
mod capabilities;
mod command_line;
mod conformance;
mod datasets;
mod datasets_cli;
mod distribution;
mod downloads;
mod errors;
mod evaluation;
mod facade;
mod git_sources;
mod hostile_sources;
mod hub;
mod int8;
mod killed_apply;
mod locking;
mod mask_models;
mod memory;
mod outputs;
mod patches;
mod plugins;
mod pose_models;
mod prebuilt;
mod precision;
mod prompted_models;
mod published_models;
mod rebuilding;
mod shards;
mod slices_and_tracks;
mod snapshots;
mod store_under_stress;
mod text_models;
mod videos;
mod wild;
mod zoo;
