//! The model zoo under the names that users of FiftyOne know.
//!
//! Every function works on the zoo of the user: his configuration, his store, his registered sources. It is read anew
//! each time, so what another program registers or downloads meanwhile is seen. What the user has not allowed does not
//! run: `modelzoo trust allow` or the configuration allow a source.
//!
//! ```no_run
//! use modelzoo::fiftyone as zoo;
//!
//! zoo::register_zoo_model_source("user/repo@v1", false)?;
//! for name in zoo::list_zoo_models(&zoo::ModelFilter { tags: vec!["detection".into()], ..Default::default() })? {
//!     println!("{name}");
//! }
//! let model = zoo::load_zoo_model("user/detector", &Default::default())?;
//! # Ok::<(), modelzoo::Error>(())
//! ```
//!
//! | FiftyOne | here |
//! |---|---|
//! | `source=` of `list_zoo_models` is compared letter by letter | any spelling of the source |
//! | `license=` is compared with its spaces | without |
//! | a source's only model needs its name | it does not |
//! | a folder of weights never counts as downloaded | it does |
//! | `register(overwrite=True)` deletes the source's weights | they stay |
//! | requirements are checked after the download | before it |
//! | `**kwargs` of `load_zoo_model` | [`LoadSettings::options`](crate::LoadSettings::options) |

mod cache;
mod load;
mod models;
mod requirements;
mod sources;

pub use load::{LoadZooModelOptions, load_zoo_model};
pub use models::{
    DownloadOptions, ModelFilter, ZooModel, delete_zoo_model, download_zoo_model, find_zoo_model,
    get_zoo_model, is_zoo_model_downloaded, list_downloaded_zoo_models, list_zoo_models,
};
pub use requirements::{ErrorLevel, ensure_zoo_model_requirements, install_zoo_model_requirements};
pub use sources::{delete_zoo_model_source, list_zoo_model_sources, register_zoo_model_source};

use crate::{
    error::Error,
    zoo::{Zoo, ZooBuilder},
};

/// The user's zoo as it is now.
fn user_zoo() -> Result<Zoo, Error> {
    Ok(Zoo::of_user()?)
}

/// The user's zoo, in which missing requirements are what `level` says instead of what the configuration says.
fn user_zoo_with(level: Option<ErrorLevel>) -> Result<Zoo, Error> {
    let mut builder = ZooBuilder::of_user()?;
    if let Some(level) = level {
        builder = builder.requirement_error_level(level as u8);
    }
    Ok(builder.build()?)
}
