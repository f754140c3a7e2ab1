//! A real Git server: `git http-backend` behind a small HTTP server that runs it as CGI.
use crate::http_server::{Answer, Seen};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

/// Serves all repositories below a folder over HTTP, on a free port of this machine.
pub struct GitServer {
    address: String,
    shared: Arc<Shared>,
}

struct Shared {
    root: PathBuf,
    /// What the Authorization header must be, for any answer but 401.
    authorization: Option<String>,
    /// Where every request is redirected to.
    redirect: Option<String>,
    /// What is answered instead of Git.
    instead: Option<Instead>,
    requests: Mutex<Vec<Request>>,
}

type Instead = Box<dyn Fn(&Seen) -> Option<Answer> + Send + Sync>;

/// What a client asked.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub authorization: Option<String>,
}

impl GitServer {
    pub fn open(root: &Path) -> Self {
        Self::start(root, None, None, None)
    }

    /// A server that wants this token as the password of `x-access-token`, as GitHub does.
    pub fn with_token(root: &Path, token: &str) -> Self {
        Self::start(root, Some(authorization(token)), None, None)
    }

    /// A server that sends those who know its token to another one.
    pub fn redirecting_members(token: &str, to: &str) -> Self {
        Self::start(
            Path::new("/"),
            Some(authorization(token)),
            Some(to.to_owned()),
            None,
        )
    }

    /// A server that sends everybody to another one.
    pub fn redirecting(to: &str) -> Self {
        Self::start(Path::new("/"), None, Some(to.to_owned()), None)
    }

    /// A server that gives what `instead` says, and answers as Git where it says nothing.
    pub fn with_files(
        root: &Path,
        instead: impl Fn(&Seen) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        Self::start(root, None, None, Some(Box::new(instead)))
    }

    fn start(
        root: &Path,
        authorization: Option<String>,
        redirect: Option<String>,
        instead: Option<Instead>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Mutex::default();
        let shared = Arc::new(Shared {
            root: root.to_owned(),
            authorization,
            redirect,
            instead,
            requests,
        });
        let server = Arc::clone(&shared);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let server = Arc::clone(&server);
                std::thread::spawn(move || server.answer(connection.unwrap()));
            }
        });
        Self { address, shared }
    }

    /// `http://127.0.0.1:PORT/`
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }
}

impl Shared {
    fn answer(&self, connection: TcpStream) {
        let mut reader = BufReader::new(connection.try_clone().unwrap());
        // A connection may carry several requests, one after the other.
        while let Some((request, headers)) = read_head(&mut reader) {
            let header = |name: &str| {
                headers
                    .iter()
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.as_str())
            };
            let body = read_body(&mut reader, header("content-length"), header("transfer-encoding"));
            self.requests.lock().unwrap().push(request.clone());
            if let Some(answer) = self.instead.as_ref().and_then(|instead| {
                instead(&Seen::new(
                    request.target.clone(),
                    headers.iter().cloned().collect(),
                ))
            }) {
                // The client may be gone by now, as some tests want it.
                let _ = answer.send(connection);
                return;
            }
            let answer = if self.authorization.is_some() && request.authorization != self.authorization {
                b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\n\r\n".to_vec()
            } else if let Some(to) = &self.redirect {
                let location = format!("{to}{}", request.target.trim_start_matches('/'));
                format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
                    .into_bytes()
            } else {
                self.run_backend(&request, &headers, &body)
            };
            if (&connection).write_all(&answer).is_err() {
                return;
            }
        }
    }

    fn run_backend(&self, request: &Request, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
        let header = |name: &str| {
            headers
                .iter()
                .find(|(key, _)| key == name)
                .map_or("", |(_, value)| value.as_str())
        };
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let mut backend = Command::new("git")
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "safe.directory")
            .env("GIT_CONFIG_VALUE_0", "*")
            .env("PATH_INFO", path)
            .env("QUERY_STRING", query)
            .env("REQUEST_METHOD", &request.method)
            .env("CONTENT_TYPE", header("content-type"))
            .env("CONTENT_LENGTH", body.len().to_string())
            .env("GIT_PROTOCOL", header("git-protocol"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = backend.stdin.take().unwrap();
        let body = body.to_vec();
        let writer = std::thread::spawn(move || input.write_all(&body));
        let output = backend.wait_with_output().unwrap().stdout;
        // A backend that ends early need not have read everything.
        let _ = writer.join().unwrap();
        let split = output
            .windows(4)
            .position(|bytes| bytes == b"\r\n\r\n")
            .unwrap_or(output.len());
        let head = String::from_utf8_lossy(&output[..split]).into_owned();
        let content = output.get(split + 4..).unwrap_or_default();
        let status = head
            .lines()
            .find_map(|line| line.strip_prefix("Status: "))
            .unwrap_or("200 OK");
        let mut answer = format!("HTTP/1.1 {status}\r\n");
        for line in head
            .lines()
            .filter(|line| !line.starts_with("Status:") && !line.is_empty())
        {
            answer.push_str(&format!("{line}\r\n"));
        }
        answer.push_str(&format!("Content-Length: {}\r\n\r\n", content.len()));
        [answer.as_bytes(), content].concat()
    }
}

fn read_head(reader: &mut impl BufRead) -> Option<(Request, Vec<(String, String)>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            Some((key, value)) => headers.push((key.to_ascii_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    let authorization = headers
        .iter()
        .find(|(key, _)| key == "authorization")
        .map(|(_, value)| value.clone());
    Some((
        Request {
            method,
            target,
            authorization,
        },
        headers,
    ))
}

fn read_body(reader: &mut impl BufRead, length: Option<&str>, encoding: Option<&str>) -> Vec<u8> {
    let mut body = Vec::new();
    if encoding == Some("chunked") {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let size = u64::from_str_radix(line.trim(), 16).unwrap();
            reader.by_ref().take(size).read_to_end(&mut body).unwrap();
            reader.read_line(&mut line).unwrap();
            if size == 0 {
                return body;
            }
        }
    }
    let length = length.map_or(0, |length| length.parse().unwrap());
    reader.by_ref().take(length).read_to_end(&mut body).unwrap();
    body
}

/// What a client that knows `token` sends.
fn authorization(token: &str) -> String {
    format!("Basic {}", base64(format!("x-access-token:{token}").as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0u32, |group, &byte| group << 8 | u32::from(byte))
            << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * index)) as usize & 63] as char;
            text.push(if index <= chunk.len() { digit } else { '=' });
        }
    }
    text
}
