//! Real `souche` processes at work on one database, and a client that speaks to any of them.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::RwLock;
use std::time::Duration;

use serde_json::{Value, json};
use souche::keys::{Keys, hex, random};

use super::api::{Answer, assert_declared};
use super::at_once::{at_once, work};
use super::region::{Counter, PASSWORD, Region};

/// The most that a client waits for an answer: far more than a service may take.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(20);

/// A seed that is printed, and that `SOUCHE_TEST_SEED` repeats.
pub fn seed() -> u64 {
    let given = env::var("SOUCHE_TEST_SEED").ok();
    let seed = given.map_or_else(
        || u64::from_le_bytes(random().unwrap()),
        |text| text.parse().expect("SOUCHE_TEST_SEED is a number"),
    );
    note(&format!("SOUCHE_TEST_SEED={seed}"));
    seed
}

/// Says what was seen: shown when the test fails, and with `--nocapture`.
#[expect(clippy::print_stdout, reason = "what a test that draws its moments must leave behind")]
pub fn note(seen: &str) {
    println!("{seen}");
}

/// A directory of one test's own, with a key file in it; removed with it.
pub struct Home(PathBuf);

impl Home {
    pub fn new(name: &str) -> Self {
        let home =
            Self(env::temp_dir().join(format!("souche-{name}-{}", hex(&random::<4>().unwrap()))));
        fs::create_dir(&home.0).unwrap();
        let made = souche().args(["keys", "generate"]).arg(home.key_file()).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        home
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn keys(&self) -> Keys {
        Keys::load(&self.key_file()).unwrap()
    }

    pub fn key_file(&self) -> PathBuf {
        self.0.join("keys.json")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// The command, told nothing by whoever runs the tests.
pub fn souche() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_souche"));
    for (name, _) in env::vars_os() {
        let is_ours = name.to_str().is_some_and(|name| name.starts_with("SOUCHE_"));
        if is_ours || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command
}

/// A service, killed when dropped.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Drop for Process {
    /// Without a word of warning, as a power cut would.
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Services on one database with one key file, each on a port of its own.
pub struct Fleet<'h> {
    home: &'h Home,
    url: String,
    processes: Vec<RwLock<Process>>,
}

impl<'h> Fleet<'h> {
    /// Starts so many at once, in the ordinary way, as the role that owns nothing.
    pub fn start(home: &'h Home, service_url: String, count: usize) -> Self {
        let starts = (0..count).map(|n| {
            work({
                let url = &service_url;
                move || RwLock::new(start(home, url, n))
            })
        });
        let processes = at_once(starts.collect());
        Self { home, url: service_url, processes }
    }

    /// Where one of them listens; or listened, when it was killed.
    pub fn address(&self, n: usize) -> SocketAddr {
        self.processes[n].read().unwrap().address
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.processes.len()
    }

    /// Kills one.
    pub fn kill(&self, n: usize) {
        let mut process = self.processes[n].write().unwrap();
        process.child.kill().unwrap();
        process.child.wait().unwrap();
    }

    /// Starts one again, on another port.
    pub fn restart(&self, n: usize) {
        let started = start(self.home, &self.url, n);
        *self.processes[n].write().unwrap() = started;
    }

    /// What any of them logged that speaks of a bug.
    #[track_caller]
    pub fn assert_faultless(&self) {
        for n in 0..self.count() {
            let log = fs::read_to_string(log_of(self.home, n)).unwrap();
            let fault = log.lines().find(|line| line.contains("fault:") || line.contains("panick"));
            assert_eq!(fault, None, "of service {n}");
        }
    }
}

fn log_of(home: &Home, n: usize) -> PathBuf {
    home.path().join(format!("service-{n}.log"))
}

/// Starts a service, and waits until it says where it listens.
fn start(home: &Home, url: &str, n: usize) -> Process {
    let log = File::options().create(true).append(true).open(log_of(home, n)).unwrap();
    let mut child = souche()
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("DATABASE_URL", url)
        // The tests' PostgreSQL syncs nothing to disk.
        .env("SOUCHE_ACCEPT_DATA_LOSS", "true")
        .env("SOUCHE_KEYS", home.key_file())
        .env("SOUCHE_DATA", home.path().join(format!("service-{n}")))
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    // It says first where letters go.
    let mut told = BufReader::new(child.stdout.as_mut().unwrap()).lines().map(Result::unwrap);
    let address = told.find_map(|line| Some(line.split_once("http://")?.1.to_owned()));
    let address = address.and_then(|text| text.parse().ok());
    let Some(address) = address else {
        child.wait().unwrap();
        panic!("service {n} did not start: {}", fs::read_to_string(log_of(home, n)).unwrap());
    };
    Process { child, address }
}

/// A client of any service, which holds every answer against the contract.
pub struct Client(ureq::Agent);

impl Client {
    pub fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_idle_connections(256)
            .max_idle_connections_per_host(64)
            .timeout_global(Some(CLIENT_TIMEOUT));
        Self(config.build().into())
    }

    /// Is answered, or learns that nobody listens or that the line was cut.
    fn send(&self, to: SocketAddr, request: &Request<'_>) -> Result<Answer, ureq::Error> {
        let Request { method, path, token, key, ref body } = *request;
        let mut sent =
            ureq::http::Request::builder().method(method).uri(format!("http://{to}{path}"));
        for (name, value) in [("Authorization", token), ("Idempotency-Key", key)] {
            if let Some(value) = value {
                sent = sent.header(name, value);
            }
        }
        let body = body.as_ref().map(Value::to_string).unwrap_or_default();
        if !body.is_empty() {
            sent = sent.header("Content-Type", "application/json");
        }
        let mut response = self.0.run(sent.body(body).unwrap())?;
        let header = |name: &str| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        let (content_type, retry_after) =
            (header("content-type").unwrap_or_default(), header("retry-after"));
        let text = response.body_mut().read_to_string()?;
        let status = response.status().as_u16();
        let answer = Answer { status, content_type, retry_after, text, ..Answer::default() };
        assert_declared(method, path, &answer);
        Ok(answer)
    }

    /// Reads without a token.
    pub fn get(&self, to: SocketAddr, path: &str) -> Result<Answer, ureq::Error> {
        self.send(to, &Request { method: "GET", path, token: None, key: None, body: None })
    }

    /// The authorization of who answers for a counter.
    pub fn sign_in(&self, to: SocketAddr, name: &str) -> String {
        let body = json!({ "email": format!("{name}.hdf@exemple.fr"), "password": PASSWORD });
        let path = "/api/v1/auth/token";
        let request = Request { method: "POST", path, token: None, key: None, body: Some(body) };
        let answer = self.send(to, &request).unwrap().ok();
        format!("Bearer {}", answer["access_token"].as_str().unwrap())
    }

    /// Asks for a pass.
    pub fn redeem(&self, to: SocketAddr, ask: &Ask) -> Result<Answer, ureq::Error> {
        self.send(
            to,
            &Request {
                method: "POST",
                path: "/api/v1/redemptions",
                token: Some(&ask.token),
                key: Some(&ask.key),
                body: Some(ask.body.clone()),
            },
        )
    }

    /// Asks for several in one batch, whoever asks for the first.
    pub fn redeem_all(&self, to: SocketAddr, asks: &[Ask]) -> Result<Answer, ureq::Error> {
        let items = asks.iter().map(|ask| {
            let mut item = ask.body.clone();
            item["key"] = ask.key.as_str().into();
            item
        });
        self.send(
            to,
            &Request {
                method: "POST",
                path: "/api/v1/redemptions:batch",
                token: Some(&asks[0].token),
                key: Some(&format!("{}-batch", asks[0].key)),
                body: Some(json!({ "items": items.collect::<Value>() })),
            },
        )
    }
}

struct Request<'r> {
    method: &'r str,
    path: &'r str,
    token: Option<&'r str>,
    key: Option<&'r str>,
    body: Option<Value>,
}

/// A pass asked for under a key; may be sent again, to any service.
#[derive(Clone)]
pub struct Ask {
    pub key: String,
    token: String,
    body: Value,
}

impl Ask {
    pub fn new(region: &Region, pass: i32, at: &Counter, token: &str, key: String) -> Self {
        let code = &region.codes[&pass];
        let body = json!({ "code": code, "service": "everyday_tools", "site": at.site });
        Self { key, token: token.to_owned(), body }
    }
}
