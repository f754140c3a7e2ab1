//! From a [`ModelSource`] to the root of a plugin: the only place where safe plugins meet the ABI.

/// Exports a type that implements [`ModelSource`](crate::ModelSource) and `Default` as this library's source.
///
/// Once in a crate of type `cdylib`.
#[macro_export]
macro_rules! export_source {
    ($source:ty) => {
        const _: () = {
    $crate::source_root!(fn root() for $source);
            $crate::abi::export_root!(root);
        };
    };
}

/// Defines a function that makes the root of a plugin out of a type that implements [`ModelSource`](crate::ModelSource)
/// and `Default`: `source_root!(pub fn root() for MySource);`. For a source that is linked into a program instead of
/// being exported by a library of its own.
#[macro_export]
macro_rules! source_root {
    ($(#[$attribute:meta])* $visibility:vis fn $root:ident() for $source:ty) => {
        $(#[$attribute])*
        $visibility fn $root() -> $crate::abi::PluginRootRef {
            fn source() -> &'static dyn $crate::ModelSource {
                static SOURCE: ::std::sync::OnceLock<$source> = ::std::sync::OnceLock::new();
                SOURCE.get_or_init(<$source as ::core::default::Default>::default)
            }

            extern "C" fn download_model(
                name: $crate::glue::RStr<'_>,
                path: $crate::glue::RStr<'_>,
                host: $crate::abi::HostServices,
            ) -> $crate::abi::AbiResult<()> {
                $crate::glue::download_model(source, name, path, host)
            }

            extern "C" fn load_model(
                name: $crate::glue::RStr<'_>,
                path: $crate::glue::RStr<'_>,
                options: $crate::glue::RSlice<'_, u8>,
                host: $crate::abi::HostServices,
            ) -> $crate::abi::AbiResult<$crate::abi::ModelHandle> {
                $crate::glue::load_model(source, name, path, options, host)
            }

            $crate::glue::root(download_model, load_model)
        }
    };
}

/// What [`export_source!`](crate::export_source) expands to; not for direct use.
#[doc(hidden)]
pub mod glue {
    use crate::{Calibration, Error, ErrorKind, Host, LoadOptions, Model, ModelSource, Result, message};
    use modelzoo_abi::abi_stable::std_types::RVec;
    pub use modelzoo_abi::abi_stable::std_types::{RSlice, RStr};
    use modelzoo_abi::{
        AbiResult, DownloadModel, HostServices, LoadModel, ModelHandle, PluginRootRef, RawModel, Reply,
        Request,
    };
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        path::Path,
    };

    /// Makes the root of a plugin.
    pub fn root(download_model: DownloadModel, load_model: LoadModel) -> PluginRootRef {
        PluginRootRef::new(describe, download_model, load_model, call_plugin)
    }

    /// The entry `download_model`.
    pub fn download_model(
        source: fn() -> &'static dyn ModelSource,
        name: RStr<'_>,
        path: RStr<'_>,
        host: HostServices,
    ) -> AbiResult<()> {
        guard(|| source().download_model(name.as_str(), Path::new(path.as_str()), &Host::new(host)))
    }

    /// The entry `load_model`.
    pub fn load_model(
        source: fn() -> &'static dyn ModelSource,
        name: RStr<'_>,
        path: RStr<'_>,
        options: RSlice<'_, u8>,
        host: HostServices,
    ) -> AbiResult<ModelHandle> {
        guard(|| {
            let mut options: LoadOptions = message::decode(options.as_slice())?;
            options.host = Host::new(host);
            let (host, calibration) = (options.host, options.calibration.clone());
            let model = source().load_model(name.as_str(), Path::new(path.as_str()), options)?;
            Ok(ModelHandle::of(Box::new(Loaded {
                model,
                host,
                calibration,
            })))
        })
    }

    extern "C" fn describe() -> AbiResult<RVec<u8>> {
        guard(|| {
            let description = message::PluginDescription {
                api_version: crate::API_VERSION.to_owned(),
                methods: Vec::new(),
            };
            Ok(message::encode(&description)?.into())
        })
    }

    extern "C" fn call_plugin(request: Request<'_>) -> AbiResult<Reply> {
        guard(|| {
            Err(Error::unsupported(format!(
                "the plugin has no method {}",
                request.method
            )))
        })
    }

    /// What a model handle points to.
    struct Loaded {
        model: Box<dyn Model>,
        host: Host,
        /// The one that the model was loaded with: its networks have told it of themselves.
        calibration: Calibration,
    }

    impl RawModel for Loaded {
        fn info(&self) -> AbiResult<RVec<u8>> {
            guard(|| {
                let mut info = self.model.info();
                info.has_embeddings |= self.model.video_embeddings().is_some();
                info.methods = crate::call::methods(self.model.as_ref(), &info);
                if self.calibration.is_watched() {
                    info.methods.push(message::CALIBRATE.to_owned());
                }
                Ok(message::encode(&info)?.into())
            })
        }

        fn call(&self, request: Request<'_>) -> AbiResult<Reply> {
            guard(|| {
                if request.method.as_str() == message::CALIBRATE && self.calibration.is_watched() {
                    return Ok(Reply {
                        message: message::encode(&self.calibration.find(&self.host)?)?.into(),
                        buffers: Vec::new().into(),
                    });
                }
                let buffers: Vec<&[u8]> = request.buffers.iter().map(|view| view.bytes.as_slice()).collect();
                let (message, buffers) = crate::call::call(
                    self.model.as_ref(),
                    self.host,
                    request.method.as_str(),
                    request.message.as_slice(),
                    &buffers,
                )?;
                Ok(Reply {
                    message: message.into(),
                    buffers: buffers.into(),
                })
            })
        }
    }

    /// Runs `body`; its errors and panics are encoded for the other side.
    fn guard<T>(body: impl FnOnce() -> Result<T>) -> AbiResult<T> {
        // Nothing that `body` touches is used again after a panic, but for the model, which is told to be shareable.
        let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
            let reason = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "no message".to_owned());
            Err(Error::new(format!("the plugin panicked: {reason}")).with_kind(ErrorKind::Panic))
        });
        result.map_err(|error| message::encode_error(&error)).into()
    }
}
