//! ssh: the user's own program, with his configuration, keys, agent and known hosts, as `git` itself does it.
use super::stream::{Broken, Patience, Piece};
use crate::download::{CONNECT_TIMEOUT, TICK};
use percent_encoding::percent_decode_str;
use std::{
    ffi::OsString,
    io::{self, Read, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread::JoinHandle,
    time::Instant,
};
use url::Url;

/// The shell command that a user has `git` run instead of `ssh`.
const COMMAND_VARIABLE: &str = "GIT_SSH_COMMAND";

const PIECE_BYTES: usize = 64 << 10;
/// How many pieces may wait to be read.
const PIECES: usize = 4;
/// What a program complains is rarely longer.
const MOST_COMPLAINT_BYTES: u64 = 16 << 10;

/// Where a repository is on which server.
#[derive(Debug, PartialEq, Eq)]
struct Address {
    /// With the user, if one is named.
    host: String,
    port: Option<u16>,
    path: String,
}

impl Address {
    /// `ssh://user@host:port/path` or `user@host:path`.
    fn parse(url: &str) -> Option<Self> {
        let with_user = |user: &str, host: &str| match user {
            "" => host.to_owned(),
            user => format!("{user}@{host}"),
        };
        let Some(rest) = url.strip_prefix("ssh://") else {
            let (host, path) = url.split_once(':')?;
            return Some(Self {
                host: host.to_owned(),
                port: None,
                path: path.to_owned(),
            });
        };
        let parsed = Url::parse(&format!("ssh://{rest}")).ok()?;
        let decoded = |text| percent_decode_str(text).decode_utf8().ok();
        let host = parsed.host_str()?.trim_matches(['[', ']']);
        let path = decoded(parsed.path())?;
        Some(Self {
            host: with_user(&decoded(parsed.username())?, host),
            port: parsed.port(),
            // `/~user/repository` is in the home of that user.
            path: if path.starts_with("/~") {
                path[1..].to_owned()
            } else {
                path.into_owned()
            },
        })
    }

    /// What `ssh` is started with.
    fn arguments(&self) -> Vec<OsString> {
        let port = self.port.map(|port| ["-p".to_owned(), port.to_string()]);
        let quoted = self.path.replace('\'', r"'\''");
        // What comes after `--` is no option, whatever it looks like.
        let rest = [
            "--".to_owned(),
            self.host.clone(),
            format!("git-upload-pack '{quoted}'"),
        ];
        let all = port.into_iter().flatten().chain(rest);
        all.map(OsString::from).collect()
    }
}

pub(in crate::git) struct SshConnection {
    url: String,
    patience: Patience,
}

impl SshConnection {
    pub(in crate::git) fn new(url: &str, patience: Patience) -> Self {
        Self {
            url: url.to_owned(),
            patience,
        }
    }

    pub(super) fn patience(&self) -> &Patience {
        &self.patience
    }

    /// Starts `git-upload-pack` on the server.
    pub(super) fn converse(&self) -> Result<Conversation, Broken> {
        let patience = self.patience.clone();
        let failed = |problem: String| {
            let broken = Broken::Network(problem);
            patience.broke(broken.clone());
            broken
        };
        let address = Address::parse(&self.url)
            .ok_or_else(|| failed(format!("`{}` is no address of an ssh server", self.url)))?;
        let mut child = command(&address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(format!("`ssh` cannot be run: {error}")))?;
        let (Some(input), Some(output), Some(complaints)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            unreachable!("all three are piped");
        };
        let (sender, pieces) = sync_channel(PIECES);
        std::thread::spawn(move || pass_on(output, &sender));
        let complaints = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = complaints.take(MOST_COMPLAINT_BYTES).read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        Ok(Conversation {
            child,
            input: Some(input),
            pieces,
            piece: Piece::default(),
            has_answered: false,
            complaints: Some(complaints),
            patience,
        })
    }
}

/// `ssh` never asks anything here: there may be nobody to answer.
fn command(address: &Address) -> Command {
    let options = [
        "-o".to_owned(),
        "BatchMode=yes".to_owned(),
        "-o".to_owned(),
        format!("ConnectTimeout={}", CONNECT_TIMEOUT.as_secs()),
    ];
    let mut command = match std::env::var_os(COMMAND_VARIABLE) {
        Some(line) if !line.is_empty() => {
            let mut command = Command::new("sh");
            let mut script = line;
            script.push(" \"$@\"");
            command.arg("-c").arg(script).arg("ssh");
            command
        }
        _ => Command::new("ssh"),
    };
    command.args(options).args(address.arguments());
    command
}

/// Passes on what the program writes, until nobody listens any more.
fn pass_on(mut output: impl Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut bytes = vec![0; PIECE_BYTES];
        let piece = match output.read(&mut bytes) {
            Ok(0) => return,
            Ok(length) => {
                bytes.truncate(length);
                Ok(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_last = piece.is_err();
        if sender.send(piece).is_err() || is_last {
            return;
        }
    }
}

/// A program that runs, and ends when this is dropped.
pub(super) struct Conversation {
    child: Child,
    input: Option<ChildStdin>,
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Piece,
    has_answered: bool,
    complaints: Option<JoinHandle<String>>,
    patience: Patience,
}

impl Conversation {
    fn next_piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        let start = Instant::now();
        loop {
            match self.pieces.recv_timeout(TICK) {
                Ok(piece) => return piece.map(Some),
                Err(RecvTimeoutError::Disconnected) if self.has_answered => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => {
                    let complaint = self.complaints.take().and_then(|thread| thread.join().ok());
                    return Err(self.patience.broke(meaning(&complaint.unwrap_or_default())));
                }
                Err(RecvTimeoutError::Timeout) if self.patience.cancellation.is_cancelled() => {
                    return Err(self.patience.broke(Broken::Cancelled));
                }
                Err(RecvTimeoutError::Timeout) if start.elapsed() >= self.patience.stall_timeout => {
                    return Err(self.patience.broke(Broken::Stalled));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Read for Conversation {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            match self.next_piece()? {
                Some(bytes) => self.piece = Piece::new(bytes),
                None => return Ok(0),
            }
            self.has_answered = true;
        }
        Ok(self.piece.read(buffer))
    }
}

impl Write for Conversation {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.input {
            Some(input) => input.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.input.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.input = None;
        // It has said all that it is going to be asked; if it has ended by itself, both fail.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What OpenSSH's complaint means.
fn meaning(complaint: &str) -> Broken {
    let says = |text: &str| complaint.contains(text);
    if says("Host key verification failed") || says("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        Broken::UnknownHost
    } else if says("Permission denied") || says("Too many authentication failures") {
        Broken::Authentication { refused: has_keys() }
    } else {
        let last = complaint.lines().rfind(|line| !line.trim().is_empty());
        Broken::Network(last.unwrap_or("the server hung up").trim().to_owned())
    }
}

/// Whether there is anything that `ssh` could have shown.
fn has_keys() -> bool {
    const FILES: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];
    // Elsewhere the agent has no such place.
    let has_agent =
        !cfg!(unix) || std::env::var_os("SSH_AUTH_SOCK").is_some_and(|socket| Path::new(&socket).exists());
    has_agent
        || etcetera::home_dir()
            .is_ok_and(|home| FILES.iter().any(|file| home.join(".ssh").join(file).is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        for (url, host, port, path) in [
            ("ssh://git@host:2222/a/b", "git@host", Some(2222), "/a/b"),
            ("ssh://host/a%20b", "host", None, "/a b"),
            ("ssh://git@[::1]/~me/b", "git@::1", None, "~me/b"),
            ("git@host:a/b", "git@host", None, "a/b"),
        ] {
            let expected = Address {
                host: host.to_owned(),
                port,
                path: path.to_owned(),
            };
            assert_eq!(Address::parse(url), Some(expected), "{url}");
        }
        assert_eq!(Address::parse("no address"), None);
    }

    #[test]
    fn nothing_in_an_address_is_an_option_or_a_command() {
        let address = Address::parse("ssh://host/a'; touch x; '").expect("an address");
        let arguments = address.arguments();
        assert_eq!(arguments[..2], ["--", "host"]);
        assert_eq!(arguments[2], r"git-upload-pack '/a'\''; touch x; '\'''");
    }

    #[test]
    fn complaints_are_understood() {
        for (complaint, broken) in [
            (
                "Host key verification failed.\r\n",
                "the server's key is not known",
            ),
            (
                "me@host: Permission denied (publickey).\r\n",
                "the server wants credentials",
            ),
            (
                "fatal: '/x' does not appear to be a git repository\n\n",
                "fatal: '/x' does not appear to be a git repository",
            ),
            ("", "the server hung up"),
        ] {
            assert_eq!(meaning(complaint).to_string(), broken);
        }
    }
}
