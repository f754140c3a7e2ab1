//! The header for C and the types of this crate are the same contract: what a C and a C++ compiler make of the one is what
//! Rust makes of the other.

use modelzoo_abi::c;
use std::{
    env, fs,
    mem::offset_of,
    path::{Path, PathBuf},
    process::Command,
};

/// Lines of C that print the size of a structure and where its members lie, and the same of the type in Rust.
macro_rules! layouts {
    ($($structure:literal $type:ty { $($member:ident),* })*) => {{
        let mut program = String::new();
        let mut expected = Vec::new();
        $(
            program += &format!("    printf(\"{0} %zu\\n\", sizeof({0}));\n", $structure);
            expected.push(format!("{} {}", $structure, size_of::<$type>()));
            $(
                let member = stringify!($member);
                program += &format!(
                    "    printf(\"{0}.{member} %zu\\n\", offsetof({0}, {member}));\n", $structure
                );
                expected.push(format!("{}.{member} {}", $structure, offset_of!($type, $member)));
            )*
        )*
        (program, expected)
    }};
}

/// Lines of C that print constants, and the same of the crate.
macro_rules! constants {
    ($($name:literal $value:expr),*) => {{
        let mut program = String::new();
        let mut expected = Vec::new();
        $(
            program += &format!("    printf(\"{0} %d\\n\", (int){0});\n", $name);
            expected.push(format!("{} {}", $name, $value));
        )*
        (program, expected)
    }};
}

fn include() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../include")
}

/// What a program says that is made of these lines by a compiler.
fn said(compiler: &str, language: &str, standard: &str, lines: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, program) = (
        folder.join(format!("layouts.{language}")),
        folder.join(format!("layouts-{language}")),
    );
    let code = format!(
        "#include \"modelzoo_message.h\"\n#include <stdio.h>\nint main(void) {{\n{lines}    return 0;\n}}\n"
    );
    fs::write(&source, code).expect("the folder of tests can be written to");
    let compiled = Command::new(compiler)
        .args([standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"])
        .args([include(), source, "-o".into(), program.clone()])
        .output()
        .unwrap_or_else(|error| panic!("{compiler} is needed: {error}"));
    assert!(
        compiled.status.success(),
        "{}",
        String::from_utf8_lossy(&compiled.stderr)
    );
    let output = Command::new(program).output().expect("what was compiled runs");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("it prints ASCII");
    text.lines().map(str::to_owned).collect()
}

/// A compiler as the environment names it.
fn compiler(variable: &str, usual: &str) -> String {
    env::var(variable).unwrap_or_else(|_| usual.to_owned())
}

#[test]
fn the_header_and_the_crate_are_the_same_contract() {
    let (layouts, mut expected) = layouts! {
        "modelzoo_text" c::Text { data, length }
        "modelzoo_bytes" c::Bytes { data, length }
        "modelzoo_request" c::Request { size, method, message, buffers, buffer_count }
        "modelzoo_reply" c::Reply { size, message, buffers, buffer_count, owner, release }
        "modelzoo_host" c::Host { size, context, call }
        "modelzoo_download" c::Download { size, name, path, host }
        "modelzoo_load" c::Load { size, name, path, options, host }
        "modelzoo_model" c::Model { size, state, info, call, release }
        "modelzoo_plugin_table" c::PluginTable { contract, size, download_model, load_model }
    };
    let (constants, more) = constants! {
        "MODELZOO_CONTRACT" c::CONTRACT,
        "MODELZOO_DONE" c::DONE,
        "MODELZOO_FAILED" c::FAILED,
        "MODELZOO_UNSUPPORTED" c::UNSUPPORTED,
        "MODELZOO_INVALID_INPUT" c::INVALID_INPUT,
        "MODELZOO_INVALID_OPTION" c::INVALID_OPTION,
        "MODELZOO_WEIGHTS" c::WEIGHTS,
        "MODELZOO_CANCELLED" c::CANCELLED
    };
    expected.extend(more);
    let lines = layouts + &constants;
    assert_eq!(said(&compiler("CC", "cc"), "c", "-std=c99", &lines), expected);
    assert_eq!(
        said(&compiler("CXX", "c++"), "cpp", "-std=c++11", &lines),
        expected
    );
}

#[test]
fn every_structure_of_the_header_is_compared() {
    let header = fs::read_to_string(include().join("modelzoo.h")).expect("the header is there");
    let own = include_str!("header.rs");
    let structures = header.matches("typedef struct ").count();
    assert_eq!(structures, 9);
    for part in header.split("typedef struct ").skip(1) {
        let name = part.split([' ', '{']).next().unwrap_or_default();
        assert!(own.contains(&format!("\"{name}\" c::")), "{name}");
    }
    assert!(header.contains(&format!("{}(void);", c::ENTRY_NAME)));
}
