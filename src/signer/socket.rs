//! The signer behind a Unix socket: one line of JSON in, one out. Who may write to the socket may ask,
//! and nothing that is asked makes it sign another past.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::{Answer, Ask, Local};

/// Longest line: a proof has at most 64 hashes.
const MAX_BYTES: u64 = 16 * 1024;
/// How long either side waits for the other.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks the signer behind a socket.
pub(super) fn ask(socket: &Path, ask: &Ask) -> anyhow::Result<Answer> {
    let stream = UnixStream::connect(socket)
        .with_context(|| format!("the signer at {} does not answer", socket.display()))?;
    write_line(&stream, &serde_json::to_string(ask)?)?;
    let line = read_line(&stream)?;
    serde_json::from_str(&line).with_context(|| format!("the signer said: {}", line.trim_end()))
}

/// Answers until the process is told to stop; `started` is called once it listens.
pub fn serve(signer: &Local, socket: &Path, started: impl FnOnce()) -> anyhow::Result<()> {
    // What a signer that was killed left behind; a living one answers.
    if UnixStream::connect(socket).is_err() && socket.exists() {
        fs::remove_file(socket)?;
    }
    let listener = UnixListener::bind(socket)
        .with_context(|| format!("{} can't be listened on", socket.display()))?;
    fs::set_permissions(socket, Permissions::from_mode(0o660))?;
    started();
    for stream in listener.incoming() {
        let done = stream.map_err(anyhow::Error::from).and_then(|stream| answer(signer, &stream));
        if let Err(error) = done {
            tracing::warn!("a question was not answered: {error:#}");
        }
    }
    Ok(())
}

fn answer(signer: &Local, stream: &UnixStream) -> anyhow::Result<()> {
    let ask: Ask = serde_json::from_str(&read_line(stream)?)?;
    let answer = signer.sign(&ask)?;
    if let Answer::Refused { because } = &answer {
        tracing::error!("{} is not signed: {because}", ask.log);
    }
    write_line(stream, &serde_json::to_string(&answer)?)
}

fn write_line(mut stream: &UnixStream, line: &str) -> anyhow::Result<()> {
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(format!("{line}\n").as_bytes())?;
    Ok(())
}

fn read_line(stream: &UnixStream) -> anyhow::Result<String> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut line = String::new();
    BufReader::new(stream.take(MAX_BYTES)).read_line(&mut line)?;
    ensure!(line.ends_with('\n'), "the line was cut off");
    Ok(line)
}
