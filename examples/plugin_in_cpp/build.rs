//! Compiles the plugin, which is written in C++.

fn main() {
    println!("cargo::rerun-if-changed=src");
    cc::Build::new()
        .cpp(true)
        .file("src/brightest.cpp")
        .std("c++11")
        .warnings_into_errors(true)
        .compile("brightest");
}
