//! The request under way: what its handler need not be told, and what its traces need to know. The one
//! value of this room that is there without being handed over: a line of the log, a fault and a row of
//! the audit log must name the request, however deep they are.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::Problem;
use super::auth::Caller;
use crate::app::access::Standing;
use crate::app::audit::Asked;
use crate::domain::access::Operation;
use crate::keys::{hex, random};

tokio::task_local! {
    static CALL: Arc<Call>;
}

/// A request under way.
pub(super) struct Call {
    /// Told in `X-Request-Id`, and in every trace.
    pub id: String,
    /// What it calls; nothing for an address that no operation has.
    pub operation: Option<&'static Operation>,
    /// The template of its address, and the address.
    pub pattern: String,
    pub path: String,
    /// Whence it comes.
    pub address: Option<IpAddr>,
    /// What follows the `?` of its address.
    pub query: String,
    /// Who calls, when it was let in by name.
    pub caller: Option<Caller>,
}

impl Call {
    /// Runs the rest of the request, with this call under way.
    pub async fn scope<T>(self: Arc<Self>, rest: impl Future<Output = T>) -> T {
        CALL.scope(self, rest).await
    }
}

/// A new id of a request: 64 random bits.
pub(super) fn new_id() -> String {
    random::<8>().map_or_else(|_| "?".to_owned(), |bytes| hex(&bytes))
}

/// The id of the request under way; a new one outside of any.
pub(super) fn id() -> String {
    CALL.try_with(|call| call.id.clone()).unwrap_or_else(|_| new_id())
}

/// What lets the caller of the request under way act; a fault outside of any, and where nobody was let in.
pub(super) fn standing() -> Result<Standing, Problem> {
    let caller = CALL.try_with(|call| call.caller).ok().flatten();
    let missing = || Problem::fault(&anyhow::anyhow!("a use case without its caller"));
    caller.map(|caller| caller.standing()).ok_or_else(missing)
}

/// The request under way, when its operation leaves a row in the audit log.
pub(super) fn audited() -> Option<Asked> {
    let call = CALL.try_with(Arc::clone).ok()?;
    let operation = call.operation.filter(|operation| operation.is_audited)?;
    Some(Asked {
        operation,
        about: about(&call.pattern, &call.path, &call.query),
        id: call.id.clone(),
        network: call.address.map(network),
        by_api_key: call.caller.is_some_and(|caller| caller.is_program()),
    })
}

/// Parameters of addresses that a trace keeps: which days, which form, to what end. All else could be anything.
const TOLD: [&str; 4] = ["format", "from", "reason", "until"];

/// What an address names: by the braces of its template, and after its `?`.
fn about(pattern: &str, path: &str, query: &str) -> Value {
    let short = |given: &str| Value::String(given.chars().take(50).collect());
    let pairs = pattern.split('/').zip(path.split('/'));
    let named = pairs.filter_map(|(part, given)| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        Some((name.to_owned(), short(given)))
    });
    let asked = query.split('&').filter_map(|pair| {
        let (name, given) = pair.split_once('=')?;
        TOLD.contains(&name).then(|| (name.to_owned(), short(given)))
    });
    Value::Object(named.chain(asked).collect::<Map<_, _>>())
}

/// The network of an address, which many share: /24 in IPv4, /48 in IPv6.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_names_what_the_address_did_and_no_more_than_the_network() {
        let told = about(
            "/api/v1/orders/{order}/print-file",
            "/api/v1/orders/12/print-file",
            "format=csv&email=x@y.example",
        );
        assert_eq!(told, serde_json::json!({ "order": "12", "format": "csv" }));
        for (address, shown) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ] {
            assert_eq!(network(address.parse().unwrap()), shown);
        }
    }
}
