//! How a plugin exports its root.

/// Exports the [`PluginRootRef`](crate::PluginRootRef) that `$constructor` makes as this library's one entry.
///
/// It is what abi_stable's own attribute expands to, but with paths that need no dependency on abi_stable in the
/// crate that uses it.
#[macro_export]
macro_rules! export_root {
    ($constructor:expr) => {
        const _: () = {
            extern "C" fn root_module() -> $crate::abi_stable::library::RootModuleResult {
                fn construct() -> $crate::PluginRootRef {
                    $constructor()
                }
                $crate::abi_stable::library::__call_root_module_loader(construct)
            }

            // The name under which abi_stable's loader looks for the header.
            #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
            static LIBRARY_HEADER: $crate::abi_stable::library::LibHeader =
                // SAFETY: `root_module` makes exactly the root module that the header's layout constants describe.
                unsafe {
                    $crate::abi_stable::library::LibHeader::from_constructor::<$crate::PluginRootRef>(
                        root_module,
                        $crate::abi_stable::library::CheckTypeLayout::Yes,
                    )
                };
        };
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_exported_name_is_the_one_that_abi_stable_looks_for() {
        assert_eq!(
            abi_stable::library::ROOT_MODULE_LOADER_NAME,
            "_1as_0lib_1header_0root_bmodule_bloader"
        );
    }
}
