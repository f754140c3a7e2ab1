//! Models on bytes: what these stand for is found on the user's own pictures, tried on the same, and kept in the store.

mod kept;
mod loader;

pub(crate) use loader::{Loader, OnBytes};

use crate::error::Error;
use modelzoo_base::error::in_one_line;
use modelzoo_data::evaluation::Agreement;
use modelzoo_engine::{
    Calibrated, Input, ProgressCallback, REHEARSED_PICTURES, Task, rehearse, rehearsed_pictures,
};
use modelzoo_plugin_api::{Calibration, MediaType, message};
use modelzoo_runtime::LoadedModel;

/// With fewer pictures, what is found says little of others.
const FEW_PICTURES: u64 = 16;

/// A model that has been calibrated, or could not be.
pub(crate) type Loaded = (Box<dyn LoadedModel>, OnBytes);

impl Loader {
    /// Whether a model should be calibrated on the pictures of `input`: it was not yet, or on fewer than there are here.
    pub(crate) fn is_due(&self, on_bytes: &OnBytes, input: &Input) -> Result<bool, Error> {
        Ok(match on_bytes {
            OnBytes::No => false,
            OnBytes::NotYet => true,
            OnBytes::Yes(calibrated) | OnBytes::Refused(calibrated) => {
                calibrated.pictures < REHEARSED_PICTURES && rehearsed_pictures(input)? > calibrated.pictures
            }
        })
    }

    /// Finds what bytes stand for on the first pictures of `input`, and whether the model then says the same of them.
    /// `waiting` is the model as it takes note of what it sees, where it has seen nothing yet.
    ///
    /// # Errors
    /// When the model cannot do the task, or not be loaded any longer. That it cannot be computed on bytes is no error but a
    /// warning, and so is that it then says something else.
    pub(crate) fn calibrate(
        &self,
        waiting: Option<&dyn LoadedModel>,
        task: &Task,
        input: &Input,
        progress: Option<&ProgressCallback>,
    ) -> Result<Loaded, Error> {
        let loaded;
        let plain = match waiting {
            Some(waiting) => waiting,
            None => {
                loaded = self.load_to_calibrate()?;
                loaded.as_ref()
            }
        };
        if plain.info().media_type == MediaType::Video {
            return self.give_up("it takes whole videos");
        }
        let expected = rehearse(plain, task, input, progress.cloned())?;
        let calibration = match found(plain) {
            Ok(calibration) => calibration,
            Err(reason) => return self.give_up(&reason),
        };
        let Some(on_bytes) = self.load_on_bytes(&calibration)? else {
            return self.give_up("none of its layers gain by it");
        };
        let said = rehearse(on_bytes.as_ref(), task, input, progress.cloned())?;
        let pairs = expected.iter().zip(&said);
        let agreement =
            Agreement::of(pairs.filter_map(|(expected, said)| expected.as_ref().zip(said.as_ref())));
        let calibrated = Calibrated {
            pictures: rehearsed_pictures(input)?,
            sha256: kept::digest_of(&calibration).unwrap_or_default(),
            agreement,
        };
        self.kept.write(&calibrated, &calibration);
        if !calibrated.agreement.is_good() {
            return Ok((self.load_plain()?, OnBytes::Refused(calibrated)));
        }
        Ok((on_bytes, OnBytes::Yes(calibrated)))
    }

    fn give_up(&self, reason: &str) -> Result<Loaded, Error> {
        tracing::warn!("the model computes with f32, not with int8: {reason}");
        Ok((self.load_plain()?, OnBytes::No))
    }
}

impl OnBytes {
    /// How the model was calibrated, where it is computed so.
    pub(crate) fn calibrated(&self) -> Option<&Calibrated> {
        match self {
            Self::Yes(calibrated) => Some(calibrated),
            _ => None,
        }
    }

    /// Tells what the user may not expect of a model that is now used.
    pub(crate) fn warn(&self) {
        match self {
            Self::No => {}
            Self::NotYet => tracing::warn!(
                "the model computes with f32: what int8 stands for is found when it is first applied to pictures"
            ),
            Self::Yes(Calibrated { pictures, .. }) if *pictures < FEW_PICTURES => tracing::warn!(
                "int8 was calibrated on {pictures} pictures only, which say little of others; with more of them, up to \
                 {REHEARSED_PICTURES}, that is done again"
            ),
            Self::Yes(_) => {}
            Self::Refused(Calibrated { agreement, .. }) if agreement.is_empty() => tracing::warn!(
                "the model computes with f32: it says nothing of the pictures that int8 was tried on"
            ),
            Self::Refused(Calibrated { agreement, .. }) => tracing::warn!(
                "the model computes with f32: with int8 it says too often something else ({agreement})"
            ),
        }
    }
}

/// What a model has found that took note of what it saw, or why it is of no use.
fn found(model: &dyn LoadedModel) -> Result<Calibration, String> {
    let asked = message::encode(&()).map_err(|error| error.to_string())?;
    let reply = model
        .call(message::CALIBRATE, &asked, &[])
        .map_err(|error| in_one_line(&error))?;
    let calibration: Calibration = message::decode(&reply.message).map_err(|error| error.to_string())?;
    if calibration.is_empty() {
        return Err("it has seen no picture".to_owned());
    }
    if calibration.size() > kept::MOST_BYTES {
        return Err(format!(
            "its plugin wants {} bytes to be kept",
            calibration.size()
        ));
    }
    Ok(calibration)
}
