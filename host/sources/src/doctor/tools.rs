//! The programs that building and some inputs need.
use super::{Check, Machine};
use std::io;

/// What the plugins' SDK needs, as this project itself.
const OLDEST_RUST: &str = env!("CARGO_PKG_RUST_VERSION");
const INSTALL_RUST: &str = "install Rust from https://rustup.rs if you need sources that are not compiled";
/// What is missing where plugins cannot be compiled, and what is not.
const WITHOUT_BUILDS: &str = "sources cannot be compiled; published models and compiled plugins run";

pub(super) fn checks(machine: &dyn Machine) -> Vec<Check> {
    vec![
        git(),
        rust(machine, "cargo"),
        rust(machine, "rustc"),
        linker(machine),
        ffmpeg(machine),
        gpu(machine),
    ]
}

/// Fetching needs no program.
fn git() -> Check {
    let (major, minor, patch) = git2::Version::get().libgit2_version();
    Check::good("git", format!("libgit2 {major}.{minor}.{patch} is built in"))
}

fn rust(machine: &dyn Machine, program: &'static str) -> Check {
    let line = match machine.output(program, &["--version"]) {
        Ok(output) => first_line(&output),
        Err(error) => {
            let detail = format!("{}: {WITHOUT_BUILDS}", missing(program, &error));
            return Check::warning(program, detail, INSTALL_RUST);
        }
    };
    let version = line
        .split_whitespace()
        .nth(1)
        .and_then(|version| version.parse().ok());
    match (version, semver::Version::parse(&format!("{OLDEST_RUST}.0"))) {
        // The nightly of a version comes before it, but has what it has.
        (Some(semver::Version { major, minor, .. }), Ok(oldest))
            if (major, minor) < (oldest.major, oldest.minor) =>
        {
            let detail = format!("{line} is older than {OLDEST_RUST}, which plugins need: {WITHOUT_BUILDS}");
            Check::warning(program, detail, "run `rustup update`")
        }
        _ => Check::good(program, line),
    }
}

fn linker(machine: &dyn Machine) -> Check {
    let name = "linker";
    if cfg!(windows) {
        return Check::good(name, "rustc finds the one of Visual Studio by itself");
    }
    for program in ["cc", "gcc", "clang"] {
        if let Ok(output) = machine.output(program, &["--version"]) {
            return Check::good(name, format!("{program}: {}", first_line(&output)));
        }
    }
    let remedy = if cfg!(target_os = "macos") {
        "run `xcode-select --install`"
    } else {
        "install a C compiler (Debian: apt-get install build-essential)"
    };
    let detail = format!("no C compiler is found (cc, gcc, clang): {WITHOUT_BUILDS}");
    Check::warning(name, detail, remedy)
}

fn ffmpeg(machine: &dyn Machine) -> Check {
    let name = "ffmpeg";
    match machine.output("ffmpeg", &["-version"]) {
        Ok(output) => Check::good(name, first_line(&output)),
        Err(error) => {
            let detail = format!(
                "{}: videos, HEIC and AVIF cannot be read, other images can",
                missing("ffmpeg", &error)
            );
            Check::warning(name, detail, "install ffmpeg if you need videos")
        }
    }
}

/// A machine without a GPU is no worse for it.
fn gpu(machine: &dyn Machine) -> Check {
    let name = "gpu";
    if cfg!(target_os = "macos") {
        return Check::good(name, "Metal is part of the system");
    }
    let Ok(devices) = machine.output("nvidia-smi", &["-L"]) else {
        return Check::good(name, "no NVIDIA GPU is found; models run on the CPU");
    };
    let devices = devices.lines().map(without_serial).collect::<Vec<_>>().join(", ");
    match machine.output("nvcc", &["--version"]) {
        Ok(output) => {
            let version = output
                .lines()
                .find(|line| line.contains("release"))
                .unwrap_or_default();
            Check::good(name, format!("{devices}; {}", version.trim()))
        }
        Err(error) => {
            let detail = format!("{devices}; {}: models run on the CPU", missing("nvcc", &error));
            Check::warning(
                name,
                detail,
                "install the CUDA toolkit to build plugins for the GPU",
            )
        }
    }
}

/// `GPU 0: NVIDIA A100 (UUID: GPU-...)` without what tells this one from all others.
fn without_serial(line: &str) -> &str {
    line.split(" (UUID").next().unwrap_or(line)
}

fn missing(program: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("{program} is not installed"),
        _ => format!("{program} does not work ({error})"),
    }
}

fn first_line(output: &str) -> String {
    output.lines().next().unwrap_or_default().trim().to_owned()
}
