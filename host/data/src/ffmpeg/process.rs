//! FFmpeg's processes: limited in memory, ended when they give no sign of life, and never left behind.

use std::{
    io,
    process::{Child, Command, ExitStatus},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

/// So long a process may be waited for without a sign of life: decoding a frame takes seconds at worst.
pub(crate) const SILENCE_LIMIT: Duration = Duration::from_secs(60);

/// How often the watch looks at its process.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// A process that ends when this is dropped, when this program ends, or when it has given no sign of life for too long
/// while somebody waited for it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Arc<Mutex<Child>>,
    pulse: Pulse,
    /// Dropping it ends the watch.
    _watch: mpsc::Sender<()>,
}

/// Signs of life, and whether somebody waits for the next.
#[derive(Clone, Debug)]
pub(crate) struct Pulse(Arc<PulseState>);

#[derive(Debug)]
struct PulseState {
    began: Instant,
    /// When the last sign came, in milliseconds.
    last: AtomicU64,
    is_awaited: AtomicBool,
    given_up: AtomicBool,
}

impl Pulse {
    pub fn new() -> Self {
        Self(Arc::new(PulseState {
            began: Instant::now(),
            last: AtomicU64::new(0),
            is_awaited: AtomicBool::new(false),
            given_up: AtomicBool::new(false),
        }))
    }

    /// Notes a sign of life.
    pub fn beat(&self) {
        let now = self.0.began.elapsed().as_millis() as u64;
        self.0.last.store(now, Ordering::Relaxed);
    }

    /// Does what waits for the process; the time before does not count as its silence.
    pub fn while_waiting<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.beat();
        self.0.is_awaited.store(true, Ordering::Relaxed);
        let waited = wait();
        self.0.is_awaited.store(false, Ordering::Relaxed);
        waited
    }

    fn is_silent_for(&self, limit: Duration) -> bool {
        let last = Duration::from_millis(self.0.last.load(Ordering::Relaxed));
        self.0.is_awaited.load(Ordering::Relaxed) && self.0.began.elapsed().saturating_sub(last) > limit
    }
}

impl Process {
    /// Starts a command whose process may take `memory` bytes, and be silent for `silence` while it is waited for.
    /// Gives its pipes within the child.
    pub fn spawn(
        command: Command,
        memory: u64,
        silence: Duration,
        take_pipes: impl FnOnce(&mut Child),
    ) -> io::Result<Self> {
        let mut child = spawn_for_good(command)?;
        limit_memory(&child, memory);
        take_pipes(&mut child);
        let child = Arc::new(Mutex::new(child));
        let pulse = Pulse::new();
        let (watch, ended) = mpsc::channel();
        let (watched, seen) = (Arc::clone(&child), pulse.clone());
        thread::spawn(move || {
            while ended.recv_timeout(WATCH_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                if seen.is_silent_for(silence) {
                    seen.0.given_up.store(true, Ordering::Relaxed);
                    kill(&watched);
                    return;
                }
            }
        });
        Ok(Self {
            child,
            pulse,
            _watch: watch,
        })
    }

    /// To tell of signs of life.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Whether it was ended because it gave no sign of life.
    pub fn was_given_up(&self) -> bool {
        self.pulse.0.given_up.load(Ordering::Relaxed)
    }

    /// Waits for its end.
    pub fn wait(&self) -> io::Result<ExitStatus> {
        self.pulse.while_waiting(|| {
            // The lock must not be held meanwhile: the watch needs it.
            for pause in (0..).map(|round: u32| Duration::from_micros(200 << round.min(6))) {
                let status = lock(&self.child).try_wait()?;
                if let Some(status) = status {
                    return Ok(status);
                }
                thread::sleep(pause);
            }
            unreachable!("there is no end to the pauses");
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        kill(&self.child);
    }
}

fn lock(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kill(child: &Mutex<Child>) {
    let mut child = lock(child);
    // It may have ended by itself; then there is nothing to kill, and waiting only collects it.
    let _ = child.kill();
    let _ = child.wait();
}

/// Starts a command on a thread that lives as long as this program: the system ends a child on a leash when the
/// *thread* ends that has started it.
pub(crate) fn spawn_for_good(command: Command) -> io::Result<Child> {
    type Order = (Command, mpsc::Sender<io::Result<Child>>);
    static STARTER: OnceLock<Mutex<mpsc::Sender<Order>>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (orders, taken) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, reply) in taken {
                // Who ordered it waits for the reply.
                let _ = reply.send(command.spawn());
            }
        });
        Mutex::new(orders)
    });
    let (reply, started) = mpsc::channel();
    let gone = || io::Error::other("the thread that starts programs has ended");
    starter
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send((command, reply))
        .map_err(|_| gone())?;
    started.recv().map_err(|_| gone())?
}

/// Limits what the process may write to in memory of its own. A limit that cannot be set is no reason not to go on.
#[cfg(target_os = "linux")]
fn limit_memory(child: &Child, bytes: u64) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = prlimit(Some(pid), Resource::Data, limit);
    }
}

#[cfg(not(target_os = "linux"))]
fn limit_memory(_child: &Child, _bytes: u64) {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    #[test]
    fn a_silent_process_is_ended_while_it_is_waited_for() {
        let mut command = Command::new("sleep");
        command.arg("600");
        let limit = Duration::from_millis(100);
        let process = Process::spawn(command, 1 << 30, limit, |_| ()).unwrap();
        thread::sleep(WATCH_INTERVAL * 2);
        assert!(!process.was_given_up(), "nobody waits for it yet");
        assert!(!process.wait().unwrap().success());
        assert!(process.was_given_up());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_has_a_limit() {
        let mut command = Command::new("sh");
        // Of a gigabyte.
        command.args([
            "-c",
            "read wait; head -c 1000000000 /dev/zero | tail -c 900000000 | wc -c",
        ]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut pipes = None;
        let take = |child: &mut Child| pipes = child.stdin.take().zip(child.stdout.take());
        let process = Process::spawn(command, 100 << 20, Duration::from_secs(60), take).unwrap();
        let (stdin, stdout) = pipes.unwrap();
        drop(stdin);
        process.wait().unwrap();
        let counted = io::read_to_string(stdout).unwrap();
        assert_ne!(counted.trim(), "900000000");
    }
}
