//! The application log: to standard error, by `HOMECOMING_LOG` (`error`, `warn`, `info`, `debug`,
//! `trace` or `off`; `warn` if it says nothing else).
//!
//! It never holds content, names, keys or tokens; a line names a request by its id.

use tracing_subscriber::filter::LevelFilter;

/// Starts it; a second call changes nothing.
pub fn start() {
    let level = std::env::var("HOMECOMING_LOG")
        .ok()
        .and_then(|text| text.parse::<LevelFilter>().ok())
        .unwrap_or(LevelFilter::WARN);
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_target(false)
        .try_init();
}
