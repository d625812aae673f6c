//! Ctrl-C and SIGTERM as a flag that long work looks at.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);
static HANDLER: OnceLock<()> = OnceLock::new();

/// The flag that the first Ctrl-C raises; the second ends the program at once.
pub(super) fn flag() -> &'static AtomicBool {
    HANDLER.get_or_init(|| {
        let handler = || {
            if STOP.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            eprintln!("stopping at the next checkpoint (Ctrl-C again to stop at once)");
        };
        if let Err(error) = ctrlc::set_handler(handler) {
            eprintln!("warning: Ctrl-C will not stop cleanly: {error}");
        }
    });
    &STOP
}
