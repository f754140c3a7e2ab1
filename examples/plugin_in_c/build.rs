//! Compiles the plugin, which is written in C.

fn main() {
    println!("cargo::rerun-if-changed=src");
    cc::Build::new()
        .file("src/brightness.c")
        .std("c99")
        .warnings_into_errors(true)
        .compile("brightness");
}
