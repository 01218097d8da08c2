//! The REST API. A handler reads, calls one use case and writes; what a refusal costs in HTTP is said
//! in one place (`problem.rs`).

pub mod api;
mod auth;
mod call;
mod document;
mod door;
mod headers;
mod limits;
mod pace;
mod page;
mod problem;
mod stream;
mod unmatched;
mod write;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpResponse, HttpServer, web};
use serde::Serialize;
use serde_json::Value;
use utoipa_actix_web::AppExt;

pub use document::openapi;
pub use problem::Problem;

use crate::app::access::{Gate, Watch};
use crate::app::api_key::Ring;
use crate::app::audit::{self, Trace};
use crate::app::evidence::Escrow;
use crate::app::redemption::Writer;
use crate::app::{Outcome, once};
use crate::db::{Db, Scope, Tx};
use crate::domain::text::Email;
use crate::domain::{Actor, ProgrammeId};
use crate::error::{Error, Result};
use crate::keys::Keys;
use door::Doors;
use limits::Limits;
use pace::Pace;
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
    verifications: Pace,
    api_keys: Ring,
    doors: Doors,
    limits: Limits,
    is_behind_proxy: bool,
    escrow: Option<Escrow>,
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
            verifications: Pace::default(),
            api_keys: Ring::default(),
            doors: Doors::new(&openapi()),
            limits: Limits::times(1),
            is_behind_proxy: false,
            escrow: None,
            db,
            keys,
        })
    }

    /// The page that verifies receipts, without `https://`: of the same host as the one that explains a pass.
    fn verifier(&self) -> String {
        format!("{}/verifier", self.public_url.split('/').next().unwrap_or_default())
    }

    /// The same, that lets so many times as much through.
    #[must_use]
    pub fn with_limits_times(self, factor: u32) -> Self {
        Self { limits: Limits::times(factor), ..self }
    }

    /// The same, reached by a reverse proxy alone, which has a certificate and says who asks.
    #[must_use]
    pub fn behind_proxy(self, is_behind_proxy: bool) -> Self {
        Self { is_behind_proxy, ..self }
    }

    /// The same, whose metrics tell how old the copies in escrow are.
    #[must_use]
    pub fn watching(self, escrow: Option<Escrow>) -> Self {
        Self { escrow, ..self }
    }

    /// Runs a use case that only reads; its trace is written with it, when it leaves one. What lets the caller act
    /// is asked again in its transaction.
    async fn read<T: Send + 'static>(
        &self,
        actor: Actor,
        work: impl FnOnce(&mut Tx<'_>, &Actor) -> Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let (asked, standing) = (call::audited(), call::standing()?);
        let read = self.db.transact(Scope::Programme(actor.programme), move |tx| {
            standing.ensure(tx)?;
            let read = work(tx, &actor)?;
            if let Some(asked) = &asked {
                audit::record(tx, asked, Some(&actor), &Outcome::Done(Value::Null))?;
            }
            Ok(read)
        });
        Ok(read.await?)
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
        created(self.perform(actor, write, work).await?.0)
    }

    /// The same, not answered yet; and whether it was done now, not told again. What lets the caller act is held in
    /// the same transaction, and its trace is written there, when it leaves one.
    async fn perform<B: Send + 'static, T: Serialize>(
        &self,
        actor: Actor,
        write: Write<B>,
        work: impl FnOnce(&mut Tx<'_>, &Actor, B) -> Result<T> + Send + 'static,
    ) -> Result<(Outcome, bool), Problem> {
        let Write { key, body } = write;
        let (asked, standing) = (call::audited(), call::standing()?);
        let done = self.db.transact(Scope::Programme(actor.programme), move |tx| {
            standing.hold(tx)?;
            let (mut is_new, mut trace) = (false, None);
            let outcome = once(tx, actor.user, &key, |tx| {
                is_new = true;
                trace = asked.map(|asked| Trace::begin(tx, asked, &actor)).transpose()?;
                work(tx, &actor, body)
            })?;
            if let Some(trace) = trace {
                trace.end(tx, &outcome)?;
            }
            Ok((outcome, is_new))
        });
        Ok(done.await?)
    }

    /// Leaves the trace of a refusal told outside of [`Self::write`], about an account: in the programme of who
    /// asked; in the instance when nobody was let in, where the address that was named bears a name that tells it
    /// from others and no more. What was done has left its own, in its transaction.
    async fn audit_refusal<T>(
        &self,
        who: Option<Actor>,
        account: Option<&Email>,
        done: &Result<T>,
    ) -> Result<(), Problem> {
        let Err(Error::Refused(refusal)) = done else { return Ok(()) };
        let Some(mut asked) = call::audited() else { return Ok(()) };
        let outcome = Outcome::Refused(refusal.clone());
        if let Some(email) = account {
            asked = asked.about_account(&self.keys, email);
        }
        let programme = who.map_or(ProgrammeId::INSTANCE, |who| who.programme);
        let trace = self.db.transact(Scope::Programme(programme), move |tx| {
            audit::record(tx, &asked, who.as_ref(), &outcome)
        });
        Ok(trace.await?)
    }
}

/// 201 with the answer that is kept with the key; a refusal is told as it was told first.
fn created(outcome: Outcome) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Created().json(outcome.into_result()?))
}

/// Serves until the process is told to stop; requests under way are finished first.
pub fn serve(listener: TcpListener, service: Service, workers: usize) -> io::Result<()> {
    actix_web::rt::System::new().block_on(server(listener, service, workers)?)
}

/// What serves once it is waited for; its handle stops it, and all that the service does by itself.
pub fn server(listener: TcpListener, service: Service, workers: usize) -> io::Result<Server> {
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
            .wrap(actix_web::middleware::from_fn(door::enter))
    });
    let server = server
        .workers(workers)
        .client_request_timeout(HEADER_TIMEOUT)
        .max_connections(MAX_CONNECTIONS)
        .shutdown_timeout(10)
        .listen(listener)?;
    Ok(server.run())
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
