//! One attempt at one URL: from the answer's headers to the last byte in the partial file.
use super::{
    DownloadError, FailureReason, Request, google_drive,
    http::{Http, Interrupted, Rules, TICK},
    partial::{Partial, Record},
    web_page,
};
use modelzoo_base::progress::{Event, Observer};
use reqwest::{
    Response,
    header::{
        ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_RANGE,
        LAST_MODIFIED, RANGE,
    },
};
use std::{
    io::{self, Read as _},
    path::Path,
    time::{Duration, Instant},
};
use url::Url;

/// How much of a `file://` URL is copied at once.
const COPY_BUFFER_BYTES: usize = 256 * 1024;
/// A page of a Google Drive confirmation is much smaller than this.
const LONGEST_PAGE_BYTES: usize = 1024 * 1024;

/// What ends an attempt before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// This URL failed; it, or another, may be tried.
    Url(FailureReason),
    /// Nothing can be tried: the disk, or the user, says no.
    Final(DownloadError),
}

impl From<FailureReason> for Stop {
    fn from(reason: FailureReason) -> Self {
        Self::Url(reason)
    }
}

/// One download, as its attempts share it.
#[derive(Clone, Copy)]
pub(super) struct Transfer<'a> {
    pub(super) request: &'a Request,
    pub(super) observer: &'a dyn Observer,
    pub(super) rules: Rules<'a>,
}

impl Transfer<'_> {
    /// Downloads from `url` into `partial`, continuing what is there when it is certain to be of the same content.
    /// Whether the content is what was asked for is not decided here.
    pub(super) async fn download(self, http: &Http, url: &Url, partial: &mut Partial) -> Result<(), Stop> {
        let offset = if self.can_resume(url, partial) {
            partial.length()
        } else {
            0
        };
        let offset = match partial.record().and_then(|record| record.total) {
            // All is there, but not published: the last byte is asked for again, so that the server can say whether
            // the content is still this one.
            Some(total) if total > 0 && offset >= total => {
                partial
                    .shorten(total - 1)
                    .map_err(|error| self.disk(error, None))?;
                total - 1
            }
            _ => offset,
        };
        let response = match self.open(http, url, offset, partial.record()).await {
            // The server has nothing behind `offset`: what is there may be all, or too much.
            Err(Interrupted::Failed(FailureReason::Status { code: 416, .. })) if offset > 0 => {
                self.open(http, url, 0, None).await
            }
            other => other,
        };
        let response = response.map_err(|interrupted| self.stop(interrupted))?;
        self.receive(response, url, offset, partial).await
    }

    /// Copies the file at `path` into `partial`.
    pub(super) fn copy(self, path: &Path, url: &Url, partial: &mut Partial) -> Result<(), Stop> {
        let unreadable = |source| FailureReason::LocalFile { source };
        let mut file = std::fs::File::open(path).map_err(unreadable)?;
        let total = file.metadata().map_err(unreadable)?.len();
        self.check_size(Some(total))?;
        let record = Record {
            url: url.to_string(),
            etag: None,
            last_modified: None,
            total: Some(total),
        };
        partial
            .restart(record)
            .map_err(|error| self.disk(error, Some(total)))?;
        self.tell(0, Some(total));
        let mut buffer = vec![0; COPY_BUFFER_BYTES];
        loop {
            if self.rules.cancellation.is_cancelled() {
                return Err(self.stop(Interrupted::Cancelled));
            }
            match file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.append(&buffer[..count], Some(total), partial)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(error).into()),
            }
        }
    }

    /// What is there can be continued when the server can be asked for the rest *of the same content*, or when the
    /// digest of the whole will tell.
    fn can_resume(self, url: &Url, partial: &Partial) -> bool {
        partial.record().is_some_and(|record| {
            let same_content = record.url == url.as_str() && validator(record).is_some();
            same_content || self.request.sha256.is_some() && record.total.is_some()
        })
    }

    /// The answer to a request for everything behind `offset`, past Google Drive's page.
    async fn open(
        self,
        http: &Http,
        url: &Url,
        offset: u64,
        record: Option<&Record>,
    ) -> Result<Response, Interrupted> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if offset > 0 {
            headers.insert(
                RANGE,
                HeaderValue::try_from(format!("bytes={offset}-")).map_err(|_| FailureReason::Changed)?,
            );
            let known = record
                .filter(|record| record.url == url.as_str())
                .and_then(validator);
            if let Some(value) = known.and_then(|validator| HeaderValue::try_from(validator).ok()) {
                headers.insert(IF_RANGE, value);
            }
        }
        let (response, from) = http.get(url.clone(), &headers, self.rules).await?;
        if !(google_drive::is_google_drive(&from) && is_html(&response)) {
            return Ok(response);
        }
        let page = self.page(response).await?;
        let next = google_drive::confirmed_url(&page, &from).ok_or_else(|| FailureReason::WebPage {
            title: web_page::title(&page),
        })?;
        Ok(http.get(next, &headers, self.rules).await?.0)
    }

    async fn page(self, mut response: Response) -> Result<String, Interrupted> {
        let mut page = Vec::new();
        while page.len() < LONGEST_PAGE_BYTES {
            match self.rules.wait_for(response.chunk()).await? {
                Ok(Some(chunk)) => page.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(_) => {
                    return Err(FailureReason::Broken {
                        received: page.len() as u64,
                        total: None,
                    }
                    .into());
                }
            }
        }
        Ok(String::from_utf8_lossy(&page).into_owned())
    }

    /// Takes in what the server sends: from `offset` on where it agrees to go on there, else from the beginning.
    async fn receive(
        self,
        mut response: Response,
        url: &Url,
        offset: u64,
        partial: &mut Partial,
    ) -> Result<(), Stop> {
        let total = self.begin(&response, url, offset, partial)?;
        let broken = |partial: &Partial| FailureReason::Broken {
            received: partial.length(),
            total,
        };
        let mut beginning = web_page::Beginning::new(&self.request.destination, partial.length());
        loop {
            match self
                .rules
                .wait_for(response.chunk())
                .await
                .map_err(|interrupted| self.stop(interrupted))?
            {
                Ok(Some(chunk)) => {
                    beginning.look(&chunk)?;
                    self.append(&chunk, total, partial)?;
                }
                Ok(None) => break,
                Err(_) => return Err(broken(partial).into()),
            }
        }
        beginning.end()?;
        match total {
            Some(total) if partial.length() < total => Err(broken(partial).into()),
            _ => Ok(()),
        }
    }

    /// Makes the partial file ready for the answer; gives the size of the whole, where the server tells it.
    fn begin(
        self,
        response: &Response,
        url: &Url,
        offset: u64,
        partial: &mut Partial,
    ) -> Result<Option<u64>, Stop> {
        if let Some(encoding) = text(response, CONTENT_ENCODING).filter(|encoding| encoding != "identity") {
            return Err(FailureReason::Encoding { encoding }.into());
        }
        let total = if response.status().as_u16() == 206 {
            let total = self.check_continuation(response, url, offset, partial)?;
            partial.resume().map_err(|error| self.disk(error, None))?;
            total
        } else {
            let total = response.content_length();
            self.check_size(total)?;
            let record = Record {
                url: url.to_string(),
                etag: text(response, ETAG).filter(|etag| !etag.starts_with("W/")),
                last_modified: text(response, LAST_MODIFIED),
                total,
            };
            partial.restart(record).map_err(|error| self.disk(error, total))?;
            total
        };
        self.check_space(total, partial)?;
        self.tell(partial.length(), total);
        Ok(total)
    }

    /// That a partial answer continues exactly what is there; gives the size of the whole.
    fn check_continuation(
        self,
        response: &Response,
        url: &Url,
        offset: u64,
        partial: &Partial,
    ) -> Result<Option<u64>, FailureReason> {
        let range = text(response, CONTENT_RANGE);
        let (start, total) = range
            .as_deref()
            .and_then(content_range)
            .ok_or(FailureReason::Changed)?;
        let Some(record) = partial.record().filter(|_| start == offset) else {
            return Err(FailureReason::Changed);
        };
        let same_etag = match (&record.etag, text(response, ETAG)) {
            // Mirrors give the same content different names.
            (Some(before), Some(now)) if record.url == url.as_str() => *before == now,
            _ => true,
        };
        let same_total = match (record.total, total) {
            (Some(before), Some(now)) => before == now,
            _ => true,
        };
        if !same_etag || !same_total {
            return Err(FailureReason::Changed);
        }
        Ok(total.or(record.total))
    }

    fn check_size(self, total: Option<u64>) -> Result<(), FailureReason> {
        match (self.request.size, total) {
            (Some(expected), Some(found)) if expected != found => {
                Err(FailureReason::SizeMismatch { expected, found })
            }
            _ => Ok(()),
        }
    }

    /// That the rest fits onto the disk, where the system can say it: better now than after an hour.
    fn check_space(self, total: Option<u64>, partial: &Partial) -> Result<(), Stop> {
        let needed = total.unwrap_or(0).saturating_sub(partial.length());
        let folder = self.request.destination.parent().unwrap_or(Path::new("."));
        match fs4::available_space(folder) {
            Ok(free) if free < needed => Err(self.disk(io::ErrorKind::StorageFull.into(), Some(needed))),
            _ => Ok(()),
        }
    }

    fn append(self, bytes: &[u8], total: Option<u64>, partial: &mut Partial) -> Result<(), Stop> {
        let length = partial.length() + bytes.len() as u64;
        if let Some(expected) = self.request.size.filter(|expected| length > *expected) {
            return Err(FailureReason::SizeMismatch {
                expected,
                found: length,
            }
            .into());
        }
        let rest = total.map(|total| total.saturating_sub(partial.length()));
        partial.append(bytes).map_err(|error| self.disk(error, rest))?;
        self.tell(length, total);
        Ok(())
    }

    fn tell(self, done: u64, total: Option<u64>) {
        self.observer.notice(Event::Downloading {
            file: &self.request.destination,
            done,
            total,
        });
    }

    /// Waits before the next attempt.
    pub(super) fn pause(self, pause: Duration) -> Result<(), Stop> {
        let end = Instant::now() + pause;
        while let Some(rest) = end
            .checked_duration_since(Instant::now())
            .filter(|rest| !rest.is_zero())
        {
            if self.rules.cancellation.is_cancelled() {
                return Err(self.stop(Interrupted::Cancelled));
            }
            std::thread::sleep(rest.min(TICK));
        }
        Ok(())
    }

    fn disk(self, source: io::Error, needed: Option<u64>) -> Stop {
        Stop::Final(DownloadError::file(
            "write the download of",
            &self.request.destination,
            source,
            needed,
        ))
    }

    fn stop(self, interrupted: Interrupted) -> Stop {
        match interrupted {
            Interrupted::Failed(reason) => Stop::Url(reason),
            Interrupted::Cancelled => Stop::Final(DownloadError::Cancelled {
                destination: self.request.destination.clone(),
            }),
        }
    }
}

/// What `If-Range` can name the content by.
fn validator(record: &Record) -> Option<&str> {
    record.etag.as_deref().or(record.last_modified.as_deref())
}

fn text(response: &Response, name: HeaderName) -> Option<String> {
    response
        .headers()
        .get(name)?
        .to_str()
        .ok()
        .map(|text| text.trim().to_owned())
}

fn is_html(response: &Response) -> bool {
    text(response, reqwest::header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html"))
}

/// Start and whole size of `bytes START-END/TOTAL`, where the total may be `*`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    Some((start.trim().parse().ok()?, total))
}

#[cfg(test)]
mod tests {
    use super::content_range;

    #[test]
    fn content_ranges_are_understood() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        for text in [
            "",
            "bytes */10",
            "bytes 5-9",
            "octets 5-9/10",
            "bytes x-9/10",
            "bytes 5-9/ten",
        ] {
            assert_eq!(content_range(text), None, "{text}");
        }
    }
}
