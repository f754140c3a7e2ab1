//! From a location to the store that has it.

use crate::{
    error::StorageError,
    exact_url::ExactUrl,
    location::{Location, Service},
    providers,
};
use http::Uri;
use object_store::{
    ClientOptions, ObjectStore, RetryConfig,
    client::{HttpClient, HttpConnector as _, ReqwestConnector},
    http::HttpBuilder,
    path::Path as Key,
};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a request is sent again before it counts as failed.
const RETRY_TIMEOUT: Duration = Duration::from_secs(120);

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

/// Whole bodies may take as long as they take, as long as something of them comes.
pub(crate) fn client_options() -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout_disabled()
        .with_read_timeout(STALL_TIMEOUT)
}

pub(crate) fn retries() -> RetryConfig {
    RetryConfig {
        retry_timeout: RETRY_TIMEOUT,
        ..RetryConfig::default()
    }
}

/// Another part of the program may have chosen a provider already; any will do.
fn use_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
