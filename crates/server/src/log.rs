//! The application log: to standard error, by `HOMECOMING_LOG` (default `warn`).
//!
//! It never holds content, names, keys or tokens; a line names a request by its id.

/// Starts it; a second call changes nothing.
pub fn start() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("HOMECOMING_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .try_init();
}
