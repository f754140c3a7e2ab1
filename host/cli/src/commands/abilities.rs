//! What a loaded model says of itself, in words.

use modelzoo::{
    ModelInfo,
    plugin_api::{MediaType, message},
};

/// Whether there is anything to predict: every model of pictures has to, but not every one of videos.
pub fn predicts(info: &ModelInfo) -> bool {
    info.media_type != MediaType::Video || info.knows(message::PREDICT_VIDEO)
}

/// What the model says of itself, in a line.
pub fn describe(info: &ModelInfo) -> String {
    let mut facts = vec![match info.media_type {
        MediaType::Video => "takes videos".to_owned(),
        _ => "takes pictures".to_owned(),
    }];
    if !predicts(info) {
        facts.push("no predictions".to_owned());
    }
    let mut count = |number: usize, what: &str| {
        if number > 0 {
            facts.push(format!("{number} {what}"));
        }
    };
    count(info.classes.len(), "classes");
    count(info.keypoints.len(), "keypoints");
    for (is_so, what) in [
        (info.has_embeddings, "embeddings"),
        (info.knows(message::EMBED_PROMPTS), "embeddings of texts"),
        (info.has_logits, "logits"),
    ] {
        if is_so {
            facts.push(what.to_owned());
        }
    }
    if !info.needed_fields.is_empty() {
        facts.push(format!("can use the fields {}", info.needed_fields.join(", ")));
    }
    facts.join(", ")
}
