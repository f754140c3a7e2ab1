//! From a [`ModelSource`] to the exported root: the only place where safe plugins meet the ABI.

/// Exports a type that implements [`ModelSource`](crate::ModelSource) and `Default` as this library's source.
///
/// Once in a crate of type `cdylib`.
#[macro_export]
macro_rules! export_source {
    ($source:ty) => {
        const _: () = {
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

            fn root() -> $crate::abi::PluginRootRef {
                $crate::glue::root(download_model, load_model)
            }

            $crate::abi::export_root!(root);
        };
    };
}

/// What [`export_source!`](crate::export_source) expands to; not for direct use.
#[doc(hidden)]
pub mod glue {
    use crate::{Error, ErrorKind, Host, LoadOptions, Model, ModelSource, Result, message};
    use modelzoo_abi::abi_stable::std_types::RVec;
    pub use modelzoo_abi::abi_stable::std_types::{RSlice, RStr};
    use modelzoo_abi::{
        AbiResult, HostServices, ModelFunctions, ModelFunctionsRef, ModelHandle, PluginRoot, PluginRootRef,
        Reply, Request,
        abi_stable::prefix_type::{PrefixTypeTrait, WithMetadata},
    };
    use std::{
        ffi::c_void,
        panic::{AssertUnwindSafe, catch_unwind},
        path::Path,
    };

    /// The function `download_model` of an ABI root: model, path and host.
    pub type DownloadModel = extern "C" fn(RStr<'_>, RStr<'_>, HostServices) -> AbiResult<()>;
    /// The function `load_model` of an ABI root: model, path, options as a message, and host.
    pub type LoadModel =
        extern "C" fn(RStr<'_>, RStr<'_>, RSlice<'_, u8>, HostServices) -> AbiResult<ModelHandle>;

    /// Makes the root of a plugin.
    pub fn root(download_model: DownloadModel, load_model: LoadModel) -> PluginRootRef {
        PluginRoot {
            describe,
            download_model,
            load_model,
            call: call_plugin,
        }
        .leak_into_prefix()
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
            let host = options.host;
            let model = source().load_model(name.as_str(), Path::new(path.as_str()), options)?;
            let state = Box::into_raw(Box::new(Loaded { model, host })).cast::<c_void>();
            // SAFETY: the functions below take a `Box<Loaded>` that was turned into a pointer just so; models are
            // `Send + Sync`, and so is the host.
            Ok(unsafe { ModelHandle::new(state, ModelFunctionsRef(FUNCTIONS.static_as_prefix())) })
        })
    }

    static FUNCTIONS: &WithMetadata<ModelFunctions> = {
        const WITH_METADATA: &WithMetadata<ModelFunctions> = &WithMetadata::new(ModelFunctions {
            info: model_info,
            call: call_model,
            release: release_model,
        });
        WITH_METADATA
    };

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

    extern "C" fn model_info(state: *const c_void) -> AbiResult<RVec<u8>> {
        guard(|| {
            let model = loaded(state).model.as_ref();
            let mut info = model.info();
            info.has_embeddings |= model.video_embeddings().is_some();
            info.methods = crate::call::methods(model, &info);
            Ok(message::encode(&info)?.into())
        })
    }

    extern "C" fn call_model(state: *const c_void, request: Request<'_>) -> AbiResult<Reply> {
        guard(|| {
            let Loaded { model, host } = loaded(state);
            let buffers: Vec<&[u8]> = request.buffers.iter().map(|view| view.bytes.as_slice()).collect();
            let (message, buffers) = crate::call::call(
                model.as_ref(),
                *host,
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

    extern "C" fn release_model(state: *mut c_void) {
        let released = guard(|| {
            // SAFETY: `load_model` made `state` from a `Box<Loaded>`; the host releases it once, last.
            drop(unsafe { Box::from_raw(state.cast::<Loaded>()) });
            Ok(())
        });
        // A model that panics while it is dropped has told so on standard error; nobody waits for an answer.
        drop(released);
    }

    /// What a model handle points to.
    struct Loaded {
        model: Box<dyn Model>,
        host: Host,
    }

    fn loaded<'a>(state: *const c_void) -> &'a Loaded {
        // SAFETY: `load_model` made `state` from a `Box<Loaded>`, which lives until `release_model`, and the host
        // calls nothing after that.
        unsafe { &*state.cast::<Loaded>() }
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
