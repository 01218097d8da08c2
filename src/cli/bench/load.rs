//! The load: so many connections, each sending its next request when the last is answered.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// What a round came to.
pub(super) struct Round {
    /// Redemptions acknowledged with 201.
    pub acknowledged: usize,
    /// The same, per second.
    pub per_second: f64,
    /// 99 of a hundred were answered in so many milliseconds.
    pub p99_ms: f64,
}

/// Sends requests over `connections` connections for so many seconds; `next` makes the next one, whole.
pub(super) fn run(
    address: SocketAddr,
    connections: usize,
    seconds: u64,
    next: &(impl Fn() -> Option<Vec<u8>> + Sync),
) -> anyhow::Result<Round> {
    let stop = AtomicBool::new(false);
    let taken: Mutex<Vec<Duration>> = Mutex::new(Vec::new());
    let began = Instant::now();
    thread::scope(|scope| -> anyhow::Result<()> {
        let workers: Vec<_> = (0..connections)
            .map(|_| {
                thread::Builder::new().stack_size(128 * 1024).spawn_scoped(
                    scope,
                    || -> anyhow::Result<()> {
                        let mine = one_connection(address, &stop, next)?;
                        taken
                            .lock()
                            .unwrap_or_else(std::sync::PoisonError::into_inner)
                            .extend(mine);
                        Ok(())
                    },
                )
            })
            .collect::<Result<_, _>>()?;
        thread::sleep(Duration::from_secs(seconds));
        stop.store(true, Ordering::Relaxed);
        for worker in workers {
            worker.join().map_err(|_| anyhow::anyhow!("a connection's thread panicked"))??;
        }
        Ok(())
    })?;
    let elapsed = began.elapsed().as_secs_f64();
    let mut taken = taken.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    taken.sort_unstable();
    let p99 = taken.get(taken.len().saturating_mul(99) / 100).copied().unwrap_or_default();
    Ok(Round {
        acknowledged: taken.len(),
        per_second: taken.len() as f64 / elapsed,
        p99_ms: p99.as_secs_f64() * 1000.0,
    })
}

fn one_connection(
    address: SocketAddr,
    stop: &AtomicBool,
    next: &impl Fn() -> Option<Vec<u8>>,
) -> anyhow::Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut taken = Vec::new();
    let mut buffer = vec![0_u8; 16 * 1024];
    while !stop.load(Ordering::Relaxed) {
        let request = next().context("the passes ran out: give more with --passes")?;
        let began = Instant::now();
        stream.write_all(&request)?;
        let status = answer(&mut stream, &mut buffer)?;
        taken.push(began.elapsed());
        if status != 201 {
            bail!(
                "a redemption was answered {status}: {}",
                String::from_utf8_lossy(&buffer).trim_end_matches('\0')
            );
        }
    }
    Ok(taken)
}

/// Reads one answer to its end, and returns its status.
fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> anyhow::Result<u16> {
    let mut filled = 0_usize;
    loop {
        let n = stream.read(buffer.get_mut(filled..).context("an answer too long")?)?;
        if n == 0 {
            bail!("the connection was closed");
        }
        filled = filled.saturating_add(n);
        let so_far = String::from_utf8_lossy(buffer.get(..filled).unwrap_or_default());
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .and_then(|n| n.trim().parse().ok())
            .unwrap_or(0);
        if body.len() >= length {
            return head
                .split(' ')
                .nth(1)
                .and_then(|status| status.parse().ok())
                .context("an answer without a status");
        }
    }
}
