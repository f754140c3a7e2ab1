//! A model in a worker, and what happens when the worker dies: another one takes its place with the next call, so that a
//! crash costs the inputs that caused it and nothing else.

use super::{
    WorkerSettings,
    channel::UNDER_WAY,
    death::Death,
    loader::{Loaded, Loader, method_call},
    process::{AskFailure, Worker},
    protocol::Question,
    spare::Spare,
};
use crate::{
    LoadedModel, RuntimeError, WorkerDeath,
    runner::{Call, CallFailure, CalledModel, LoadFailure, PluginServices},
    shared_memory::SharedMemory,
};
use modelzoo_abi::{Reply, ReplyBuffer};
use modelzoo_plugin_api::{
    Error as PluginError, ErrorKind, LoadOptions,
    message::{self, PluginDescription, SETUP, TEARDOWN},
};
use modelzoo_sandbox::Confinement;
use std::{
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// How often a worker is started again before a model that dies while it is loaded is given up.
const RESTARTS: u32 = 3;
/// The pause before the second restart; it doubles with each further one.
const PAUSE: Duration = Duration::from_millis(200);
/// How many calls in a row may end their worker before the model is given up.
const DEATHS_IN_A_ROW: u32 = 64;
/// The same when the last of them was ended because it stalled: each costs the time that a plugin may take.
const STALLS_IN_A_ROW: u32 = 4;

/// What the plugin was built with.
pub(crate) fn describe(
    settings: &WorkerSettings,
    services: &Arc<PluginServices>,
) -> Result<PluginDescription, LoadFailure> {
    Ok(Worker::start(settings, services, None, |least| least)?.1.plugin)
}

/// Asks the plugin for a download.
pub(crate) fn download_model(
    settings: &WorkerSettings,
    services: &Arc<PluginServices>,
    name: &str,
    path: &str,
) -> Result<(), LoadFailure> {
    let widened = |least: Confinement| least.with_download_to(Path::new(path));
    let (worker, _) = Worker::start(settings, services, None, widened)?;
    let question = Question::Download {
        name: name.to_owned(),
        path: path.to_owned(),
    };
    worker.ask(&question, &[])?;
    Ok(())
}

/// Loads a model.
pub(crate) fn load_model(
    settings: WorkerSettings,
    services: &Arc<PluginServices>,
    name: &str,
    path: &str,
    options: LoadOptions,
) -> Result<Box<dyn LoadedModel>, LoadFailure> {
    let loader = Loader::new(settings, services, name, path, options);
    let Loaded { worker, opened, info } = loader.start()?;
    let model = WorkerModel {
        name: name.to_owned(),
        loader: Arc::new(loader),
        state: Mutex::new(State {
            worker: Some(Arc::new(worker)),
            ..State::default()
        }),
    };
    Ok(Box::new(CalledModel {
        info: message::decode(&info)?,
        plugin: opened.plugin,
        sandbox: opened.sandbox,
        services: Arc::clone(services),
        calls: model,
    }))
}

/// A model that is loaded in a worker whenever it is called.
struct WorkerModel {
    name: String,
    loader: Arc<Loader>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Absent after it died.
    worker: Option<Arc<Worker>>,
    /// Takes the place of the worker when that dies. There is one from the first crash on.
    spare: Option<Spare>,
    /// Whether the model has crashed, which it may do again.
    has_crashed: bool,
    /// Whether the model was made ready for a run that has not ended.
    is_set_up: bool,
    /// How many calls in a row ended their worker.
    deaths: u32,
}

impl WorkerModel {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The worker, or another one in its place.
    fn worker(&self) -> Result<Arc<Worker>, RuntimeError> {
        let mut state = self.lock();
        if let Some(worker) = &state.worker {
            return Ok(Arc::clone(worker));
        }
        let spare = state.spare.take();
        let worker = Arc::new(self.replace(spare, state.is_set_up)?);
        state.worker = Some(Arc::clone(&worker));
        if state.has_crashed && self.loader.allows_spare() {
            state.spare = Some(Spare::begin(&self.loader));
        }
        Ok(worker)
    }

    /// Puts a worker in the place of one that died, as ready for calls as that was.
    fn replace(&self, spare: Option<Spare>, is_set_up: bool) -> Result<Worker, RuntimeError> {
        let mut pause = PAUSE;
        let mut attempts = 1..=RESTARTS;
        let mut spare = spare.and_then(Spare::take);
        loop {
            let is_last = attempts.next() == Some(RESTARTS);
            let ready = match spare.take() {
                Some(worker) => Ok(worker),
                None => self.loader.start().map(|loaded| loaded.worker),
            };
            let ready = ready.and_then(|worker| {
                if is_set_up {
                    self.loader.set_up(&worker)?;
                }
                Ok(worker)
            });
            match ready {
                Ok(worker) => return Ok(worker),
                Err(LoadFailure::Died(death)) if !is_last && !death.is_stall => {
                    tracing::warn!(
                        model = self.name,
                        reason = death.reason,
                        "the model's worker died while it was loaded again"
                    );
                }
                Err(failure) => return Err(failure.of(format!("load the model {} again", self.name))),
            }
            thread::sleep(pause);
            pause *= 2;
        }
    }

    /// Takes a worker that has ended out of use, where nobody else has done so.
    fn forget(state: &mut State, worker: &Arc<Worker>) {
        if state
            .worker
            .as_ref()
            .is_some_and(|present| Arc::ptr_eq(present, worker))
        {
            state.worker = None;
        }
    }

    /// What becomes of a call that ended its worker.
    fn mourn(&self, worker: &Arc<Worker>, death: Death) -> CallFailure {
        let mut state = self.lock();
        Self::forget(&mut state, worker);
        state.deaths += 1;
        state.has_crashed |= death.is_crash();
        tracing::debug!(model = self.name, %death, "the worker died");
        let most = if death.is_stall() {
            STALLS_IN_A_ROW
        } else {
            DEATHS_IN_A_ROW
        };
        if state.deaths >= most {
            let reason = format!(
                "{} calls in a row ended its process, the last one so: {death}",
                state.deaths
            );
            return CallFailure::EveryCall(RuntimeError::WorkerDied {
                action: format!("go on with the model {}", self.name),
                death: WorkerDeath {
                    reason,
                    ..death.into()
                },
            });
        }
        match worker.marked_item() {
            Some(index) if !death.is_cancelled() => CallFailure::OneItem(index, death.into_call_error()),
            _ => CallFailure::ThisCall(death.into_call_error()),
        }
    }
}

impl Call for WorkerModel {
    fn call(&self, method: &str, message: &[u8], buffers: &[&[u8]]) -> Result<Reply, CallFailure> {
        let question = method_call(method, message);
        loop {
            let worker = self.worker().map_err(CallFailure::EveryCall)?;
            match worker.ask(&question, buffers) {
                Ok((message, buffers)) => {
                    let mut state = self.lock();
                    state.deaths = 0;
                    match method {
                        SETUP => state.is_set_up = true,
                        TEARDOWN => state.is_set_up = false,
                        _ => {}
                    }
                    return Ok(Reply {
                        message: message.into(),
                        buffers: buffers.into_iter().map(ReplyBuffer::from_vec).collect(),
                    });
                }
                Err(AskFailure::Died(death)) => return Err(self.mourn(&worker, death)),
                // Another call ended the worker. This one is asked again, unless nobody wants it any more.
                Err(AskFailure::NotAsked) => {
                    Self::forget(&mut self.lock(), &worker);
                    if self.loader.is_cancelled() {
                        let error =
                            PluginError::new("the call was cancelled").with_kind(ErrorKind::Cancelled);
                        return Err(error.into());
                    }
                }
                Err(failure) => {
                    self.lock().deaths = 0;
                    return Err(match LoadFailure::from(failure) {
                        LoadFailure::Plugin(error) => error.into(),
                        other => CallFailure::EveryCall(other.of(format!("call the model {}", self.name))),
                    });
                }
            }
        }
    }

    fn under_way(&self) -> NonZeroUsize {
        UNDER_WAY
    }

    fn memory(&self) -> Option<&Arc<SharedMemory>> {
        self.loader.memory()
    }

    fn process_id(&self) -> Option<u32> {
        self.lock().worker.as_ref().map(|worker| worker.process_id())
    }
}
