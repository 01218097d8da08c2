//! A file that leaves as it is made: a thread writes, the connection reads, and neither holds the whole.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Pieces on their way at once: a slow client makes the writer wait.
const PIECES: usize = 8;
/// Size of a piece: written to as it is filled.
const PIECE_BYTES: usize = 64 * 1024;

/// A body made by `write`, on a thread of its own.
pub(super) fn stream(
    write: impl FnOnce(&mut Pieces) -> io::Result<()> + Send + 'static,
) -> Streamed {
    let (sender, pieces) = channel(PIECES);
    actix_web::rt::task::spawn_blocking(move || {
        let mut out = Pieces { sender: sender.clone(), piece: Vec::with_capacity(PIECE_BYTES) };
        let written = write(&mut out).and_then(|()| io::Write::flush(&mut out));
        if let Err(error) = written {
            // Breaks the connection off: half a file must not look like a whole one.
            let _ = sender.blocking_send(Err(error));
        }
    });
    Streamed { pieces }
}

/// Where the writer writes.
pub(super) struct Pieces {
    sender: Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES));
        self.sender
            .blocking_send(Ok(piece.into()))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

/// What the connection reads.
pub(super) struct Streamed {
    pieces: Receiver<io::Result<Bytes>>,
}

impl MessageBody for Streamed {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        self.pieces.poll_recv(context)
    }
}
