//! What a source is checked against.

use serde::Serialize;

/// Something that a source has to be, or had better be.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// By which reports and documents name it.
    pub id: &'static str,
    /// Why users care.
    pub reason: &'static str,
    /// What the author does where the rule is broken, unless the finding knows better.
    pub remedy: &'static str,
}

/// Declares the rules, and the list of them.
macro_rules! rules {
    ($($name:ident $id:literal: $reason:literal => $remedy:literal;)*) => {
        $(
            pub const $name: Rule = Rule { id: $id, reason: $reason, remedy: $remedy };
        )*

        /// All of them, in the order in which they are looked at.
        pub const ALL: &[Rule] = &[$($name),*];
    };
}

rules! {
    MANIFEST "manifest": "without it there is no model to name" => "correct manifest.json";
    MODEL_NAMES "model-names": "of two models of one name, only the first can be had"
        => "give each model another `base_name` or `version`";
    MODEL_FACTS "model-facts": "`modelzoo list` and `modelzoo info` show them, and people choose models by them"
        => "add them to the model in manifest.json";
    FIELDS "manifest-fields": "a misspelt field has no effect, and nobody is told" => "correct the field's name";
    LICENSE "model-license": "people filter by licence, and programs know SPDX names alone"
        => "use a name of https://spdx.org/licenses, such as `Apache-2.0`";
    DATE "model-date": "models are sorted and chosen by it" => "write it as `2026-01-31` or `2026-01-31 12:00:00`";
    URLS "model-urls": "people follow them to see where a model comes from" => "write it out, with `https://`";
    DIGEST "weights-digest": "what is downloaded may be changed by anybody who can write there"
        => "add `sha256` to the manager's `config`: `sha256sum FILE` prints it";
    ARTIFACT_KEY "artifacts-key": "no signature could be one by it, and users of the compiled plugin meet an error"
        => "take the second line of the .pub file, as minisign writes it";
    ARTIFACT_URL "artifacts-url": "users without a compiler look for the plugin there"
        => "write it with `https://`, and with `{name}`, `{tag}`, `{target}` and `{variant}` where these stand in it";
    ARTIFACT_BUILD "artifacts-builds": "users take a compiled plugin only where something vouches for the one that is for their machine"
        => "take `artifacts` from what `modelzoo plugin pack --prebuilt --json` prints";
    LICENSE_FILE "license-file": "without a licence nobody may use the code" => "add the licence's text as LICENSE";
    CRATE "crate": "the plugin is built from it" => "correct Cargo.toml; `modelzoo plugin new` writes one";
    CRATE_TYPE "crate-type": "only a dynamic library can be loaded"
        => "put `crate-type = [\"cdylib\"]` under `[lib]` in Cargo.toml";
    API_VERSION "api-version": "users build against the API of their own host"
        => "ask for a version that this host has, or update modelzoo";
    LOCK_FILE "crate-lock": "with Cargo.lock, every user builds the same plugin"
        => "`modelzoo plugin dev .` writes it; commit it";
    BUILD "build": "users build it in the same way" => "mend what the compiler complains of";
    WEIGHTS "weights": "a model without its weights cannot be loaded"
        => "see `base_filename` and `manager` in manifest.json";
    WEIGHTS_SIZE "weights-size": "people choose by it, and free so much space" => "correct `size_bytes`, or leave it out";
    LOAD "load": "nothing works before it" => "let the error say what it could not read or make sense of";
    OPTIONS "unknown-options": "a misspelt option that is taken without a word changes nothing, unseen"
        => "read options with `options.settings()` into a type with `#[serde(deny_unknown_fields)]`";
    DESCRIBE "describe": "users and exporters go by what a model says of itself" => "see `Model::info`";
    ABILITIES "abilities": "a model of videos has to do something with them"
        => "write `Model::videos` or `Model::video_embeddings`";
    PREDICT "predict": "it is what a model is for" => "see the error, and `Model::predict`";
    PREDICT_AGAIN "predict-again": "results have to be the same each time"
        => "keep nothing of one picture for the next, and depend on no chance";
    LABELS "labels": "exporters, drawings and evaluations go by FiftyOne's ranges: boxes from 0 to 1, confidences from 0 to 1"
        => "give boxes relative to the picture, confidences from 0 to 1, and labels of `ModelInfo::with_classes`";
    SIZES "picture-sizes": "people have pictures of every size" => "give an error for what cannot be used; never panic";
    BATCHES "batches": "how many pictures are predicted at once is the user's choice, and must not change a result"
        => "let `predict_all` give a result for each picture, in their order, and none depend on the others";
    PREPROCESS "preprocess-apart": "pictures are preprocessed while others are predicted"
        => "let `preprocess` and `predict_prepared` together do what `predict` does";
    GROWTH "memory-growth": "runs over many pictures end when memory does" => "keep nothing of a picture after its prediction";
    EMBED "embed": "it says that it has embeddings" => "see the error, and `Model::embed`";
    EMBED_AGAIN "embed-again": "embeddings have to be the same each time"
        => "keep nothing of one picture for the next, and depend on no chance";
    EMBED_LENGTH "embedding-length": "only embeddings of one length can be compared" => "give all pictures as many numbers";
    EMBED_PROMPTS "embed-prompts": "embeddings of texts are compared with those of pictures"
        => "give texts as many numbers as pictures";
    IN_PROCESS "in-process": "programs load models into their own process"
        => "depend on nothing of the process, such as its environment or current folder";
    THREADS "threads": "several threads ask one model at once" => "share nothing that changes without a lock";
    RELOAD "reload": "programs drop a model and load it again" => "keep nothing of a model in statics";
    EXPECTED "expected": "whoever runs the model elsewhere wants the numbers that its author has"
        => "see whether weights, options or the compiler are others; `modelzoo apply MODEL PICTURES -o FILE` writes the file anew";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_rule_has_an_id_of_its_own_that_the_document_explains() {
        let document = include_str!("../../../../../../docs/publishing.md");
        let mut ids = BTreeSet::new();
        for rule in ALL {
            assert!(ids.insert(rule.id), "{}", rule.id);
            assert!(document.contains(&format!("| `{}` |", rule.id)), "{}", rule.id);
        }
    }
}
