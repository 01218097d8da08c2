//! The load: so many connections, each sending its next request when the last is answered. All on one thread, as
//! pgbench does: what a client costs is no part of what is measured, and it shares the cores.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// What a round came to.
pub(super) struct Round {
    /// Redemptions acknowledged with 201.
    pub acknowledged: usize,
    /// The same, per second.
    pub per_second: f64,
    /// 99 of a hundred were answered in so many milliseconds.
    pub p99_ms: f64,
}

/// Longest wait for any answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends requests over `connections` connections for so many seconds; `next` makes the next one, whole.
pub(super) fn run(
    address: SocketAddr,
    connections: usize,
    seconds: u64,
    next: &impl Fn() -> Option<Vec<u8>>,
) -> anyhow::Result<Round> {
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(connections));
    let mut open = Vec::with_capacity(connections);
    for n in 0..connections {
        let mut stream = TcpStream::from_std(connect(address)?);
        poll.registry().register(&mut stream, Token(n), Interest::READABLE)?;
        open.push(Connection {
            stream,
            buffer: vec![0; 16 * 1024],
            filled: 0,
            sent_at: Instant::now(),
            is_known_to_sign: false,
        });
    }
    let began = Instant::now();
    let lasts = Duration::from_secs(seconds);
    for connection in &mut open {
        connection.send(next)?;
    }
    let (mut taken, mut busy) = (Vec::new(), connections);
    while busy > 0 {
        match poll.poll(&mut events, Some(PATIENCE)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        ensure!(!events.is_empty(), "{busy} requests were not answered in {PATIENCE:?}");
        for event in &events {
            let Some(connection) = open.get_mut(event.token().0) else { continue };
            if !connection.is_answered()? {
                continue;
            }
            taken.push(connection.sent_at.elapsed());
            if began.elapsed() < lasts {
                connection.send(next)?;
            } else {
                busy = busy.saturating_sub(1);
            }
        }
    }
    let elapsed = began.elapsed().as_secs_f64();
    taken.sort_unstable();
    let p99 = taken.get(taken.len().saturating_mul(99) / 100).copied().unwrap_or_default();
    Ok(Round {
        acknowledged: taken.len(),
        per_second: taken.len() as f64 / elapsed,
        p99_ms: p99.as_secs_f64() * 1000.0,
    })
}

fn connect(address: SocketAddr) -> anyhow::Result<std::net::TcpStream> {
    let stream = std::net::TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// One connection, and what came of its answer so far.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    sent_at: Instant,
    is_known_to_sign: bool,
}

impl Connection {
    fn send(&mut self, next: &impl Fn() -> Option<Vec<u8>>) -> anyhow::Result<()> {
        let request = next().context("the passes ran out: give more with --passes")?;
        (self.filled, self.sent_at) = (0, Instant::now());
        // A few hundred bytes, and all before them were read: there is room for them.
        Ok(self.stream.write_all(&request)?)
    }

    /// Reads what there is. True once the answer is whole; one that is no 201 ends the benchmark.
    fn is_answered(&mut self) -> anyhow::Result<bool> {
        loop {
            let room = self.buffer.get_mut(self.filled..).context("an answer too long")?;
            match self.stream.read(room) {
                Ok(0) => bail!("the connection was closed"),
                Ok(n) => self.filled = self.filled.saturating_add(n),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            }
            let so_far = self.buffer.get(..self.filled).unwrap_or_default();
            if is_whole(so_far) {
                ensure!(
                    so_far.starts_with(b"HTTP/1.1 201 "),
                    "a redemption was answered {}",
                    String::from_utf8_lossy(so_far)
                );
                if !self.is_known_to_sign {
                    let answer = String::from_utf8_lossy(so_far);
                    ensure!(
                        !answer.contains(r#""signature":null"#),
                        "a receipt bears no signature"
                    );
                    self.is_known_to_sign = true;
                }
                return Ok(true);
            }
        }
    }
}

/// Is this the head of an answer, and all of the body that it tells of?
fn is_whole(so_far: &[u8]) -> bool {
    const LENGTH: &[u8] = b"content-length: ";
    let Some(end) = so_far.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return false };
    let (head, body) = so_far.split_at(end.saturating_add(4));
    let length = head
        .split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(LENGTH))
        .and_then(|length| std::str::from_utf8(length).ok()?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}
