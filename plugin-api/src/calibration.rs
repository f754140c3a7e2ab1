//! What models on bytes have to know of the values in their networks.

use crate::{Host, Result};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What a model that computes on bytes ([`Precision::Int8`](crate::Precision::Int8)) knows of the values in its networks: for
/// each network, by a name that the model's toolkit gives it, bytes that mean something to that toolkit alone.
///
/// A model that is loaded without any computes with `f32` and takes note of the values that pass through its networks. The host
/// has it predict for some pictures, asks what was found ([`message::CALIBRATE`](crate::message::CALIBRATE)), and loads it
/// once more with that. `modelzoo-candle` does all of it; a plugin with kernels of its own [watches](Self::watch) them.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(from = "Known", into = "Known")]
pub struct Calibration {
    known: Arc<BTreeMap<String, ByteBuf>>,
    watched: Arc<Mutex<BTreeMap<String, Arc<dyn Calibrate>>>>,
}

/// A network that takes note of the values that pass through it.
pub trait Calibrate: Send + Sync {
    /// What it has found, to be given to the same network when it is loaded again; `None` where nothing has passed through.
    /// The same pictures make the same bytes. `tell` takes how much is done, of how much: a host may end a process that is
    /// silent for long.
    ///
    /// # Errors
    /// When it cannot be computed on bytes.
    fn calibrate(&self, tell: &mut dyn FnMut(u64, u64)) -> Result<Option<Vec<u8>>>;
}

/// How it crosses.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Known(BTreeMap<String, ByteBuf>);

impl From<Known> for Calibration {
    fn from(known: Known) -> Self {
        Self {
            known: Arc::new(known.0),
            watched: Arc::default(),
        }
    }
}

impl From<Calibration> for Known {
    fn from(calibration: Calibration) -> Self {
        Self(Arc::unwrap_or_clone(calibration.known))
    }
}

impl Calibration {
    /// Whether nothing is known of any network.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// What is known of a network.
    pub fn get(&self, network: &str) -> Option<&[u8]> {
        self.known.get(network).map(|bytes| bytes.as_slice())
    }

    /// How many bytes are known, of all networks together.
    pub fn size(&self) -> usize {
        let sizes = self.known.iter().map(|(name, bytes)| name.len() + bytes.len());
        sizes.sum()
    }

    /// Says that a network takes note of what passes through it. Of several with one name, which are taken to be the same,
    /// the first is asked.
    pub fn watch(&self, network: impl Into<String>, watched: Arc<dyn Calibrate>) {
        self.watched_networks().entry(network.into()).or_insert(watched);
    }

    /// Whether any network takes note of what passes through it.
    pub fn is_watched(&self) -> bool {
        !self.watched_networks().is_empty()
    }

    /// What the networks have found; the host is told how far it is.
    ///
    /// # Errors
    /// When one of them cannot be computed on bytes.
    pub fn find(&self, host: &Host) -> Result<Self> {
        let watched = self.watched_networks().clone();
        let mut known = BTreeMap::new();
        for (name, network) in watched {
            let mut tell = |done, total| host.progress("calibrating", done, Some(total));
            if let Some(found) = network.calibrate(&mut tell)? {
                known.insert(name, ByteBuf::from(found));
            }
        }
        Ok(Known(known).into())
    }

    fn watched_networks(&self) -> MutexGuard<'_, BTreeMap<String, Arc<dyn Calibrate>>> {
        // Networks are added whole or not at all, whatever panics elsewhere.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Calibration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = self.known.iter().map(|(name, bytes)| (name, bytes.len()));
        formatter
            .debug_struct("Calibration")
            .field("bytes_by_network", &sizes.collect::<BTreeMap<_, _>>())
            .field("is_watched", &self.is_watched())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LoadOptions, Precision, message};

    struct Found(Option<&'static [u8]>);

    impl Calibrate for Found {
        fn calibrate(&self, tell: &mut dyn FnMut(u64, u64)) -> Result<Option<Vec<u8>>> {
            tell(0, 1);
            Ok(self.0.map(<[u8]>::to_vec))
        }
    }

    #[test]
    fn what_was_found_crosses_with_the_options() {
        let calibration = Calibration::default();
        assert!(calibration.is_empty() && !calibration.is_watched());
        calibration.clone().watch("tower", Arc::new(Found(Some(&[1, 2]))));
        calibration.watch("tower", Arc::new(Found(Some(&[3]))));
        calibration.watch("unused", Arc::new(Found(None)));
        assert!(calibration.is_watched());
        let found = calibration.find(&Host::default()).unwrap();
        assert_eq!(
            (found.get("tower"), found.get("unused")),
            (Some(&[1, 2][..]), None)
        );
        assert_eq!((found.size(), found.is_watched()), (7, false));

        let options = LoadOptions {
            precision: Precision::Int8,
            calibration: found,
            ..LoadOptions::default()
        };
        let read: LoadOptions = message::decode(&message::encode(&options).unwrap()).unwrap();
        assert_eq!(read.calibration.get("tower"), Some(&[1, 2][..]));
    }

    #[test]
    fn options_of_older_hosts_know_nothing() {
        let read: LoadOptions = serde_json::from_str(r#"{"precision": "int8"}"#).unwrap();
        assert!(read.calibration.is_empty());
        let written = serde_json::to_string(&LoadOptions::default()).unwrap();
        assert!(!written.contains("calibration"), "{written}");
    }
}
