//! From a location to the store that has it.

use crate::{
    error::{Cause, StorageError},
    exact_url::ExactUrl,
    location::{Location, Service},
};
use http::Uri;
use object_store::{
    ClientOptions, ObjectStore, RetryConfig,
    aws::AmazonS3Builder,
    azure::MicrosoftAzureBuilder,
    client::{HttpClient, HttpConnector as _, ReqwestConnector},
    gcp::GoogleCloudStorageBuilder,
    http::HttpBuilder,
    path::Path as Key,
};
use std::{
    collections::HashMap,
    env,
    net::{SocketAddr, TcpStream},
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a request is sent again before it counts as failed.
const RETRY_TIMEOUT: Duration = Duration::from_secs(120);
/// Where machines of Amazon's ask for credentials of their own.
const MACHINE_METADATA: SocketAddr = SocketAddr::new(
    std::net::IpAddr::V4(std::net::Ipv4Addr::new(169, 254, 169, 254)),
    80,
);
const METADATA_TIMEOUT: Duration = Duration::from_secs(1);

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
        Service::S3 => {
            check_amazon_credentials()?;
            let endpoint = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
            let is_plain = endpoint
                .into_iter()
                .find_map(|variable| env::var(variable).ok())
                .is_some_and(|url| url.starts_with("http:"));
            let builder = AmazonS3Builder::from_env()
                .with_client_options(client_options().with_allow_http(is_plain))
                .with_retry(retries())
                .with_bucket_name(bucket);
            Arc::new(builder.build()?)
        }
        Service::Google => {
            let builder = GoogleCloudStorageBuilder::from_env()
                .with_client_options(client_options())
                .with_retry(retries())
                .with_bucket_name(bucket);
            Arc::new(builder.build()?)
        }
        Service::Azure => {
            let builder = MicrosoftAzureBuilder::from_env()
                .with_client_options(client_options())
                .with_retry(retries())
                .with_container_name(bucket);
            Arc::new(builder.build()?)
        }
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
fn client_options() -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout_disabled()
        .with_read_timeout(STALL_TIMEOUT)
}

fn retries() -> RetryConfig {
    RetryConfig {
        retry_timeout: RETRY_TIMEOUT,
        ..RetryConfig::default()
    }
}

/// Without credentials the library asks Amazon's own machines for them, again and again. On any other machine that is time
/// lost.
fn check_amazon_credentials() -> Result<(), StorageError> {
    let is_set = |variable: &&str| env::var_os(variable).is_some();
    let is_said = [
        "AWS_ACCESS_KEY_ID",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_METADATA_ENDPOINT",
        "AWS_SKIP_SIGNATURE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    ]
    .iter()
    .any(is_set);
    if is_said || TcpStream::connect_timeout(&MACHINE_METADATA, METADATA_TIMEOUT).is_ok() {
        return Ok(());
    }
    Err(StorageError::new(
        Cause::Credentials,
        "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true for what \
         everybody may read",
    ))
}

/// Another part of the program may have chosen a provider already; any will do.
fn use_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
