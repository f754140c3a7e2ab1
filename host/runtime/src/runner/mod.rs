//! Loaded models: the same calls and the same results, in this process or in a worker.

mod batch;
mod call;
pub(crate) mod in_process;
mod model;
mod process_memory;
mod services;
mod table;
mod video;

pub use batch::Items;
pub(crate) use call::{Call, CallFailure, LoadFailure};
pub(crate) use model::CalledModel;
pub use model::LoadedModel;
pub(crate) use services::PluginServices;
pub use services::{DefaultServices, HostServices};
pub(crate) use table::{ServiceReply, service_table};
pub use video::Frames;
