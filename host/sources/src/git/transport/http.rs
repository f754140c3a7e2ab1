//! Git over HTTP (<https://git-scm.com/docs/http-protocol>): a request for the refs, and one for each step of a fetch.
use super::stream::{Broken, Patience, Piece};
use crate::{
    download::{Http, Interrupted, MAXIMUM_REDIRECTS, redirect_target, watched},
    git::authentication::Authentication,
};
use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
};
use std::{
    io::{self, Read, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use url::Url;

const DISCOVERY: &str = "/info/refs";
const SERVICE: &str = "git-upload-pack";

/// Servers that serve pages under the same addresses know Git by this beginning.
const USER_AGENT: &str = concat!("git/2.0 (modelzoo ", env!("CARGO_PKG_VERSION"), ")");

/// A server, and what is known of it so far.
pub(in crate::git) struct HttpConnection {
    http: Arc<Http>,
    client: Client,
    /// The repository, as it was asked for.
    url: Url,
    authentication: Authentication,
    patience: Patience,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Where the first answer came from: further requests go there.
    base: Option<Url>,
    /// User and password, once the server has asked for them.
    login: Option<(String, String)>,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Advertisement,
    Exchange,
}

impl HttpConnection {
    /// `proxy` is the one of Git's configuration; without it, the environment's is used.
    pub(in crate::git) fn new(
        http: Arc<Http>,
        url: Url,
        proxy: Option<&str>,
        authentication: Authentication,
        patience: Patience,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: http.client(proxy)?,
            http,
            url,
            authentication,
            patience,
            state: Mutex::default(),
        })
    }

    pub(super) fn patience(&self) -> &Patience {
        &self.patience
    }

    /// The refs, and what the server can do.
    pub(super) fn advertisement(self: &Arc<Self>) -> HttpStream {
        HttpStream::new(self, Step::Advertisement)
    }

    /// A step of a fetch: what is written is sent when the answer is read.
    pub(super) fn exchange(self: &Arc<Self>) -> HttpStream {
        HttpStream::new(self, Step::Exchange)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that happens under the lock leaves it half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server's successful answer. Only the first request follows redirects; those that a server sends who has been
    /// shown credentials end at its door.
    async fn ask(&self, step: Step, body: &[u8]) -> Result<Response, Broken> {
        let base = self.state().base.clone();
        let mut place = match step {
            Step::Advertisement => below(&self.url, DISCOVERY, Some(&format!("service={SERVICE}"))),
            Step::Exchange => below(base.as_ref().unwrap_or(&self.url), &format!("/{SERVICE}"), None),
        };
        for _ in 0..=MAXIMUM_REDIRECTS {
            let login = self.state().login.clone();
            let mut request = self.request(step, &place, body);
            if let Some((user, password)) = &login {
                request = request.basic_auth(user, Some(password));
            }
            let response = self.send(request).await?;
            match response.status() {
                StatusCode::UNAUTHORIZED if login.is_some() => {
                    return Err(Broken::Authentication { refused: true });
                }
                StatusCode::UNAUTHORIZED => {
                    let login = self.login_for(&place)?;
                    self.state().login = Some(login);
                }
                StatusCode::NOT_FOUND => return Err(Broken::Missing),
                status if status.is_redirection() && step == Step::Advertisement => {
                    let next = redirect_target(&place, &response)
                        .map_err(|reason| Broken::Answer(reason.to_string()))?;
                    if login.is_some() && next.origin() != self.url.origin() {
                        return Err(elsewhere(&next));
                    }
                    place = next;
                }
                status if status.is_success() => {
                    if step == Step::Advertisement {
                        self.state().base = Some(base_of(&place)?);
                    }
                    return checked(step, response);
                }
                status => {
                    let code = status.as_u16();
                    return Err(Broken::Answer(format!("unexpected http status code: {code}")));
                }
            }
        }
        Err(Broken::Answer("there are too many redirects".to_owned()))
    }

    fn request(&self, step: Step, place: &Url, body: &[u8]) -> RequestBuilder {
        let request = match step {
            Step::Advertisement => self.client.get(place.clone()),
            Step::Exchange => self
                .client
                .post(place.clone())
                .header(CONTENT_TYPE, format!("application/x-{SERVICE}-request"))
                .header(ACCEPT, format!("application/x-{SERVICE}-result"))
                .body(body.to_vec()),
        };
        request.header(reqwest::header::USER_AGENT, USER_AGENT)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Broken> {
        self.wait_for(request.send()).await
    }

    async fn wait_for<T>(&self, work: impl Future<Output = Result<T, reqwest::Error>>) -> Result<T, Broken> {
        let Patience {
            stall_timeout,
            cancellation,
            ..
        } = &self.patience;
        match watched(work, *stall_timeout, cancellation).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(error)) => Err(Broken::Network(whole_text(&error.without_url()))),
            Err(Interrupted::Cancelled) => Err(Broken::Cancelled),
            Err(Interrupted::Failed(_)) => Err(Broken::Stalled),
        }
    }

    /// What the server at `place`, which asks, may be shown.
    fn login_for(&self, place: &Url) -> Result<(String, String), Broken> {
        let is_the_one = place.origin() == self.url.origin();
        match self.authentication.login(place, is_the_one) {
            Some(login) if is_the_one => Ok(login),
            Some(_) => Err(elsewhere(place)),
            None => Err(Broken::Authentication { refused: false }),
        }
    }
}

/// The address of a part of the repository at `base`.
fn below(base: &Url, part: &str, query: Option<&str>) -> Url {
    let mut place = base.clone();
    place.set_path(&format!("{}{part}", base.path().trim_end_matches('/')));
    place.set_query(query);
    place
}

/// The repository whose refs are at `place`.
fn base_of(place: &Url) -> Result<Url, Broken> {
    let path = place.path().strip_suffix(DISCOVERY);
    let path = path.ok_or_else(|| Broken::Answer(format!("it leads to {place}, which is no repository")))?;
    let mut base = place.clone();
    base.set_path(path);
    base.set_query(None);
    Ok(base)
}

/// A web page may come with success, too.
fn checked(step: Step, response: Response) -> Result<Response, Broken> {
    let kind = match step {
        Step::Advertisement => "advertisement",
        Step::Exchange => "result",
    };
    let expected = format!("application/x-{SERVICE}-{kind}");
    let found = response.headers().get(CONTENT_TYPE);
    if found.is_some_and(|found| found.as_bytes() == expected.as_bytes()) {
        return Ok(response);
    }
    let found = found.map_or("nothing".into(), |found| {
        String::from_utf8_lossy(found.as_bytes())
    });
    Err(Broken::Answer(format!(
        "it is no Git repository: it answers with {found}"
    )))
}

fn elsewhere(place: &Url) -> Broken {
    Broken::Elsewhere {
        to: place.origin().ascii_serialization(),
    }
}

/// What an error and its causes say.
fn whole_text(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// One request and its answer.
pub(super) struct HttpStream {
    connection: Arc<HttpConnection>,
    step: Step,
    body: Vec<u8>,
    response: Option<Response>,
    piece: Piece,
}

impl HttpStream {
    fn new(connection: &Arc<HttpConnection>, step: Step) -> Self {
        Self {
            connection: Arc::clone(connection),
            step,
            body: Vec::new(),
            response: None,
            piece: Piece::default(),
        }
    }

    fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        let connection = &self.connection;
        let (step, body, waiting) = (self.step, &self.body, self.response.take());
        let (response, piece) = connection.http.block_on(async {
            let mut response = match waiting {
                Some(response) => response,
                None => connection.ask(step, body).await?,
            };
            let piece = connection.wait_for(response.chunk()).await?;
            Ok::<_, Broken>((response, piece))
        })?;
        self.response = Some(response);
        Ok(piece.map(Vec::from))
    }
}

impl Read for HttpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let next = self.next_piece();
            match next.map_err(|broken| self.connection.patience.broke(broken))? {
                Some(bytes) => self.piece = Piece::new(bytes),
                None => return Ok(0),
            }
        }
        Ok(self.piece.read(buffer))
    }
}

impl Write for HttpStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.body.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
