//! The table that a plugin exports.

use super::{host, model::CModel, reply::PluginReply};
use modelzoo_abi::{HostServices, ModelHandle, c};
use modelzoo_plugin_api::{Error, Result, message::PluginDescription};
use std::{mem::offset_of, ptr};

/// The functions of a plugin whose table was found to be one.
#[derive(Clone, Copy)]
pub(in crate::library) struct CPlugin {
    download_model: Option<unsafe extern "C" fn(*const c::Download, *mut c::Reply) -> c::Status>,
    load_model: unsafe extern "C" fn(*const c::Load, *mut c::Model, *mut c::Reply) -> c::Status,
}

/// Why a table cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::library) enum TableFault {
    /// It is one of another version of the contract.
    #[error("it is of version {0} of the contract for C")]
    OtherContract(u32),
    /// It is none at all, or not whole.
    #[error("{0}")]
    Broken(String),
}

impl CPlugin {
    /// Takes the functions out of a plugin's table, which is looked at first.
    ///
    /// # Safety
    /// `entry` is what a library exports under [`c::ENTRY_NAME`], as `modelzoo.h` declares it; the library is never
    /// unloaded, and what is in its table keeps the contract.
    pub(in crate::library) unsafe fn of(entry: c::Entry) -> Result<Self, TableFault> {
        // SAFETY: the caller says that it is declared like this; it takes nothing.
        let table = unsafe { entry() };
        let broken = |fault: &str| Err(TableFault::Broken(fault.to_owned()));
        if table.is_null() || !table.is_aligned() {
            return broken("its function gives no table");
        }
        // SAFETY: a table begins with its version, whatever else is in it.
        let contract = unsafe { ptr::addr_of!((*table).contract).read() };
        if contract != c::CONTRACT {
            return Err(TableFault::OtherContract(contract));
        }
        // SAFETY: in version 1, the size follows.
        let size = unsafe { ptr::addr_of!((*table).size).read() };
        if size < size_of::<c::PluginTable>() {
            let needed = size_of::<c::PluginTable>();
            return broken(&format!(
                "its table has {size} bytes, and one of version 1 has {needed}"
            ));
        }
        // SAFETY: it is as large as all that is read of it.
        let table = unsafe { table.read() };
        let Some(load_model) = table.load_model else {
            return broken("its table has no function `load_model`");
        };
        Ok(Self {
            download_model: table.download_model,
            load_model,
        })
    }

    /// What the plugin was built with.
    pub(in crate::library) fn describe() -> PluginDescription {
        PluginDescription {
            api_version: format!("C {}", c::CONTRACT),
            ..PluginDescription::default()
        }
    }

    /// Asks the plugin to download model `name` to the absolute path `path`.
    pub(in crate::library) fn download_model(
        &self,
        name: &str,
        path: &str,
        services: HostServices,
    ) -> Result<()> {
        let download_model = self
            .download_model
            .ok_or_else(|| Error::unsupported("the plugin downloads nothing"))?;
        let arguments = c::Download {
            size: size_of::<c::Download>(),
            name: text(name),
            path: text(path),
            host: host::table(services),
        };
        let mut reply = PluginReply::default();
        // SAFETY: the plugin keeps the contract; what the arguments point to lives until it returns, and the host's table
        // for ever.
        let status = unsafe { download_model(&arguments, reply.as_mut_ptr()) };
        // SAFETY: the plugin's function has filled it in.
        unsafe { reply.take(status) }.map(drop)
    }

    /// Loads model `name` from the absolute path `path`.
    pub(in crate::library) fn load_model(
        &self,
        name: &str,
        path: &str,
        options: &[u8],
        services: HostServices,
    ) -> Result<ModelHandle> {
        let arguments = c::Load {
            size: size_of::<c::Load>(),
            name: text(name),
            path: text(path),
            options: c::Bytes {
                data: options.as_ptr(),
                length: options.len(),
            },
            host: host::table(services),
        };
        let mut model = c::Model {
            size: size_of::<c::Model>(),
            state: ptr::null_mut(),
            info: None,
            call: None,
            release: None,
        };
        let mut reply = PluginReply::default();
        // SAFETY: as in `download_model`.
        let status = unsafe { (self.load_model)(&arguments, &mut model, reply.as_mut_ptr()) };
        // SAFETY: the plugin's function has filled both in.
        unsafe {
            reply.take(status)?;
            CModel::of(model)
        }
        .map(|model| ModelHandle::of(Box::new(model)))
    }
}

/// A text for as long as `text` lives.
fn text(text: &str) -> c::Text {
    c::Text {
        data: text.as_ptr().cast(),
        length: text.len(),
    }
}

// The version comes first in every version of the contract.
const _: () = assert!(offset_of!(c::PluginTable, contract) == 0);

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! entry {
        ($($table:tt)*) => {{
            unsafe extern "C" fn entry() -> *const c::PluginTable {
                const TABLE: c::PluginTable = $($table)*;
                &TABLE
            }
            // SAFETY: the tables of these tests have no functions but those that they do not call.
            unsafe { CPlugin::of(entry) }.map(drop)
        }};
    }

    unsafe extern "C" fn load(_: *const c::Load, _: *mut c::Model, _: *mut c::Reply) -> c::Status {
        c::FAILED
    }

    const GOOD: c::PluginTable = c::PluginTable {
        contract: c::CONTRACT,
        size: size_of::<c::PluginTable>(),
        download_model: None,
        load_model: Some(load),
    };

    #[test]
    fn a_table_is_looked_at_before_it_is_used() {
        assert_eq!(entry!(GOOD), Ok(()));
        assert_eq!(entry!(c::PluginTable { size: 4096, ..GOOD }), Ok(()));
        let other = entry!(c::PluginTable { contract: 2, ..GOOD });
        assert_eq!(other, Err(TableFault::OtherContract(2)));
        let short = entry!(c::PluginTable { size: 8, ..GOOD })
            .unwrap_err()
            .to_string();
        assert!(short.contains("8 bytes"), "{short}");
        let without = entry!(c::PluginTable {
            load_model: None,
            ..GOOD
        })
        .unwrap_err();
        assert!(without.to_string().contains("`load_model`"), "{without}");
        unsafe extern "C" fn nothing() -> *const c::PluginTable {
            ptr::null()
        }
        // SAFETY: a function that gives no table has nothing to call.
        let nothing = unsafe { CPlugin::of(nothing) }.map(drop).unwrap_err();
        assert!(nothing.to_string().contains("no table"), "{nothing}");
    }
}
