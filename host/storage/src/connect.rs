//! From a location to the store that has it.

use crate::{
    error::StorageError,
    exact_url::ExactUrl,
    location::{Location, Service},
    patience::{client_options, retries},
    providers,
};
use http::Uri;
use object_store::{
    ObjectStore,
    client::{HttpClient, HttpConnector as _, ReqwestConnector},
    http::HttpBuilder,
    path::Path as Key,
};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

/// Stores by service and bucket.
type Stores = HashMap<(Service, String), Arc<dyn ObjectStore>>;

/// Each has connections, and credentials that it renews.
static STORES: LazyLock<Mutex<Stores>> = LazyLock::new(Mutex::default);

/// The connections to the web.
static WEB: LazyLock<Result<HttpClient, StorageError>> = LazyLock::new(|| {
    use_ring();
    ReqwestConnector::default()
        .connect(&client_options().with_allow_http(true))
        .map_err(StorageError::from)
});

/// The store that has what is at `location`, and its name there.
pub(crate) fn connect(location: &Location) -> Result<(Arc<dyn ObjectStore>, Key), StorageError> {
    Ok((store(location)?, location.key()?))
}

/// The store that has what is at `location`.
pub(crate) fn store(location: &Location) -> Result<Arc<dyn ObjectStore>, StorageError> {
    if location.service == Service::Web {
        return web(&location.bucket);
    }
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    let name = (location.service, location.bucket.clone());
    if let Some(store) = stores.get(&name) {
        return Ok(Arc::clone(store));
    }
    use_ring();
    let store = build(location)?;
    stores.insert(name, Arc::clone(&store));
    Ok(store)
}

fn build(location: &Location) -> Result<Arc<dyn ObjectStore>, StorageError> {
    let bucket = &location.bucket;
    Ok(match location.service {
        Service::S3 => Arc::new(providers::amazon(bucket)?),
        Service::Google => Arc::new(providers::google(bucket)?),
        Service::Azure => Arc::new(providers::azure(bucket)?),
        Service::Web => return web(bucket),
    })
}

fn web(url: &str) -> Result<Arc<dyn ObjectStore>, StorageError> {
    let client = WEB.as_ref().map_err(Clone::clone)?.clone();
    let without_fragment = url.split('#').next().unwrap_or_default();
    let exact: Uri = without_fragment
        .parse()
        .map_err(|error: http::uri::InvalidUri| StorageError::invalid(error.to_string()))?;
    let builder = HttpBuilder::new()
        .with_url(without_fragment)
        .with_retry(retries())
        .with_http_connector(ExactUrl { client, url: exact });
    Ok(Arc::new(builder.build()?))
}

/// Another part of the program may have chosen a provider already; any will do.
fn use_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
