//! The door that every request passes before its handler: how often it may come, who it is, and whether
//! its role may and it has shown its second factor, by the table of `domain/access.rs`. Said in this order, before the body is read: 429,
//! 401, 429, 403. Then what every answer carries, and the line that each request leaves in the log.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, ResponseError, web};
use utoipa::openapi::OpenApi;

use super::auth::{Caller, identify};
use super::call::{self, Call};
use super::headers;
use super::limits::{Left, Limits};
use super::{Problem, Service};
use crate::domain::access::{Need, Operation};
use crate::domain::{Actor, Refusal, Timestamp};

/// Operations without a token that try a password or a link, or send a letter.
const SIGN_INS: [&str; 4] =
    ["issue_token", "accept_invitation", "ask_password_reset", "use_password_reset"];

/// What a method at an address leads to.
#[derive(Clone, Copy)]
enum Door {
    To(&'static Operation),
    /// Served, and without its row in the table of access: nobody's.
    Walled,
    /// No operation of ours.
    Nowhere,
}

/// Operations by the template of their address, as the routes have them.
pub(super) struct Doors(HashMap<String, Vec<(Method, Door)>>);

impl Doors {
    /// Those of the contract.
    pub fn new(document: &OpenApi) -> Self {
        let doors = document.paths.paths.iter().map(|(pattern, item)| {
            let all = [
                (Method::GET, &item.get),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            let known = all.into_iter().filter_map(|(method, operation)| {
                let id = operation.as_ref()?.operation_id.as_deref().unwrap_or_default();
                Some((method, Operation::of(id).map_or(Door::Walled, Door::To)))
            });
            (pattern.clone(), known.collect())
        });
        Self(doors.collect())
    }

    fn find(&self, pattern: &str, method: &Method) -> Door {
        let doors = self.0.get(pattern).map(Vec::as_slice).unwrap_or_default();
        doors.iter().find(|(known, _)| known == method).map_or(Door::Nowhere, |(_, door)| *door)
    }
}

/// Lets a request in, or answers in its handler's place.
pub(super) async fn enter(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let began = Instant::now();
    let method = request.method().clone();
    let pattern = request.match_pattern().unwrap_or_default();
    let Some(service) = request.app_data::<web::Data<Service>>().cloned() else {
        return Err(Problem::fault(&anyhow::anyhow!("a request without its service")).into());
    };
    let door = service.doors.find(&pattern, &method);
    let address = address(&request, service.is_behind_proxy);
    let (left, admitted) = admit(&service, &request, door, address).await;
    let call = Arc::new(Call {
        id: call::new_id(),
        operation: if let Door::To(operation) = door { Some(operation) } else { None },
        path: request.path().to_owned(),
        address,
        caller: admitted.as_ref().ok().copied().flatten(),
        query: request.query_string().to_owned(),
        pattern,
    });
    let mut response = match admitted {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            Arc::clone(&call).scope(next.call(request)).await?.map_into_left_body()
        }
        Err(problem) => {
            let refused = Arc::clone(&call).scope(async { problem.error_response() }).await;
            request.into_response(refused).map_into_right_body()
        }
    };
    let pattern = if call.pattern.is_empty() { "(none)" } else { &call.pattern };
    let (status, micros) = (response.status().as_u16(), began.elapsed().as_micros());
    tracing::info!(request = call.id, %method, pattern, status, micros, "answered");
    headers::put(response.headers_mut(), &call.id, left, service.is_behind_proxy);
    Ok(response)
}

/// Who comes in, or why nobody does; and what is left of the tightest limit.
async fn admit(
    service: &Service,
    request: &ServiceRequest,
    door: Door,
    address: Option<IpAddr>,
) -> (Left, Result<Option<Caller>, Problem>) {
    let network = address.map(prefix);
    let nameless = || service.limits.address.take(network);
    let operation = match door {
        Door::To(operation) => operation,
        Door::Nowhere => return braked(nameless(), None),
        Door::Walled => {
            let fault = anyhow::anyhow!("{} has no row in the table of access", request.path());
            return (nameless(), Err(Problem::fault(&fault)));
        }
    };
    if operation.need == Need::Nothing {
        let left = nameless();
        let is_sign_in = SIGN_INS.contains(&operation.id);
        let left =
            if is_sign_in { left.tighter(service.limits.sign_in.take(network)) } else { left };
        return braked(left, None);
    }
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match identify(service, header).await {
        Ok(caller) => {
            let (left, admitted) = braked(of_actor(&service.limits, caller.actor()), Some(caller));
            let now = service.db.clock().now();
            (left, admitted.and_then(|_| permit(operation, caller, now).map(Some)))
        }
        Err(problem) => {
            let (left, admitted) = braked(nameless(), None);
            (left, admitted.and(Err(problem)))
        }
    }
}

fn braked(left: Left, caller: Option<Caller>) -> (Left, Result<Option<Caller>, Problem>) {
    let refused = left.retry_after_seconds().map(Problem::too_many_requests);
    (left, refused.map_or(Ok(caller), Err))
}

/// The narrowest first: what it refuses takes nothing from the others of a site, nor of a programme.
fn of_actor(limits: &Limits, actor: Actor) -> Left {
    let account = limits.account.take(actor.user);
    if account.retry_after_seconds().is_some() {
        return account;
    }
    let left = match actor.site {
        Some(site) => account.tighter(limits.site.take((actor.programme, site))),
        None => account,
    };
    if left.retry_after_seconds().is_some() {
        return left;
    }
    left.tighter(limits.programme.take(actor.programme))
}

fn permit(
    operation: &'static Operation,
    caller: Caller,
    now: Timestamp,
) -> Result<Caller, Problem> {
    let actor = caller.actor();
    let may = match caller {
        Caller::Person(_) => operation.allows(actor.role),
        Caller::Program(..) => operation.allows_key(actor.role),
    };
    if may {
        caller.ensure_shown(operation.proof, now)?;
        return Ok(caller);
    }
    let (user, programme) = (actor.user, actor.programme);
    tracing::warn!(operation = operation.id, %user, %programme, role = ?actor.role, "not allowed");
    Err(Refusal::NotAllowed { action: operation.action().into() }.into())
}

/// Whence a request comes: behind a proxy, what the proxy itself saw, which is the last it added.
fn address(request: &ServiceRequest, is_behind_proxy: bool) -> Option<IpAddr> {
    let peer = request.peer_addr().map(|peer| peer.ip());
    if !is_behind_proxy {
        return peer;
    }
    let forwarded = request.headers().get_all("x-forwarded-for").last();
    let last =
        forwarded.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    last.or(peer)
}

/// What one client may change its address within: a whole /64 in IPv6.
fn prefix(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(v4) => u64::from(v4.to_bits()),
        IpAddr::V6(v6) => u64::try_from(v6.to_bits() >> 64).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ProgrammeId, Role, SiteId, UserId};

    /// Another one at each call.
    fn mediator(site: i32) -> Actor {
        Actor {
            user: UserId::generate(),
            role: Role::SiteMediator,
            programme: ProgrammeId::new(1),
            organisation: None,
            site: Some(SiteId::new(site)),
        }
    }

    /// Many requests at once, more than any limit lets through: what the last refused one was told.
    fn flood(limits: &Limits, actor: Actor) -> String {
        let mut told = String::new();
        for _ in 0..20_000 {
            let left = of_actor(limits, actor);
            if left.retry_after_seconds().is_some() {
                [(_, told), _] = left.headers();
            }
        }
        told
    }

    fn is_let_in(limits: &Limits, actor: Actor) -> bool {
        of_actor(limits, actor).retry_after_seconds().is_none()
    }

    #[test]
    fn an_account_that_floods_takes_nothing_from_its_site_nor_a_site_from_its_programme() {
        let limits = Limits::times(1);
        assert!(flood(&limits, mediator(1)).starts_with("\"account\";r=0;"));
        assert!(is_let_in(&limits, mediator(1)));
        let mut others = (0..20_000).map(|_| of_actor(&limits, mediator(1)));
        let braked = others.find(|left| left.retry_after_seconds().is_some()).unwrap();
        assert!(braked.headers()[0].1.starts_with("\"site\";r=0;"));
        assert!(is_let_in(&limits, mediator(2)));
    }
}
