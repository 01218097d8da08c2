//! What the services of a run log, all of it, kept in a file for whoever looks for what should not be there.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

use tracing_subscriber::EnvFilter;

static KEPT: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("it.log");
    let file = Mutex::new(File::create(&path).unwrap());
    let everything = EnvFilter::new("souche=trace,actix=debug,info");
    tracing_subscriber::fmt().json().with_env_filter(everything).with_writer(file).init();
    path
});

/// Keeps the log from here on.
pub fn keep() {
    LazyLock::force(&KEPT);
}

/// All that was logged so far in this run.
pub fn so_far() -> String {
    String::from_utf8_lossy(&fs::read(&*KEPT).unwrap()).into_owned()
}
