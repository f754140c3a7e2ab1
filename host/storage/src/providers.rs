//! Each service's stores, as the variables say that its own programs know.

use crate::{
    error::{Cause, StorageError},
    patience::{client_options, retries},
};
use object_store::{
    StaticCredentialProvider,
    aws::{AmazonS3, AmazonS3Builder},
    azure::{AzureConfigKey, MicrosoftAzure, MicrosoftAzureBuilder},
    gcp::{GcpCredential, GoogleCloudStorage, GoogleCloudStorageBuilder},
};
use std::{
    env,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
    time::Duration,
};

/// Where machines of Amazon's, Google's and Microsoft's ask for credentials of their own.
const MACHINE_METADATA: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)), 80);
const METADATA_TIMEOUT: Duration = Duration::from_secs(1);

/// Where `gcloud auth application-default login` leaves credentials, below the home folder.
const GOOGLE_LOGIN: &str = ".config/gcloud/application_default_credentials.json";

pub(crate) fn amazon(bucket: &str) -> Result<AmazonS3, StorageError> {
    check_credentials(
        &[
            "AWS_ACCESS_KEY_ID",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_METADATA_ENDPOINT",
            "AWS_SKIP_SIGNATURE",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
        ],
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true for what everybody may read",
    )?;
    let endpoint = first_set(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]);
    let builder = AmazonS3Builder::from_env()
        .with_client_options(client_options().with_allow_http(is_plain(endpoint.as_deref())))
        .with_retry(retries())
        .with_bucket_name(bucket);
    Ok(builder.build()?)
}

pub(crate) fn google(bucket: &str) -> Result<GoogleCloudStorage, StorageError> {
    // Google's own programs know a server for tests by this variable, often without a scheme, and send it no credentials.
    let emulator = first_set(&["STORAGE_EMULATOR_HOST"]).map(|host| match host.contains("://") {
        true => host,
        false => format!("http://{host}"),
    });
    let home = env::home_dir().unwrap_or_default();
    if emulator.is_none() && !Path::new(&home).join(GOOGLE_LOGIN).exists() {
        check_credentials(
            &[
                "GOOGLE_APPLICATION_CREDENTIALS",
                "GOOGLE_BEARER_TOKEN",
                "GOOGLE_SERVICE_ACCOUNT",
                "GOOGLE_SERVICE_ACCOUNT_KEY",
                "GOOGLE_SERVICE_ACCOUNT_PATH",
                "GOOGLE_SKIP_SIGNATURE",
                "SERVICE_ACCOUNT",
            ],
            "set GOOGLE_APPLICATION_CREDENTIALS, or GOOGLE_SKIP_SIGNATURE=true for what everybody may read",
        )?;
    }
    let address = emulator.clone().or_else(|| first_set(&["GOOGLE_BASE_URL"]));
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_client_options(client_options().with_allow_http(is_plain(address.as_deref())))
        .with_retry(retries())
        .with_bucket_name(bucket);
    if let Some(emulator) = emulator {
        // Without a signature the library writes nothing.
        let bearer = String::new();
        let nobody = StaticCredentialProvider::new(GcpCredential { bearer });
        builder = builder
            .with_base_url(&emulator)
            .with_credentials(Arc::new(nobody));
    }
    Ok(builder.build()?)
}

pub(crate) fn azure(container: &str) -> Result<MicrosoftAzure, StorageError> {
    let endpoint = first_set(&["AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"]);
    let mut builder = MicrosoftAzureBuilder::from_env()
        .with_client_options(client_options().with_allow_http(is_plain(endpoint.as_deref())))
        .with_retry(retries())
        .with_container_name(container);
    // Names that the library does not know and Azure's own program does.
    let also = [
        (AzureConfigKey::AccountName, "AZURE_STORAGE_ACCOUNT"),
        (AzureConfigKey::AccessKey, "AZURE_STORAGE_KEY"),
    ];
    for (key, variable) in also {
        if let (None, Some(value)) = (builder.get_config_value(&key), first_set(&[variable])) {
            builder = builder.with_config(key, value);
        }
    }
    let is_emulated = builder.get_config_value(&AzureConfigKey::UseEmulator) == Some("true".to_owned());
    if !is_emulated {
        if builder.get_config_value(&AzureConfigKey::AccountName).is_none() {
            let problem = "it does not show whose it is: set AZURE_STORAGE_ACCOUNT";
            return Err(StorageError::new(Cause::Credentials, problem));
        }
        check_credentials(
            &[
                "AZURE_CLIENT_ID",
                "AZURE_CLIENT_SECRET",
                "AZURE_FABRIC_SESSION_TOKEN",
                "AZURE_FEDERATED_TOKEN_FILE",
                "AZURE_IDENTITY_ENDPOINT",
                "AZURE_MSI_ENDPOINT",
                "AZURE_SKIP_SIGNATURE",
                "AZURE_STORAGE_ACCESS_KEY",
                "AZURE_STORAGE_ACCOUNT_KEY",
                "AZURE_STORAGE_CLIENT_ID",
                "AZURE_STORAGE_KEY",
                "AZURE_STORAGE_MASTER_KEY",
                "AZURE_STORAGE_SAS_KEY",
                "AZURE_STORAGE_SAS_TOKEN",
                "AZURE_STORAGE_TOKEN",
                "AZURE_USE_AZURE_CLI",
            ],
            "set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or AZURE_SKIP_SIGNATURE=true for what everybody may read",
        )?;
    }
    Ok(builder.build()?)
}

/// The first of the variables that says something.
fn first_set(variables: &[&str]) -> Option<String> {
    let values = variables.iter().filter_map(|variable| env::var(variable).ok());
    values.into_iter().find(|value| !value.is_empty())
}

/// Whether the address of a store, if one is given, is to be spoken to without encryption.
fn is_plain(address: Option<&str>) -> bool {
    address.is_some_and(|address| address.starts_with("http:"))
}

/// Without credentials the library asks the provider's own machines for them, again and again. On any other machine that is
/// time lost.
fn check_credentials(variables: &[&str], remedy: &str) -> Result<(), StorageError> {
    let is_set = |variable: &&str| env::var_os(variable).is_some();
    if variables.iter().any(is_set) || TcpStream::connect_timeout(&MACHINE_METADATA, METADATA_TIMEOUT).is_ok()
    {
        return Ok(());
    }
    Err(StorageError::new(
        Cause::Credentials,
        format!("there are no credentials: {remedy}"),
    ))
}
