//! The HTTP client: its own redirects, so that secrets, mirrors and downgrades are decided at every hop.
use super::{DownloadError, FailureReason, credentials::Credentials};
use crate::config::Mirrors;
use modelzoo_base::error::chain;
use modelzoo_base::progress::Cancellation;
use reqwest::{
    Client, Response, StatusCode,
    header::{self, HeaderMap, HeaderValue},
};
use std::{
    future::Future,
    pin::pin,
    time::{Duration, Instant, SystemTime},
};
use tokio::runtime::Runtime;
use url::Url;

pub(crate) const MAXIMUM_REDIRECTS: usize = 10;
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How often what waits for a server looks whether it is cancelled.
pub(crate) const TICK: Duration = Duration::from_millis(50);
const USER_AGENT: &str = concat!("modelzoo/", env!("CARGO_PKG_VERSION"));

/// Connections, and the one background thread that serves them.
#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    runtime: Option<Runtime>,
}

/// Who is asked, and how patiently.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    pub(super) credentials: &'a Credentials,
    pub(super) mirrors: &'a Mirrors,
    pub(super) stall_timeout: Duration,
    pub(super) cancellation: &'a Cancellation,
}

impl Rules<'_> {
    pub(super) async fn wait_for<T>(self, work: impl Future<Output = T>) -> Result<T, Interrupted> {
        watched(work, self.stall_timeout, self.cancellation).await
    }
}

/// What comes of a step that can be interrupted.
#[derive(Debug)]
pub(crate) enum Interrupted {
    Cancelled,
    Failed(FailureReason),
}

impl From<FailureReason> for Interrupted {
    fn from(reason: FailureReason) -> Self {
        Self::Failed(reason)
    }
}

impl Http {
    pub(super) fn new() -> Result<Self, DownloadError> {
        // Another part of the program may have chosen a provider already; any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = client()
            .build()
            .map_err(|error| DownloadError::Client(error.into()))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("modelzoo-http")
            .enable_all()
            .build()
            .map_err(|error| DownloadError::Client(error.into()))?;
        Ok(Self {
            client,
            runtime: Some(runtime),
        })
    }

    /// A client with these connections, or one that goes through `proxy`; through none, if that is empty.
    pub(crate) fn client(&self, proxy: Option<&str>) -> Result<Client, reqwest::Error> {
        match proxy {
            None => Ok(self.client.clone()),
            Some("") => client().no_proxy().build(),
            Some(proxy) => client().proxy(reqwest::Proxy::all(proxy)?).build(),
        }
    }

    /// Runs `work` to its end. It gets a thread of its own, because a program that embeds this library may call it
    /// from inside an asynchronous runtime, where blocking on another one is not possible.
    pub(crate) fn block_on<T: Send>(&self, work: impl Future<Output = T> + Send) -> T {
        let runtime = self
            .runtime
            .as_ref()
            .unwrap_or_else(|| unreachable!("taken only when dropped"));
        std::thread::scope(|scope| match scope.spawn(|| runtime.block_on(work)).join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    /// The successful answer to a GET of `url`, and the URL it finally came from (as redirects name it, before mirrors).
    pub(super) async fn get(
        &self,
        url: Url,
        headers: &HeaderMap,
        rules: Rules<'_>,
    ) -> Result<(Response, Url), Interrupted> {
        let mut logical = url;
        let mut address = rewritten(&logical, rules.mirrors)?;
        let mut audience = rules.credentials.audience(&address);
        let first_audience = audience.clone();
        for _ in 0..=MAXIMUM_REDIRECTS {
            let mut request = self.client.get(address.clone()).headers(headers.clone());
            if let Some(token) = audience
                .as_ref()
                .and_then(|audience| rules.credentials.token(audience))
            {
                request = request.bearer_auth(token);
            }
            let response = rules
                .wait_for(request.send())
                .await?
                .map_err(|error| connect_failure(error, rules))?;
            if !is_redirect(response.status()) {
                return match response.status() {
                    status if status.is_success() => Ok((response, logical)),
                    status => Err(status_failure(status, response.headers(), || {
                        let asked = first_audience.as_ref()?;
                        rules.credentials.token(asked).is_none().then(|| asked.variable())
                    })
                    .into()),
                };
            }
            let next = redirect_target(&logical, &response)?;
            address = rewritten(&next, rules.mirrors)?;
            logical = next;
            // Once a redirect has left the hosts that a token is for, the token stays out, wherever it leads next.
            audience =
                audience.filter(|audience| rules.credentials.audience(&address).as_ref() == Some(audience));
        }
        let problem = "there are too many redirects";
        Err(FailureReason::Redirect {
            to: shown(&logical),
            problem,
        }
        .into())
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        // An ordinary drop would wait, which panics inside an asynchronous program.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A client as all requests want it; redirects are followed by who asks.
fn client() -> reqwest::ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
}

/// `work`'s result, unless it takes longer than the stall time-out or is cancelled.
pub(crate) async fn watched<T>(
    work: impl Future<Output = T>,
    stall_timeout: Duration,
    cancellation: &Cancellation,
) -> Result<T, Interrupted> {
    let mut work = pin!(work);
    let start = Instant::now();
    loop {
        if cancellation.is_cancelled() {
            return Err(Interrupted::Cancelled);
        }
        if let Ok(result) = tokio::time::timeout(TICK, work.as_mut()).await {
            return Ok(result);
        }
        if start.elapsed() >= stall_timeout {
            return Err(FailureReason::Stalled { after: stall_timeout }.into());
        }
    }
}

/// `url` without a password, for messages.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    if url.password().is_some() {
        // Fails only for URLs that cannot have one.
        let _ = url.set_password(Some("***"));
    }
    url.into()
}

fn rewritten(url: &Url, mirrors: &Mirrors) -> Result<Url, FailureReason> {
    let address = mirrors.rewrite(url.as_str());
    let unsupported = |problem| FailureReason::UnsupportedUrl { problem };
    match Url::parse(&address) {
        Ok(address) if matches!(address.scheme(), "http" | "https") => Ok(address),
        Ok(address) => Err(unsupported(format!("a mirror leads to {}", shown(&address)))),
        Err(error) => Err(unsupported(format!("{error}: {address}"))),
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirect leads: to HTTP, and never out of an encrypted connection.
pub(crate) fn redirect_target(from: &Url, response: &Response) -> Result<Url, FailureReason> {
    let location = response
        .headers()
        .get(header::LOCATION)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    let refused = |to: String, problem| FailureReason::Redirect { to, problem };
    let location = location.ok_or_else(|| refused("nowhere".to_owned(), "the server names no address"))?;
    let to = from
        .join(&location)
        .map_err(|_| refused(location.into_owned(), "the address is no URL"))?;
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") => Ok(to),
        ("https", "http") => Err(refused(shown(&to), "it would leave the encrypted connection")),
        _ => Err(refused(shown(&to), "it leads away from HTTP")),
    }
}

fn connect_failure(error: reqwest::Error, rules: Rules<'_>) -> Interrupted {
    if error.is_timeout() && !error.is_connect() {
        return FailureReason::Stalled {
            after: rules.stall_timeout,
        }
        .into();
    }
    let innermost = chain(&error).last().map(ToString::to_string);
    FailureReason::Connect {
        problem: innermost.unwrap_or_default(),
    }
    .into()
}

fn status_failure(
    status: StatusCode,
    headers: &HeaderMap,
    missing_token: impl Fn() -> Option<&'static str>,
) -> FailureReason {
    FailureReason::Status {
        code: status.as_u16(),
        phrase: status.canonical_reason().unwrap_or("").to_owned(),
        retry_after: headers.get(header::RETRY_AFTER).and_then(retry_after),
        missing_token: if matches!(status.as_u16(), 401 | 403 | 404) {
            missing_token()
        } else {
            None
        },
    }
}

/// `Retry-After` in either of its forms: seconds or a date.
fn retry_after(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(text)
            .ok()?
            .duration_since(SystemTime::now())
            .ok(),
    }
}
