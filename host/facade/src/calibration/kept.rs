//! What was found of the values in a model's networks, kept in the store.

use modelzoo_base::{Sha256Digest, error::in_one_line, file};
use modelzoo_data::evaluation::Agreement;
use modelzoo_engine::{Calibrated, Provenance};
use modelzoo_plugin_api::{Calibration, Error as PluginError, message};
use modelzoo_sources::store::Store;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{
    fs::File,
    io::{self, Read as _},
    path::PathBuf,
};

/// More than this is no calibration: networks have some thousand channels in some hundred layers, and 8 bytes for each.
pub(super) const MOST_BYTES: usize = 64 << 20;

/// Of the file, and of what the networks' parts of it were found by.
const FORMAT: u32 = 1;

/// Where in the store the calibration of a model is kept: under the hash of what makes the model.
#[derive(Clone, Debug)]
pub(super) struct KeptCalibration {
    store: Store,
    path: PathBuf,
}

/// What the file holds, behind the digest of this.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    pictures: u64,
    agreement: Agreement,
    calibration: Calibration,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("it cannot be read")]
    Unreadable(#[from] io::Error),
    #[error("it is damaged")]
    Damaged,
    #[error("it cannot be understood: {0}")]
    Content(PluginError),
}

impl KeptCalibration {
    /// For a model that is loaded with these settings.
    pub(super) fn of(store: &Store, provenance: &Provenance, settings: &Map<String, Value>) -> Self {
        let model = json!({
            "format": FORMAT,
            "tree_hash": provenance.tree_hash,
            "model": provenance.model,
            "artifact_sha256": provenance.artifact_sha256,
            "built_in": provenance.built_in,
            "weights_sha256": provenance.weights_sha256,
            "settings": settings,
        });
        Self {
            path: store.calibration_path(&Sha256Digest::of(model.to_string())),
            store: store.clone(),
        }
    }

    /// What is kept. A file that cannot be used is told of, and as good as none.
    pub(super) fn read(&self) -> Option<(Calibrated, Calibration)> {
        match self.try_read() {
            Ok(found) => {
                self.store.mark_used(&self.path);
                Some(found)
            }
            Err(Unusable::Unreadable(error)) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(
                    "{}: {}; it is made anew",
                    self.path.display(),
                    in_one_line(&error)
                );
                None
            }
        }
    }

    fn try_read(&self) -> Result<(Calibrated, Calibration), Unusable> {
        let mut bytes = Vec::new();
        let most = (2 * MOST_BYTES) as u64;
        let file = File::open(&self.path)?;
        file.take(most).read_to_end(&mut bytes)?;
        let (digest, content) = bytes
            .split_at_checked(size_of::<[u8; 32]>())
            .ok_or(Unusable::Damaged)?;
        if Sha256Digest::of(content).as_bytes() != digest {
            return Err(Unusable::Damaged);
        }
        let Content {
            pictures,
            agreement,
            calibration,
        } = message::decode(content).map_err(Unusable::Content)?;
        let calibrated = Calibrated {
            pictures,
            agreement,
            sha256: digest_of(&calibration).map_err(Unusable::Content)?,
        };
        Ok((calibrated, calibration))
    }

    /// Keeps it. That it cannot be kept is told, and costs the next run the time to make it anew.
    pub(super) fn write(&self, calibrated: &Calibrated, calibration: &Calibration) {
        let content = message::encode(&Content {
            pictures: calibrated.pictures,
            agreement: calibrated.agreement.clone(),
            calibration: calibration.clone(),
        });
        let written = content
            .map_err(|error| io::Error::other(error.to_string()))
            .and_then(|content| {
                let digest = Sha256Digest::of(&content);
                file::write(&self.path, [&digest.as_bytes()[..], &content].concat())
            });
        if let Err(error) = written {
            tracing::warn!(
                "{}: the calibration cannot be kept: {}",
                self.path.display(),
                in_one_line(&error)
            );
        }
    }
}

/// The digest of what was found.
pub(super) fn digest_of(calibration: &Calibration) -> Result<String, PluginError> {
    Ok(Sha256Digest::of(message::encode(calibration)?).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn provenance(weights: &str) -> Provenance {
        Provenance {
            source: "github.com/user/repo".to_owned(),
            commit: None,
            tree_hash: "00".to_owned(),
            model: "small".to_owned(),
            artifact_sha256: None,
            prebuilt_sha256: None,
            built_in: Some("vision".to_owned()),
            weights_sha256: [("model.safetensors".to_owned(), weights.to_owned())].into(),
            settings: Map::new(),
            calibration: None,
        }
    }

    fn example() -> (Calibrated, Calibration) {
        let networks = json!(BTreeMap::from([("tower", [1, 2, 3])]));
        let calibration: Calibration = serde_json::from_value(networks).unwrap();
        let calibrated = Calibrated {
            pictures: 64,
            sha256: digest_of(&calibration).unwrap(),
            agreement: Default::default(),
        };
        (calibrated, calibration)
    }

    #[test]
    fn each_model_has_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let of = |weights, settings: Value| {
            let Value::Object(settings) = settings else {
                panic!()
            };
            KeptCalibration::of(&store, &provenance(weights), &settings)
        };
        let kept = of("11", json!({}));
        assert!(kept.read().is_none());
        let (calibrated, calibration) = example();
        kept.write(&calibrated, &calibration);
        let (read, networks) = of("11", json!({})).read().unwrap();
        assert_eq!((read, networks.get("tower")), (calibrated, Some(&[1, 2, 3][..])));
        assert!(of("22", json!({})).read().is_none());
        assert!(of("11", json!({"size": 320})).read().is_none());
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let kept = KeptCalibration::of(&store, &provenance("11"), &Map::new());
        let (calibrated, calibration) = example();
        kept.write(&calibrated, &calibration);
        let whole = fs_err::read(&kept.path).unwrap();
        for cut in [0, 5, 32, whole.len() - 1] {
            fs_err::write(&kept.path, &whole[..cut]).unwrap();
            assert!(kept.read().is_none(), "{cut} bytes");
        }
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            fs_err::write(&kept.path, &damaged).unwrap();
            assert!(kept.read().is_none(), "byte {place}");
        }
        // What is whole, and says something else.
        let other = message::encode(&json!({"pictures": "many"})).unwrap();
        let digest = Sha256Digest::of(&other);
        fs_err::write(&kept.path, [&digest.as_bytes()[..], &other].concat()).unwrap();
        assert!(kept.read().is_none());
        kept.write(&calibrated, &calibration);
        assert!(kept.read().is_some());
    }
}
