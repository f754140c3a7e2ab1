//! A model in a worker, and what happens when the worker dies: it is started again with the next call, so that a crash
//! costs the inputs that caused it and nothing else.

use super::{
    WorkerSettings,
    process::{AskFailure, Worker},
    protocol::{MethodCall, Opened, Question},
};
use crate::{
    LoadedModel, PluginCode, RuntimeError, WorkerDeath,
    runner::{Call, CallFailure, CalledModel, LoadFailure, PluginServices},
};
use modelzoo_abi::{Reply, ReplyBuffer};
use modelzoo_plugin_api::{
    Device, LoadOptions,
    message::{self, PluginDescription, SETUP, TEARDOWN},
};
use modelzoo_sandbox::Confinement;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
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
    Ok(Worker::start(settings, services, |least| least)?.1.plugin)
}

/// Asks the plugin for a download.
pub(crate) fn download_model(
    settings: &WorkerSettings,
    services: &Arc<PluginServices>,
    name: &str,
    path: &str,
) -> Result<(), LoadFailure> {
    let widened = |least: Confinement| least.with_download_to(Path::new(path));
    let (mut worker, _) = Worker::start(settings, services, widened)?;
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
    let model = WorkerModel {
        settings,
        services: Arc::clone(services),
        name: name.to_owned(),
        weights: PathBuf::from(path),
        device: options.device,
        load: Question::Load {
            name: name.to_owned(),
            path: path.to_owned(),
            options,
        },
        state: Mutex::default(),
    };
    let (worker, Opened { plugin, sandbox }, info) = model.start()?;
    model.lock().worker = Some(worker);
    Ok(Box::new(CalledModel {
        info: message::decode(&info)?,
        plugin,
        sandbox,
        services: Arc::clone(services),
        calls: model,
    }))
}

/// A model that is loaded in a worker whenever it is called.
struct WorkerModel {
    settings: WorkerSettings,
    services: Arc<PluginServices>,
    name: String,
    weights: PathBuf,
    device: Device,
    load: Question,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Absent after it died, and while it is asked: should the host panic meanwhile, it is not used again.
    worker: Option<Worker>,
    /// Whether the model was made ready for a run that has not ended.
    is_set_up: bool,
    /// How many calls in a row ended their worker.
    deaths: u32,
}

impl WorkerModel {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a worker and loads the model in it.
    fn start(&self) -> Result<(Worker, Opened, Vec<u8>), LoadFailure> {
        let widened = |least: Confinement| {
            let with_weights = least.with_weights(&self.weights);
            let widened = match self.device {
                Device::Auto | Device::Cuda(_) => with_weights.with_cuda(),
                _ => with_weights,
            };
            match self.settings.code {
                PluginCode::Library(_) => widened,
                PluginCode::BuiltIn(_) => widened.with_linked_files(&self.weights),
            }
        };
        let (mut worker, opened) = Worker::start(&self.settings, &self.services, widened)?;
        let (info, _) = worker.ask(&self.load, &[])?;
        Ok((worker, opened, info))
    }

    /// Starts a worker in the place of one that died, as ready for calls as that was.
    fn restart(&self, is_set_up: bool) -> Result<Worker, RuntimeError> {
        let mut pause = PAUSE;
        let mut attempts = 1..=RESTARTS;
        loop {
            let is_last = attempts.next() == Some(RESTARTS);
            let started = self.start().and_then(|(mut worker, ..)| {
                if is_set_up {
                    worker.ask(&method_call(SETUP, &message::encode(&())?), &[])?;
                }
                Ok(worker)
            });
            match started {
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
            std::thread::sleep(pause);
            pause *= 2;
        }
    }
}

impl Call for WorkerModel {
    fn call(&self, method: &str, message: &[u8], buffers: &[&[u8]]) -> Result<Reply, CallFailure> {
        let mut state = self.lock();
        let mut worker = match state.worker.take() {
            Some(worker) => worker,
            None => self.restart(state.is_set_up).map_err(CallFailure::EveryCall)?,
        };
        let result = worker.ask(&method_call(method, message), buffers);
        if let Err(AskFailure::Died(death)) = result {
            state.deaths += 1;
            tracing::debug!(model = self.name, %death, "the worker died");
            let most = if death.is_stall() {
                STALLS_IN_A_ROW
            } else {
                DEATHS_IN_A_ROW
            };
            if state.deaths >= most {
                let deaths = std::mem::take(&mut state.deaths);
                return Err(CallFailure::EveryCall(RuntimeError::WorkerDied {
                    action: format!("go on with the model {}", self.name),
                    death: WorkerDeath {
                        reason: format!(
                            "{deaths} calls in a row ended its process, the last one so: {death}"
                        ),
                        ..death.into()
                    },
                }));
            }
            return Err(CallFailure::ThisCall(death.into_call_error()));
        }
        state.worker = Some(worker);
        state.deaths = 0;
        let (message, buffers) = result.map_err(|failure| match LoadFailure::from(failure) {
            LoadFailure::Plugin(error) => error.into(),
            other => CallFailure::EveryCall(other.of(format!("call the model {}", self.name))),
        })?;
        match method {
            SETUP => state.is_set_up = true,
            TEARDOWN => state.is_set_up = false,
            _ => {}
        }
        Ok(Reply {
            message: message.into(),
            buffers: buffers.into_iter().map(ReplyBuffer::from_vec).collect(),
        })
    }

    fn process_id(&self) -> Option<u32> {
        self.lock().worker.as_ref().map(Worker::process_id)
    }
}

fn method_call(method: &str, message: &[u8]) -> Question {
    Question::Call(MethodCall {
        method: method.to_owned(),
        message: message.to_vec(),
    })
}
