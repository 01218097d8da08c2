//! The service, served to the load, and ended before its database.

use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use anyhow::Context;

use super::world::World;
use crate::http::{self, Service};

/// One account sends all of the load: its limits are counted, and far away.
const UNBRAKED: u32 = 1_000;

/// The service of a world. Ends when it is dropped: its connections are closed before the server is gone.
pub(super) struct Counter {
    pub address: SocketAddr,
    handle: ServerHandle,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Counter {
    /// Opens it, with two threads for HTTP.
    pub fn open(world: &World) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let service = Service::new(world.db.clone(), world.keys.clone(), "bench.example/p")?
            .with_limits_times(UNBRAKED);
        let (tell, told) = sync_channel(1);
        let thread = thread::spawn(move || {
            System::new().block_on(async move {
                let server = http::server(listener, service, 2)?;
                drop(tell.send(server.handle()));
                server.await
            })
        });
        let handle = told.recv().context("the service does not start")?;
        Ok(Self { address, handle, thread: Some(thread) })
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        System::new().block_on(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
