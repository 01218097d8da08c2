//! `souche serve`: the API, until the process is told to stop.

use std::net::{SocketAddr, TcpListener};

use anyhow::Context;
use clap::Args;

use crate::db::Clock;
use crate::http::{self, Service};
use crate::instance::{Instance, Place};
use crate::ledger::sealer::Sealer;

/// Where to listen.
#[derive(Args, Clone, Debug)]
pub struct Listen {
    /// Address and port of the API
    #[arg(long, env = "SOUCHE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDR")]
    #[expect(clippy::struct_field_names, reason = "the name of the option")]
    pub listen: SocketAddr,
    /// The public page that explains a pass, printed in its QR code, without https://
    #[arg(
        long,
        env = "SOUCHE_PUBLIC_URL",
        default_value = "pass.souche.example/p",
        value_name = "URL"
    )]
    pub public_url: String,
    /// Only a reverse proxy with a certificate reaches this port: believe its X-Forwarded-For, and tell browsers to stay with HTTPS
    #[arg(long, env = "SOUCHE_BEHIND_PROXY")]
    pub behind_proxy: bool,
    /// Multiply the limits on requests (docs/operations.md)
    #[arg(long, env = "SOUCHE_LIMITS_TIMES", default_value_t = 1, value_name = "N")]
    pub limits_times: u32,
}

/// The command.
#[derive(Args, Debug)]
pub struct Serve {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    listen: Listen,
}

impl Serve {
    /// Opens the instance and serves it.
    pub fn run(self) -> anyhow::Result<()> {
        serve(&self.place.open(Clock::System)?, &self.listen)
    }
}

/// Serves an instance, until the process is told to stop.
pub fn serve(instance: &Instance, listen: &Listen) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen.listen).with_context(|| {
        format!("{} can't be listened on; choose another with --listen", listen.listen)
    })?;
    let service = Service::new(instance.db.clone(), instance.keys.clone(), &listen.public_url)?
        .with_limits_times(listen.limits_times)
        .behind_proxy(listen.behind_proxy);
    let _sealer = Sealer::start(instance.db.clone(), instance.signer.clone())?;
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    super::say(&format!("Souche écoute sur http://{}", listener.local_addr()?))?;
    http::serve(listener, service, workers)?;
    Ok(())
}
