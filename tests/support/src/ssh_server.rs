//! A real sshd on a free port of this machine, and an agent with the key that it lets in.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A running server and agent; they end when this is dropped.
pub struct SshServer {
    folder: tempfile::TempDir,
    port: u16,
    processes: Vec<Child>,
}

impl SshServer {
    /// Starts them; nothing (and a line that says so) where there is no sshd.
    pub fn start() -> Option<Self> {
        let sshd = Path::new("/usr/sbin/sshd");
        if !sshd.exists() {
            eprintln!("skipped: there is no sshd here");
            return None;
        }
        // What sshd, as root, wants to exist.
        let _ = fs::create_dir_all("/run/sshd");
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        for key in ["host", "user"] {
            run(Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(place(key)));
        }
        // Free now, and most probably still free in a moment.
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n",
            place("host").display(),
            place("user.pub").display(),
        );
        fs::write(place("config"), config).unwrap();
        let processes = vec![
            Command::new(sshd)
                .args(["-D", "-q", "-f"])
                .arg(place("config"))
                .spawn()
                .unwrap(),
            Command::new("ssh-agent")
                .args(["-D", "-a"])
                .arg(place("agent"))
                .stdout(Stdio::null())
                .spawn()
                .unwrap(),
        ];
        let server = Self {
            folder,
            port,
            processes,
        };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() || !server.agent().exists() {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "sshd or ssh-agent does not start"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        run(Command::new("ssh-add")
            .arg("-q")
            .arg(server.folder.path().join("user"))
            .env("SSH_AUTH_SOCK", server.agent()));
        Some(server)
    }

    /// The URL of a repository on this machine.
    pub fn url(&self, repository: &Path) -> String {
        let user = Command::new("id").arg("-un").output().unwrap();
        let user = String::from_utf8(user.stdout).unwrap();
        format!(
            "ssh://{}@127.0.0.1:{}{}",
            user.trim(),
            self.port,
            repository.display()
        )
    }

    /// The agent's socket, for `SSH_AUTH_SOCK`.
    pub fn agent(&self) -> PathBuf {
        self.folder.path().join("agent")
    }

    /// The file with the key.
    pub fn key_file(&self) -> PathBuf {
        self.folder.path().join("user")
    }

    /// The line of a `known_hosts` file for this server.
    pub fn known_host(&self) -> String {
        let key = fs::read_to_string(self.folder.path().join("host.pub")).unwrap();
        format!("[127.0.0.1]:{} {key}", self.port)
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}
