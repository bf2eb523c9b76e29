//! What this machine is and how much a process used of it, from Linux's `/proc`.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::Stopwatch;

/// Clock ticks per second in `/proc/PID/stat`; 100 on every Linux that Rust runs on.
const TICKS_PER_S: f64 = 100.0;

/// Cores and processor, for the head of the sheet.
pub fn describe() -> Value {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unknown", |(_, name)| name.trim());
    json!({ "cores": cores, "processor": model })
}

/// How many times a second 4 KiB can be appended and made durable in `folder`.
pub fn fsyncs_per_s(folder: &Path) -> std::io::Result<f64> {
    let path = folder.join("fsync-rate");
    let mut file = std::fs::File::create(&path)?;
    let watch = Stopwatch::start();
    let mut times = 0u32;
    while times < 20 || watch.seconds() < 1.0 {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times += 1;
    }
    let rate = f64::from(times) / watch.seconds();
    std::fs::remove_file(path)?;
    Ok(rate)
}

/// What a process used from start to end.
pub struct Used {
    pub success: bool,
    pub seconds: f64,
    pub cpu_seconds: f64,
    pub peak_bytes: u64,
}

/// Runs a command to its end. Memory is sampled, so the last milliseconds may be missed.
pub fn run(mut command: Command) -> std::io::Result<Used> {
    let children_before = children_cpu_seconds();
    let watch = Stopwatch::start();
    let mut child = command.spawn()?;
    let mut peak = 0;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Used {
                success: status.success(),
                seconds: watch.seconds(),
                cpu_seconds: children_cpu_seconds() - children_before,
                peak_bytes: peak,
            });
        }
        peak = peak.max(peak_bytes(child.id()));
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The largest resident memory that a process has had, in bytes; 0 when it is gone.
pub fn peak_bytes(pid: u32) -> u64 {
    std::fs::read_to_string(format!("/proc/{pid}/status"))
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB"))
        .and_then(|kib| kib.trim().parse::<u64>().ok())
        .map_or(0, |kib| kib * 1024)
}

/// CPU seconds, user and system, that a running process has used.
pub fn cpu_seconds(pid: u32) -> f64 {
    stat(&pid.to_string(), 11)
}

/// CPU seconds of this process's children that have ended.
fn children_cpu_seconds() -> f64 {
    stat("self", 13)
}

/// The sum of two neighbouring fields after the process's name in `/proc/PID/stat`.
fn stat(pid: &str, field: usize) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = text.rsplit_once(')').map_or("", |(_, after)| after);
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|text| text.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    (ticks(field) + ticks(field + 1)) / TICKS_PER_S
}

/// Bytes that the disk gives to all files below a folder: a file that was set aside and is still
/// empty takes none.
pub fn bytes_under(folder: &Path) -> u64 {
    let mut bytes = 0;
    let mut todo = vec![folder.to_path_buf()];
    while let Some(path) = todo.pop() {
        let Ok(about) = path.symlink_metadata() else {
            continue;
        };
        if about.is_dir() {
            let inside = std::fs::read_dir(&path).into_iter().flatten().flatten();
            todo.extend(inside.map(|entry| entry.path()));
        } else {
            bytes += about.blocks() * 512;
        }
    }
    bytes
}

/// Bytes of the files directly in `folder` whose names begin with `prefix`.
pub fn bytes_of(folder: &Path, prefix: &str) -> u64 {
    let inside = std::fs::read_dir(folder).into_iter().flatten().flatten();
    inside
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .filter_map(|entry| entry.metadata().ok())
        .map(|about| about.blocks() * 512)
        .sum()
}
