//! An HTTP server on the loopback that misbehaves as told.
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

/// One request as it came in.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    headers: BTreeMap<String, String>,
}

impl Seen {
    pub(crate) fn new(path: String, headers: BTreeMap<String, String>) -> Self {
        Self { path, headers }
    }

    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Where a `Range: bytes=N-` begins.
    pub fn range_start(&self) -> Option<usize> {
        self.header("range")?
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()
    }
}

/// What the server sends, and how badly.
#[derive(Clone, Debug)]
pub struct Answer {
    status: &'static str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    length: Option<usize>,
    cut_at: Option<usize>,
    stall_at: Option<usize>,
    pause: Duration,
}

impl Answer {
    pub fn new(status: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = Some(body.len());
        Self {
            status,
            headers: Vec::new(),
            body,
            length,
            cut_at: None,
            stall_at: None,
            pause: Duration::ZERO,
        }
    }

    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new("200 OK", body)
    }

    pub fn redirect(to: impl Into<String>) -> Self {
        Self::new("302 Found", "").header("Location", to)
    }

    /// The whole `body`, or its rest when the request has a range whose `If-Range`, if any, is `etag`.
    pub fn with_ranges(seen: &Seen, body: &[u8], etag: &str) -> Self {
        let current = seen.header("if-range").is_none_or(|known| known == etag);
        let answer = match seen.range_start().filter(|_| current) {
            Some(start) if start < body.len() => Self::new("206 Partial Content", &body[start..]).header(
                "Content-Range",
                format!("bytes {start}-{}/{}", body.len() - 1, body.len()),
            ),
            Some(_) => Self::new("416 Range Not Satisfiable", ""),
            None => Self::ok(body),
        };
        answer.header("ETag", etag)
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Says another `Content-Length` than the body has, or none.
    pub fn claiming(mut self, length: Option<usize>) -> Self {
        self.length = length;
        self
    }

    /// Closes the connection after this many bytes of the body.
    pub fn cut_at(mut self, bytes: usize) -> Self {
        self.cut_at = Some(bytes);
        self
    }

    /// Sends nothing more after this many bytes, but keeps the connection.
    pub fn stall_at(mut self, bytes: usize) -> Self {
        self.stall_at = Some(bytes);
        self
    }

    /// Waits this long after each tenth of the body.
    pub fn slowly(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    pub(crate) fn send(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {}\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(length) = self.length {
            head += &format!("Content-Length: {length}\r\n");
        }
        stream.write_all((head + "\r\n").as_bytes())?;
        let end = self
            .cut_at
            .or(self.stall_at)
            .unwrap_or(self.body.len())
            .min(self.body.len());
        for piece in self.body[..end].chunks(end.div_ceil(10).max(1)) {
            stream.write_all(piece)?;
            stream.flush()?;
            std::thread::sleep(self.pause);
        }
        if self.stall_at.is_some() {
            // Until the client gives up.
            let _ = stream.read(&mut [0]);
        }
        Ok(())
    }
}

/// A running server; it ends with the test process.
pub struct Server {
    address: String,
    log: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// A server that answers the request number `n` (from 0) with what `answer` gives.
    pub fn start(answer: impl Fn(usize, &Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (seen_by_server, answer) = (Arc::clone(&log), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, answer) = (Arc::clone(&seen_by_server), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let stream = stream.unwrap();
                    let Some(seen) = read_request(&stream) else { return };
                    let number = {
                        let mut log = log.lock().unwrap();
                        log.push(seen.clone());
                        log.len() - 1
                    };
                    // The client may be gone by now, as some tests want it.
                    let _ = answer(number, &seen).send(stream);
                });
            }
        });
        Self { address, log }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }
}

fn read_request(stream: &TcpStream) -> Option<Seen> {
    let mut lines = BufReader::new(stream).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    let headers = lines
        .map_while(|line| line.ok().filter(|line| !line.is_empty()))
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect();
    Some(Seen { path, headers })
}
