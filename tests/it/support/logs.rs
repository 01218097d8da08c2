//! What the services of a run log, all of it, kept in a file for whoever looks for what should not be there.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

use serde_json::Value;
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

/// A secret that was used: kept beside the log, which must hold none. `bin/test` looks when the run is over.
pub fn must_not_hold(secret: &str) {
    static USED: LazyLock<Mutex<File>> = LazyLock::new(|| {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("it.secrets");
        Mutex::new(File::create(path).unwrap())
    });
    // A shorter one would be found by chance, and a word of ours, such as the code of a refusal, for good reason.
    let is_ours = secret.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase());
    if secret.len() >= 12 && !is_ours && !secret.contains(['\n', '\r', '"', '\\']) {
        writeln!(USED.lock().unwrap(), "{secret}").unwrap();
    }
}

/// Every secret in what was asked or answered, by the names of its fields.
pub fn must_not_hold_any_of(told: &Value) {
    const SECRET: [&str; 12] = [
        "access_token",
        "code",
        "current",
        "first_name",
        "last_name",
        "new",
        "password",
        "recovery_codes",
        "refresh_token",
        "secret",
        "token",
        "uri",
    ];
    match told {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if SECRET.contains(&name.as_str()) => must_not_hold(text),
                    Value::Array(texts) if name == "recovery_codes" => {
                        texts.iter().filter_map(Value::as_str).for_each(must_not_hold);
                    }
                    other => must_not_hold_any_of(other),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(must_not_hold_any_of),
        _ => {}
    }
}

/// All that was logged so far in this run.
pub fn so_far() -> String {
    String::from_utf8_lossy(&fs::read(&*KEPT).unwrap()).into_owned()
}
