//! What runs in a worker: the plugin, and the loop that answers the host.

use super::{
    channel::{Receiver, Sender, channel},
    mark::Marker,
    protocol::{
        Answer, CodeName, MethodCall, Opened, PROTOCOL_VERSION, Question, Ready, WORKER_ARGUMENT,
        WORKER_VARIABLE,
    },
};
use crate::{
    Artifact, BuiltInPlugin, LibraryError, PluginCode, Sandbox,
    library::{Plugin, call_model},
    runner::{LoadFailure, ServiceReply, service_table},
};
use modelzoo_abi::{HostServices, ModelHandle, Reply, ReplyBuffer};
use modelzoo_plugin_api::{Error as PluginError, Result as PluginResult, message};
use modelzoo_sandbox::{Confinement, enter, run_guard_if_asked};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use std::{
    fs::File,
    io,
    os::{fd::AsFd as _, unix::net::UnixStream},
    sync::{Arc, Mutex, PoisonError},
};

/// Turns this process into a worker, or into the guard of a program that is shut in, when it was started as one.
///
/// A program that embeds modelzoo calls this first in its `main`, before it reads its arguments or starts threads, so that
/// plugins run in worker processes, and their builds shut in. In a worker it does not return: it ends the process. `built_in` are the plugins
/// that are linked into the program.
pub fn run_worker_if_asked(built_in: &[BuiltInPlugin]) {
    run_guard_if_asked();
    let is_asked = std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == WORKER_ARGUMENT);
    let Some(host) = std::env::var_os(WORKER_VARIABLE).filter(|_| is_asked) else {
        return;
    };
    // SAFETY: this is the first thing that `main` does: there are no other threads yet.
    unsafe { std::env::remove_var(WORKER_VARIABLE) };
    let host = host
        .to_str()
        .and_then(|host| host.parse().ok())
        .and_then(Pid::from_raw);
    std::process::exit(match work(host, built_in) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("the worker cannot go on: {error}");
            1
        }
    })
}

/// Answers the host until it closes its socket.
fn work(host: Option<Pid>, built_in: &[BuiltInPlugin]) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if host != getppid() {
        return Err(io::Error::other("the host has ended"));
    }
    let (questions, services) = take_sockets()?;
    let (mut answers, mut questions) = channel(questions)?;
    let marker = Arc::new(Marker::new()?);
    let ready = Ready {
        protocol: PROTOCOL_VERSION,
    };
    answers.send_with(&ready, marker.descriptor(), None)?;
    let mut worker = Worker {
        built_in,
        services: Arc::new(Mutex::new(channel(services)?)),
        marker,
        plugin: None,
        model: None,
    };
    loop {
        let (question, places) = match questions.receive::<Question>(None) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            received => received?,
        };
        let reply = worker.answer(question, &questions.map_buffers(&places)?);
        // What was being done is done, whatever the plugin says.
        worker.marker.set(None);
        let (answer, buffers) = match reply {
            Ok(reply) => (Answer::Done(reply.message.into_vec()), reply.buffers.into_vec()),
            Err(LoadFailure::Library(error)) => (Answer::Refused(error), Vec::new()),
            Err(LoadFailure::NotShutIn(missing)) => (Answer::NotShutIn(missing), Vec::new()),
            Err(LoadFailure::Plugin(error)) => (Answer::Failed(error), Vec::new()),
            Err(other) => return Err(io::Error::other(other.of("answer the host"))),
        };
        let buffers: Vec<&[u8]> = buffers.iter().map(ReplyBuffer::bytes).collect();
        answers.send(&answer, &buffers, None)?;
    }
}

/// Takes the sockets from standard input and output, whose places a plugin gets: it reads nothing, and what it prints
/// goes to standard error.
fn take_sockets() -> io::Result<(UnixStream, UnixStream)> {
    let questions = io::stdin().as_fd().try_clone_to_owned()?;
    let services = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok((questions.into(), services.into()))
}

struct Worker<'a> {
    built_in: &'a [BuiltInPlugin],
    services: Arc<Mutex<(Sender, Receiver)>>,
    marker: Arc<Marker>,
    plugin: Option<Plugin>,
    model: Option<ModelHandle>,
}

impl Worker<'_> {
    fn answer(&mut self, question: Question, buffers: &[&[u8]]) -> Result<Reply, LoadFailure> {
        match question {
            Question::Open { code, confinement } => self.open(code, &confinement),
            Question::Download { name, path } => {
                self.plugin()?.download_model(&name, &path, self.table())?;
                reply(message::encode(&())?)
            }
            Question::Load { name, path, options } => {
                let plugin = self.plugin()?;
                self.model = None;
                let model = plugin.load_model(&name, &path, &options, self.table())?;
                let info = message::result(model.info())?;
                self.model = Some(model);
                reply(info.into_vec())
            }
            Question::Call(MethodCall { method, message }) => {
                let model = self
                    .model
                    .as_ref()
                    .ok_or_else(|| PluginError::new("no model is loaded"))?;
                Ok(call_model(model, &method, &message, buffers)?)
            }
        }
    }

    /// Opens the plugin, after shutting this process in: opening runs the library's initialisers.
    fn open(&mut self, code: CodeName, confinement: &Confinement) -> Result<Reply, LoadFailure> {
        let sandbox = enter(confinement);
        let missing = sandbox.missing(confinement.conduct);
        if confinement.sandbox == Sandbox::On && !missing.is_empty() {
            return Err(LoadFailure::NotShutIn(missing));
        }
        let plugin = Plugin::open(&self.find(code)?)?;
        self.plugin = Some(plugin);
        let plugin = plugin.describe()?;
        reply(message::encode(&Opened { plugin, sandbox })?)
    }

    /// The plugin that is meant, which is there unless it should be built in and is not.
    fn find(&self, code: CodeName) -> Result<PluginCode, LibraryError> {
        match code {
            CodeName::Library { path, sha256 } => Ok(Artifact { path, sha256 }.into()),
            CodeName::BuiltIn { name, version } => {
                let is_it = |plugin: &&BuiltInPlugin| plugin.name == name && plugin.version == version;
                let found = self.built_in.iter().find(is_it).copied();
                found
                    .map(PluginCode::from)
                    .ok_or(LibraryError::NotBuiltIn { name, version })
            }
        }
    }

    fn plugin(&self) -> PluginResult<Plugin> {
        self.plugin.ok_or_else(|| PluginError::new("no plugin is open"))
    }

    /// The services of the host, asked for over the second socket.
    fn table(&self) -> HostServices {
        let (services, marker) = (Arc::clone(&self.services), Arc::clone(&self.marker));
        service_table(move |method, arguments| {
            if method == message::ITEM {
                // The host looks when it wants to know.
                marker.set(message::decode(arguments)?);
                return Ok((message::encode(&())?, Vec::new()));
            }
            let call = MethodCall {
                method: method.to_owned(),
                message: arguments.to_vec(),
            };
            // A thread that panicked while it asked has left the socket in the middle of a frame at worst; the host
            // then closes it.
            let mut channel = services.lock().unwrap_or_else(PoisonError::into_inner);
            ask(&mut channel, &call)
                .unwrap_or_else(|error| Err(PluginError::new(format!("the host does not answer: {error}"))))
        })
    }
}

fn ask(
    (sender, receiver): &mut (Sender, Receiver),
    call: &MethodCall,
) -> io::Result<PluginResult<ServiceReply>> {
    sender.send(call, &[], None)?;
    let (answer, places) = receiver.receive(None)?;
    let buffers = receiver.copy_buffers(&places)?;
    Ok(match answer {
        Answer::Done(message) => Ok((message, buffers)),
        Answer::Failed(error) => Err(error),
        Answer::Refused(error) => Err(PluginError::new(error)),
        Answer::NotShutIn(_) => Err(PluginError::new("the host gives no valid answer")),
    })
}

fn reply(message: Vec<u8>) -> Result<Reply, LoadFailure> {
    Ok(Reply {
        message: message.into(),
        buffers: Vec::new().into(),
    })
}
