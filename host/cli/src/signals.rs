//! When the user, or the system, ends the program: nothing half-written is left behind.

use modelzoo::output::remove_temporaries;

/// From now on, a signal that ends the program first clears away what is temporary. Worker processes and FFmpeg's end with
/// the program by themselves.
#[cfg(unix)]
pub fn clear_up_when_ended() {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
        low_level::emulate_default_handler,
    };
    // Without it the program ends all the same, and leaves what it leaves.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
        return;
    };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            let _none = remove_temporaries();
            // As if nobody had waited for the signal: who started the program sees what ended it.
            let _ = emulate_default_handler(signal);
        }
    });
}

/// Elsewhere temporary files have names that say what they are.
#[cfg(not(unix))]
pub fn clear_up_when_ended() {
    let _ = remove_temporaries;
}
