//! A worker process as its host sees it: started, asked, and buried.

use super::{
    WorkerSettings,
    channel::{Receiver, Sender, channel},
    death::{Cause, Death},
    environment,
    folder::WorkerFolder,
    frame,
    line::{Broken, Line},
    liveness::Liveness,
    mark::Mark,
    protocol::{
        Answer, CodeName, MethodCall, Opened, PROTOCOL_VERSION, Question, Ready, WORKER_ARGUMENT,
        WORKER_VARIABLE,
    },
    stderr::LastLines,
};
use crate::{
    LibraryError, RuntimeError, Sandbox, SandboxLayer,
    runner::{LoadFailure, PluginServices},
    shared_memory::SharedMemory,
};
use modelzoo_base::{file::about, process::end_within};
use modelzoo_plugin_api::{Error as PluginError, ErrorKind, message};
use modelzoo_sandbox::{Conduct, Confinement};
use std::{
    cell::Cell,
    convert::Infallible,
    io,
    net::Shutdown,
    os::unix::{net::UnixStream, process::CommandExt as _},
    panic::{AssertUnwindSafe, catch_unwind},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// How long a program may take from its start until it says that it is a worker.
const START_TIME: Duration = Duration::from_secs(30);
/// How long a worker may take to end when it should, or to stop what it does when the user cancels.
const GRACE: Duration = Duration::from_secs(5);
/// How long a worker may take to end when nobody asks it anything any more.
const FAREWELL: Duration = Duration::from_secs(1);

/// The variables that tell a program where its temporary files go.
const TEMPORARY_FOLDER: [&str; 3] = ["TMPDIR", "TMP", "TEMP"];

/// A running worker. Dropping it ends the process.
pub(super) struct Worker {
    line: Line,
    /// Which item of a batch it is at, where it tells.
    mark: Option<Mark>,
    /// The socket on which the keeper serves the plugin; closing it lets the keeper end the process.
    services_socket: UnixStream,
    child: Arc<Mutex<Child>>,
    /// Says nothing, and is closed when the keeper has ended.
    keeper: Mutex<mpsc::Receiver<Infallible>>,
    last_lines: LastLines,
    stderr_reader: JoinHandle<()>,
    services: Arc<PluginServices>,
    liveness: Arc<Liveness>,
    stall_timeout: Duration,
}

/// Why a question brought no answer.
#[derive(Debug)]
pub(super) enum AskFailure {
    /// The library cannot be used.
    Refused(LibraryError),
    /// Layers of the sandbox that must be had are missing.
    NotShutIn(Vec<SandboxLayer>),
    /// The plugin gave an error.
    Failed(PluginError),
    /// The worker ended over this question. It must not be asked again.
    Died(Death),
    /// The worker ended without having got to this question. It must not be asked again.
    NotAsked,
}

impl From<AskFailure> for LoadFailure {
    fn from(failure: AskFailure) -> Self {
        match failure {
            AskFailure::Refused(error) => Self::Library(error),
            AskFailure::NotShutIn(missing) => Self::NotShutIn(missing),
            AskFailure::Failed(error) => Self::Plugin(error),
            AskFailure::Died(death) => Self::Died(death.into()),
            // Whoever asks one question after the other never sees this.
            AskFailure::NotAsked => Self::Plugin(PluginError::new("the plugin's process has ended")),
        }
    }
}

impl Worker {
    /// Starts a worker and opens the plugin in it, which may reach what `widened` adds to what every plugin may. What it is
    /// asked lies in `memory`, where there is one.
    pub(super) fn start(
        settings: &WorkerSettings,
        services: &Arc<PluginServices>,
        memory: Option<Arc<SharedMemory>>,
        widened: impl FnOnce(Confinement) -> Confinement,
    ) -> Result<(Self, Opened), LoadFailure> {
        let cannot_start = |source| {
            LoadFailure::Runtime(RuntimeError::WorkerStart {
                program: settings.program.clone(),
                source: about(&settings.program, source),
            })
        };
        if std::env::var_os(WORKER_VARIABLE).is_some() {
            // Without this, a program that forgets the call would start itself again and again.
            return Err(cannot_start(io::Error::other(
                "it was itself started as a worker, but does not call `run_worker_if_asked()`",
            )));
        }
        let folder = WorkerFolder::new().map_err(cannot_start)?;
        // The program, for the names in a backtrace.
        let least = Confinement::new(settings.sandbox, Conduct::Computes)
            .with_read(&settings.program)
            .with_write(folder.path());
        let least = match settings.code.library() {
            Some(library) => least.with_read(library),
            None => least,
        };
        let question = Question::Open {
            code: CodeName::from(&settings.code),
            confinement: widened(least),
        };
        let worker = Self::spawn(settings, services, memory, folder).map_err(cannot_start)?;
        let (opened, _) = worker.ask(&question, &[])?;
        Ok((worker, message::decode(&opened)?))
    }

    /// Starts the process. Its standard input and output are the sockets: they need no numbers to be agreed on.
    /// What it leaves in `folder` is deleted after its end.
    fn spawn(
        settings: &WorkerSettings,
        services: &Arc<PluginServices>,
        memory: Option<Arc<SharedMemory>>,
        folder: WorkerFolder,
    ) -> io::Result<Self> {
        let (questions, questions_end) = UnixStream::pair()?;
        let (services_socket, services_end) = UnixStream::pair()?;
        let mut command = Command::new(&settings.program);
        command
            .arg(WORKER_ARGUMENT)
            .env_clear()
            .envs(environment::allowed())
            .env(WORKER_VARIABLE, std::process::id().to_string())
            .stdin(Stdio::from(std::os::fd::OwnedFd::from(questions_end)))
            .stdout(Stdio::from(std::os::fd::OwnedFd::from(services_end)))
            .stderr(Stdio::piped())
            // Control-C at the terminal is for the host to act on.
            .process_group(0);
        if settings.sandbox != Sandbox::Off {
            command.envs(TEMPORARY_FOLDER.map(|variable| (variable, folder.path())));
        }
        let liveness = Arc::new(Liveness::new());
        let (child, keeper) = keep(
            (command, folder),
            channel(services_socket.try_clone()?)?,
            Arc::clone(services),
            Arc::clone(&liveness),
        )?;
        let stderr = lock(&child).stderr.take();
        let (last_lines, stderr_reader) = LastLines::of(stderr.ok_or(io::ErrorKind::BrokenPipe)?);
        let (sender, mut receiver) = channel(questions)?;
        let ready = wait_until_ready(&mut receiver);
        let mut worker = Self {
            line: Line::new(sender.with_memory(memory), receiver),
            mark: None,
            services_socket,
            child,
            keeper: Mutex::new(keeper),
            last_lines,
            stderr_reader,
            services: Arc::clone(services),
            liveness,
            stall_timeout: settings.stall_timeout,
        };
        match ready {
            Ok(mark) => {
                worker.mark = mark;
                Ok(worker)
            }
            Err(Unready::Wrong(error)) => Err(error),
            Err(Unready::Ended(error)) => {
                let death = worker.bury(error, None);
                Err(io::Error::other(format!("it ended before it was ready: {death}")))
            }
        }
    }

    /// The number of the process.
    pub(super) fn process_id(&self) -> u32 {
        lock(&self.child).id()
    }

    /// Whether it can be asked: it has not ended.
    pub(super) fn is_alive(&self) -> bool {
        matches!(lock(&self.child).try_wait(), Ok(None))
    }

    /// Asks the worker and waits for its answer. Several threads may ask; the worker answers one after the other.
    pub(super) fn ask(
        &self,
        question: &Question,
        buffers: &[&[u8]],
    ) -> Result<(Vec<u8>, Vec<Vec<u8>>), AskFailure> {
        if let Err(error) = frame::check_lengths(buffers.iter().map(|buffer| buffer.len())) {
            // This is no fault of the worker, which never sees it.
            return Err(AskFailure::Failed(
                PluginError::from(error).with_kind(ErrorKind::InvalidInput),
            ));
        }
        let (cancelled, impatience) = (Cell::new(None), Cell::new(None));
        let go_on = || {
            if self.services.is_cancelled() && cancelled.get().is_none() {
                cancelled.set(Some(Instant::now()));
            }
            if cancelled
                .get()
                .is_some_and(|since: Instant| since.elapsed() > GRACE)
            {
                impatience.set(Some(Cause::Cancelled));
            } else if self.liveness.silence() > self.stall_timeout {
                impatience.set(Some(Cause::Stalled(self.stall_timeout)));
            } else {
                return Ok(());
            }
            Err(io::ErrorKind::TimedOut.into())
        };
        let asked = self
            .line
            .ask(question, buffers, Some(&go_on), || self.liveness.note());
        let answer = asked.and_then(|turn| turn.answer(Some(&go_on)));
        match answer {
            Ok((answer, buffers)) => {
                // Another question may be under way.
                self.liveness.note();
                match answer {
                    Answer::Done(message) => Ok((message, buffers)),
                    Answer::Refused(error) => Err(AskFailure::Refused(error)),
                    Answer::NotShutIn(missing) => Err(AskFailure::NotShutIn(missing)),
                    Answer::Failed(error) => Err(AskFailure::Failed(error)),
                }
            }
            Err(Broken::Here(error)) => Err(AskFailure::Died(self.bury(error, impatience.into_inner()))),
            Err(Broken::Elsewhere) => Err(AskFailure::NotAsked),
        }
    }

    /// The index of the item of the batch that the worker was at when it died, where it told.
    pub(super) fn marked_item(&self) -> Option<usize> {
        self.mark.as_ref()?.item()
    }

    /// Ends the process, where it has not ended by itself, and tells how it ended.
    fn bury(&self, error: io::Error, impatience: Option<Cause>) -> Death {
        let has_ended = matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
        );
        let status = reap(&self.child, if has_ended { GRACE } else { Duration::ZERO });
        // Its last words may still be in the pipe.
        let started = Instant::now();
        while !self.stderr_reader.is_finished() && started.elapsed() < GRACE / 10 {
            std::thread::sleep(Duration::from_millis(1));
        }
        let cause = match (impatience, status) {
            (Some(cause), _) => cause,
            (None, Ok(status)) if has_ended => Cause::Exited(status),
            (None, Ok(_)) => Cause::Confused(error),
            (None, Err(error)) => Cause::Confused(error),
        };
        Death {
            cause,
            last_lines: self.last_lines.get(),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Nobody asks any more, so it ends, or is ended.
        self.line.close();
        if let Err(error) = reap(&self.child, FAREWELL) {
            tracing::warn!(%error, "cannot end a worker");
        }
        // An error means that it is closed already.
        let _ = self.services_socket.shutdown(Shutdown::Both);
        // The keeper deletes the worker's folder, for which a program that ends now would leave it no time.
        let keeper = self.keeper.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = keeper.recv_timeout(FAREWELL);
    }
}

/// Why a program that was started is no worker that could be asked.
enum Unready {
    /// It is no worker of this host.
    Wrong(io::Error),
    /// It has ended.
    Ended(io::Error),
}

/// Waits for what a worker says first, and gives its mark.
fn wait_until_ready(receiver: &mut Receiver) -> Result<Option<Mark>, Unready> {
    let started = Instant::now();
    let patience = || {
        if started.elapsed() < START_TIME {
            Ok(())
        } else {
            Err(io::ErrorKind::TimedOut.into())
        }
    };
    match receiver.receive_with::<Ready>(Some(&patience)) {
        Ok((Ready { protocol }, _, descriptor)) if protocol == PROTOCOL_VERSION => {
            Ok(descriptor.and_then(Mark::of))
        }
        Ok((Ready { protocol }, ..)) => Err(Unready::Wrong(io::Error::other(format!(
            "it speaks version {protocol} of the worker protocol, and this host version {PROTOCOL_VERSION}"
        )))),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            Err(Unready::Wrong(io::Error::other("it does not answer as a worker")))
        }
        Err(error) => Err(Unready::Ended(error)),
    }
}

/// Starts the process from a thread of its own, which serves the plugin as long as it lives and buries it then.
///
/// The thread must outlive the process, because the system ends a worker together with the *thread* that started it.
fn keep(
    (mut command, folder): (Command, WorkerFolder),
    mut channel: (Sender, Receiver),
    services: Arc<PluginServices>,
    liveness: Arc<Liveness>,
) -> io::Result<(Arc<Mutex<Child>>, mpsc::Receiver<Infallible>)> {
    let (sender, receiver) = mpsc::channel();
    let (ended, keeper) = mpsc::channel();
    std::thread::Builder::new()
        .name("worker-keeper".to_owned())
        .spawn(move || {
            let child = command.spawn().map(|child| Arc::new(Mutex::new(child)));
            // The command holds the worker's ends of the sockets: while it lives, their end would not be seen.
            drop(command);
            let spawned = child.as_ref().ok().map(Arc::clone);
            if sender.send(child).is_err() {
                return;
            }
            if let Some(child) = spawned {
                let end = serve(&mut channel, &services, &liveness);
                tracing::debug!(%end, "the worker's services end");
                if let Err(error) = reap(&child, GRACE) {
                    tracing::warn!(%error, "cannot end a worker");
                }
            }
            drop(folder);
            drop(ended);
        })?;
    let child = receiver.recv().map_err(io::Error::other)??;
    Ok((child, keeper))
}

/// Answers the plugin's calls of services until the socket is closed, and gives the reason.
fn serve(
    (sender, receiver): &mut (Sender, Receiver),
    services: &PluginServices,
    liveness: &Liveness,
) -> io::Error {
    let mut answer_one = || -> io::Result<()> {
        let (MethodCall { method, message }, _) = receiver.receive(None)?;
        liveness.note_waiting();
        // A service that panics is an error for the plugin, as it is in process.
        let result = catch_unwind(AssertUnwindSafe(|| services.answer(&method, &message)))
            .unwrap_or_else(|_| Err(PluginError::new(format!("the host panicked in {method}"))));
        liveness.note();
        let (answer, buffers) = match result {
            Ok((message, buffers)) => (Answer::Done(message), buffers),
            Err(error) => (Answer::Failed(error), Vec::new()),
        };
        let buffers: Vec<&[u8]> = buffers.iter().map(Vec::as_slice).collect();
        sender.send(&answer, &buffers, None)
    };
    loop {
        if let Err(error) = answer_one() {
            return error;
        }
    }
}

/// Waits for the end of a process, and ends it when the time is up.
fn reap(child: &Mutex<Child>, grace: Duration) -> io::Result<ExitStatus> {
    end_within(&mut lock(child), grace)
}

/// The handle of a process is sound whoever panicked while holding it.
fn lock(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}
