//! A macro that tries to get out of the compiler.

use hostile_attempts::build;
use proc_macro::TokenStream;
use std::{env, path::PathBuf};

/// Expands to nothing; or fails, after it has told what came of each attempt, where the source is to attack.
#[proc_macro]
pub fn attack(_: TokenStream) -> TokenStream {
    let source = env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    let Some(lines) = build::attack(&source) else {
        return TokenStream::new();
    };
    for line in lines {
        eprintln!("macro: {line}");
    }
    "compile_error!(\"it was tried\");".parse().unwrap_or_default()
}
