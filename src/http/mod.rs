//! The REST API. A handler reads, calls one use case and writes; what a refusal costs in HTTP is said
//! in one place (`problem.rs`).

pub mod api;
mod auth;
mod document;
mod headers;
mod page;
mod problem;
mod stream;
mod unmatched;
mod write;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use serde::Serialize;
use utoipa_actix_web::AppExt;

pub use document::openapi;
pub use problem::Problem;

use crate::app::access::{Gate, Watch};
use crate::app::redemption::Writer;
use crate::app::{Outcome, once};
use crate::db::{Db, Scope, Tx};
use crate::domain::Actor;
use crate::error::{Error, Result};
use crate::keys::Keys;
use write::Write;

/// How long a client may take to send its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that wait to be taken up: a region's counters, all at once after an outage.
const BACKLOG: i32 = 1_024;
/// Connections that one worker holds at once.
const MAX_CONNECTIONS: usize = 1_024;

/// What every handler works with.
pub struct Service {
    db: Db,
    keys: Keys,
    gate: Gate,
    _watch: Watch,
    redemptions: Writer,
    public_url: String,
}

impl Service {
    /// On that database, with those keys. `public_url` is the page that explains a pass, printed in its
    /// QR code, without `https://`.
    pub fn new(db: Db, keys: Keys, public_url: &str) -> anyhow::Result<Self> {
        let gate = Gate::new(db.clone(), keys.clone())?;
        Ok(Self {
            _watch: Watch::start(&db, &gate.tokens)?,
            gate,
            redemptions: Writer::start(&db, &keys)?,
            public_url: public_url.to_owned(),
            db,
            keys,
        })
    }

    /// Runs a use case that only reads.
    async fn read<T: Send + 'static>(
        &self,
        actor: Actor,
        work: impl FnOnce(&mut Tx<'_>, &Actor) -> Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        Ok(self.db.transact(Scope::Programme(actor.programme), move |tx| work(tx, &actor)).await?)
    }

    /// Takes notice of sessions that were just ended, so that none of their tokens is taken here any more.
    async fn sessions_ended(&self) -> Result<(), Problem> {
        let gate = self.gate.clone();
        let looked = web::block(move || gate.tokens.look(&gate.db)).await;
        Ok(looked.map_err(|error| Problem::busy(&error.to_string()))??)
    }

    /// Runs a use case that writes, once for its key, and answers 201 with what it made.
    async fn write<B: Send + 'static, T: Serialize>(
        &self,
        actor: Actor,
        write: Write<B>,
        work: impl FnOnce(&mut Tx<'_>, &Actor, B) -> Result<T> + Send + 'static,
    ) -> Result<HttpResponse, Problem> {
        let Write { key, body } = write;
        let done = self.db.transact(Scope::Programme(actor.programme), move |tx| {
            once(tx, actor.user, &key, |tx| work(tx, &actor, body))
        });
        created(done.await?)
    }
}

/// 201 with the answer that is kept with the key; a refusal is told as it was told first.
fn created(outcome: Outcome) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Created().json(outcome.into_result()?))
}

/// Serves until the process is told to stop; requests under way are finished first.
pub fn serve(listener: TcpListener, service: Service, workers: usize) -> io::Result<()> {
    socket2::SockRef::from(&listener).listen(BACKLOG)?;
    let service = web::Data::from(Arc::new(service));
    let document = Arc::new(openapi());
    let server = HttpServer::new(move || {
        let (app, _) = App::new()
            .app_data(service.clone())
            .app_data(problem::query_config())
            .app_data(problem::path_config())
            .into_utoipa_app()
            .configure(api::routes)
            .split_for_parts();
        app.default_service(web::to(unmatched::answer(document.clone())))
            .wrap(actix_web::middleware::from_fn(headers::set))
    });
    let server = server
        .workers(workers)
        .client_request_timeout(HEADER_TIMEOUT)
        .max_connections(MAX_CONNECTIONS)
        .shutdown_timeout(10)
        .listen(listener)?
        .run();
    actix_web::rt::System::new().block_on(server)
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Busy(why) => Self::busy(&why),
            Error::Unknown(why) => Self::unknown_outcome(&why),
            Error::Fault(fault) => Self::fault(&fault),
        }
    }
}
