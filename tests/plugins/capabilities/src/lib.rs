//! A model for each thing that a model may be able to do, each as small as it can be. None has weights.

mod pictures;
mod videos;

use modelzoo_plugin_api::prelude::*;
use std::path::Path;

#[derive(Default)]
struct Source;

export_source!(Source);

impl ModelSource for Source {
    fn load_model(&self, name: &str, _path: &Path, _options: LoadOptions) -> Result<Box<dyn Model>> {
        Ok(match name {
            "test/boxes" => Box::new(pictures::Boxes),
            "test/maps" => Box::new(pictures::Maps),
            "test/prepared" => Box::new(pictures::Prepared),
            "test/fields" => Box::new(pictures::Fields),
            "test/prompts" => Box::new(pictures::Prompts),
            "test/events" => Box::new(videos::Events),
            "test/frames" => Box::new(videos::Frames),
            "test/clips" => Box::new(videos::Clips),
            _ => return Err(Error::new(format!("there is no model {name}"))),
        })
    }
}
