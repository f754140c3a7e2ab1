//! A program that is nothing but a worker: for hosts that cannot be started again themselves.

fn main() -> std::process::ExitCode {
    modelzoo_runtime::run_worker_if_asked(&[]);
    eprintln!("modelzoo-worker is started by programs that embed modelzoo, and does nothing by itself");
    std::process::ExitCode::from(2)
}
