//! The service over real HTTP, and a client that holds every answer against the contract.

use std::net::{SocketAddr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use actix_web::dev::ServerHandle;
use serde_json::{Value, json};
use souche::app::access::{self, Gate, Signed};
use souche::app::mail::{Sender, deliver_due};
use souche::db::{Clock, Db, Scope, memberships, sessions};
use souche::domain::{Actor, OrganisationId, SiteId, UserId};
use souche::http::{self, Service};
use souche::keys::Keys;

use super::database::TestDatabase;
use super::founding::{opens_account, opens_first_account};
use super::logs;

pub use super::region::PASSWORD;

static CONTRACT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(http::openapi()).unwrap());

/// A service on a database of its own.
pub struct Api {
    pub address: SocketAddr,
    pub clock: Clock,
    pub db: Db,
    pub keys: Keys,
    pub database: TestDatabase,
    /// The same as the service's, to open sessions without hashing a password.
    pub gate: Gate,
    agent: ureq::Agent,
    keys_given: AtomicU32,
    running: Running,
}

/// A service at work, until this is dropped. One that went on would look each second for a database that is gone, and
/// a hundred of them keep the server busy with connections that it refuses.
struct Running(ServerHandle);

impl Drop for Running {
    fn drop(&mut self) {
        // Told at once; nobody has to wait for it.
        drop(self.0.stop(false));
    }
}

/// What was answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub retry_after: Option<String>,
    pub cache_control: String,
    /// Every header, by its name in lower case.
    pub headers: Headers,
    pub bytes: Vec<u8>,
    pub text: String,
}

/// Headers of an answer. They name the request and the instant: no part of what two answers have in common.
#[derive(Clone, Debug, Default)]
pub struct Headers(pub Vec<(String, String)>);

impl PartialEq for Headers {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Answer {
    /// A header that had to be there.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.0.iter().find(|(known, _)| known == name);
        found.map_or_else(|| panic!("no {name}: {:?}", self.headers), |(_, value)| value)
    }

    /// The body, as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// The body of an answer that had to be a success.
    pub fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text);
        self.json()
    }

    /// The code of an answer that had to be a problem of that status.
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.content_type, "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        problem["code"].as_str().unwrap().to_owned()
    }
}

impl Api {
    /// Serves a new instance whose first account is `admin@it.example`.
    pub fn start(clock: Clock) -> Self {
        let database = TestDatabase::new();
        let keys = Keys::generate().unwrap();
        let db = Db::new(&database.service_url(), 8, clock).signing_as(keys.receipt_kid());
        opens_first_account(&db, "admin@it.example");
        Self::serving(db, keys, database)
    }

    /// Serves what is in that database.
    pub fn serving(db: Db, keys: Keys, database: TestDatabase) -> Self {
        logs::keep();
        let clock = db.clock().clone();
        let gate = Gate::new(db.clone(), keys.clone()).unwrap();
        let (address, running) = serve(&db, &keys);
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let keys_given = AtomicU32::new(0);
        Self { address, clock, db, keys, database, gate, agent, keys_given, running }
    }

    /// The same, started again with other keys.
    pub fn restarted(mut self, keys: Keys) -> Self {
        self.db = self.db.signing_as(keys.receipt_kid());
        self.gate = Gate::new(self.db.clone(), keys.clone()).unwrap();
        (self.address, self.running) = serve(&self.db, &keys);
        self.keys = keys;
        self
    }

    /// A token of somebody whose second factor was just shown, in a session of its own; no password is hashed for it.
    pub fn token(&self, actor: &Actor) -> String {
        let factor_at = Some(self.clock.now());
        let session = self.db.transact_blocking(Scope::Programme(actor.programme), |tx| {
            let member = memberships::hold(tx, actor.user, actor.programme)?.unwrap();
            sessions::insert(tx, &member, tx.now + chrono::TimeDelta::hours(12), factor_at)
        });
        let signed = Signed { actor: *actor, session: session.unwrap(), factor_at };
        self.gate.tokens.issue(&signed).unwrap().0
    }

    /// A token of the person at that address, in that programme, its second factor just shown; no password is
    /// hashed for it. Signing in as people do is [`Api::signs_in`].
    pub fn sign_in(&self, email: &str, programme: Option<&str>) -> String {
        let email = email.to_owned().try_into().unwrap();
        let programme = programme.map(|code| code.to_owned().try_into().unwrap());
        let signed_in = self.db.transact_blocking(Scope::Nobody, |tx| {
            access::open_session(tx, &self.gate, &email, programme.as_ref(), true)
        });
        signed_in.unwrap().access_token
    }

    /// What is answered to a person who signs in.
    pub fn signs_in(&self, email: &str, password: &str, code: Option<&str>) -> Answer {
        self.ask("auth/token", &json!({ "email": email, "password": password, "code": code }))
    }

    /// Opens an account in the programme of an administrator's token; `place` may have an organisation and a site.
    pub fn opens_account(&self, admin: &str, email: &str, role: &str, place: &Value) -> UserId {
        let admin = self.gate.tokens.read(admin).unwrap().actor;
        let number = |name: &str| place[name].as_str().map(|id| id.parse::<i32>().unwrap());
        let member = Actor {
            role: role.parse().unwrap(),
            organisation: number("organisation").map(OrganisationId::new),
            site: number("site").map(SiteId::new),
            ..admin
        };
        opens_account(&self.db, email, role, member).user
    }

    /// Asks without a token nor a key: the addresses under `/api/v1/` by which one comes in.
    pub fn ask(&self, path: &str, body: &Value) -> Answer {
        let path = format!("/api/v1/{path}");
        self.send("POST", &path, None, None, "application/json", body.to_string().as_bytes())
    }

    /// Asks with a token, and no key.
    pub fn ask_as(&self, token: &str, path: &str, body: &Value) -> Answer {
        let path = format!("/api/v1/{path}");
        let body = body.to_string();
        self.send("POST", &path, Some(token), None, "application/json", body.as_bytes())
    }

    /// Sends the letters that wait, and returns them, the oldest first.
    pub fn letters(&self) -> Vec<String> {
        let directory = std::env::temp_dir().join(format!("souche-it-{}", self.address.port()));
        let sender =
            Sender::directory(directory.clone(), "souche@it.example", "http://it.example").unwrap();
        deliver_due(&self.db, &self.gate.keys, &sender).unwrap();
        let mut files: Vec<_> = std::fs::read_dir(&directory)
            .into_iter()
            .flatten()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        let letters = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
        std::fs::remove_dir_all(directory).ok();
        letters
    }

    /// The token at the end of the link of the only letter that waits.
    #[track_caller]
    pub fn link(&self) -> String {
        let letters = self.letters();
        assert_eq!(letters.len(), 1, "{letters:#?}");
        // Quoted-printable breaks long lines.
        let letter = letters[0].replace("=\r\n", "");
        let line = letter.lines().find(|line| line.contains("http://it.example/")).unwrap();
        line.split_once('#').unwrap().1.trim().to_owned()
    }

    /// Reads.
    pub fn get(&self, token: &str, path: &str) -> Answer {
        self.send("GET", path, Some(token), None, "", b"")
    }

    /// Writes, under a new key.
    pub fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        let key = format!("it-{}", self.keys_given.fetch_add(1, Ordering::Relaxed));
        self.post_as(token, path, &key, body)
    }

    /// Writes, under that key.
    pub fn post_as(&self, token: &str, path: &str, key: &str, body: &Value) -> Answer {
        let method = if path.ends_with("/qualification") || path.ends_with("/role") {
            "PUT"
        } else {
            "POST"
        };
        self.send(
            method,
            path,
            Some(token),
            Some(key),
            "application/json",
            body.to_string().as_bytes(),
        )
    }

    /// Sends anything at all.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        key: Option<&str>,
        content_type: &str,
        body: &[u8],
    ) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address));
        for (name, value) in [
            ("Idempotency-Key", key),
            ("Content-Type", Some(content_type).filter(|it| !it.is_empty())),
        ] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        token.into_iter().for_each(logs::must_not_hold);
        serde_json::from_slice(body).iter().for_each(logs::must_not_hold_any_of);
        let mut response = self.agent.run(request.body(body.to_vec()).unwrap()).unwrap();
        let header = |name: &str| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        let (content_type, retry_after) =
            (header("content-type").unwrap_or_default(), header("retry-after"));
        assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"), "{method} {path}");
        let cache_control = header("cache-control").unwrap_or_default();
        let of = |value: &ureq::http::HeaderValue| value.to_str().unwrap().to_owned();
        let all = response.headers().iter();
        let headers = Headers(all.map(|(name, value)| (name.to_string(), of(value))).collect());
        let status = response.status().as_u16();
        let bytes = response.body_mut().read_to_vec().unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if status < 400 {
            serde_json::from_slice(&bytes).iter().for_each(logs::must_not_hold_any_of);
        }
        let answer =
            Answer { status, content_type, retry_after, cache_control, headers, bytes, text };
        assert_declared(method, path, &answer);
        answer
    }
}

/// Starts the service.
fn serve(db: &Db, keys: &Keys) -> (SocketAddr, Running) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let service = Service::new(db.clone(), keys.clone(), "it.example/p").unwrap();
    let (told, handle) = channel();
    thread::spawn(move || {
        let system = actix_web::rt::System::new();
        let server = http::server(listener, service, 1).unwrap();
        told.send(server.handle()).unwrap();
        system.block_on(server).unwrap();
    });
    (address, Running(handle.recv().unwrap()))
}

/// Fails on an answer that the contract does not declare, or that a client could not have understood from it.
pub fn assert_declared(method: &str, path: &str, answer: &Answer) {
    assert_ne!(answer.status, 500, "{method} {path}: {}", answer.text);
    let Some(responses) = declared_responses(method, path) else {
        assert!([404, 405].contains(&answer.status), "{method} {path} is served and not declared");
        return;
    };
    let status = answer.status.to_string();
    let range = format!("{}XX", &status[..1]);
    let declared = responses.get(&status).or_else(|| responses.get(&range));
    let declared = declared
        .unwrap_or_else(|| panic!("{method} {path} answered {status}, which is not declared"));
    let types: Vec<&String> =
        declared["content"].as_object().into_iter().flat_map(|content| content.keys()).collect();
    let essence = answer.content_type.split(';').next().unwrap_or_default();
    assert!(
        types.is_empty() || types.iter().any(|declared| *declared == essence),
        "{method} {path} answered {essence}, declared {types:?}"
    );
    if let Some(schema) = declared
        .pointer("/content/application~1json/schema")
        .filter(|_| essence == "application/json")
    {
        assert_fits(&answer.json(), schema, &format!("{method} {path}"));
    }
}

fn declared_responses(method: &str, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap();
    let item =
        CONTRACT["paths"].as_object()?.iter().find(|(template, _)| matches(template, path))?.1;
    item.get(method.to_lowercase()).map(|operation| &operation["responses"])
}

fn matches(template: &str, path: &str) -> bool {
    let (ours, theirs): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|(a, b)| *a == b || (a.starts_with('{') && !b.is_empty()))
}

/// Every field declared and required is there, none is there undeclared, and each has its type.
fn assert_fits(value: &Value, schema: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        return assert_fits(
            value,
            &CONTRACT["components"]["schemas"][name.rsplit('/').next().unwrap()],
            at,
        );
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        if value.is_null() && choices.iter().any(|choice| choice["type"] == "null") {
            return;
        }
        let real: Vec<_> = choices.iter().filter(|choice| choice["type"] != "null").collect();
        assert_eq!(real.len(), 1, "{at}: a choice that this test does not know");
        return assert_fits(value, real[0], at);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    let actual = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(&actual), "{at}: {value} is no {types:?}");
    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
        assert_fits(item, &schema["items"], &format!("{at}[{n}]"));
    }
    let Some(fields) = value.as_object() else { return };
    if schema.get("properties").is_none() && schema.get("additionalProperties").is_none() {
        return; // Free-form, and says so.
    }
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(fields.contains_key(required.as_str().unwrap()), "{at}: {required} is missing");
    }
    for (name, field) in fields {
        let declared =
            schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
        assert_fits(
            field,
            declared.unwrap_or_else(|| panic!("{at}: {name} is not declared")),
            &format!("{at}.{name}"),
        );
    }
}
