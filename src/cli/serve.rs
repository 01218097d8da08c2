//! `souche serve`: the API, until the process is told to stop.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use anyhow::Context;
use clap::Args;

use super::escrow::EscrowOptions;
use crate::app::evidence::{Escrow, Keeper};
use crate::app::mail::{Postman, Sender};
use crate::db::Clock;
use crate::http::{self, Service};
use crate::instance::{Instance, Place};
use crate::ledger::sealer::Sealer;

/// Where to listen, and how letters leave.
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
    /// The site that the links of letters lead to
    #[arg(
        long,
        env = "SOUCHE_SITE_URL",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub site_url: String,
    /// Mail server, such as `smtps://user:password@host`; without it, letters are files in the data directory
    #[arg(long, env = "SOUCHE_SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub smtp_url: Option<String>,
    /// Who letters are from
    #[arg(
        long,
        env = "SOUCHE_MAIL_FROM",
        default_value = "souche@localhost",
        value_name = "ADDRESS"
    )]
    pub mail_from: String,
    /// Only a reverse proxy with a certificate reaches this port: believe its X-Forwarded-For, and tell browsers to stay with HTTPS
    #[arg(long, env = "SOUCHE_BEHIND_PROXY")]
    pub behind_proxy: bool,
    /// Multiply the limits on requests (docs/operations.md)
    #[arg(long, env = "SOUCHE_LIMITS_TIMES", default_value_t = 1, value_name = "N")]
    pub limits_times: u32,
}

impl Listen {
    fn sender(&self, data: &Path) -> anyhow::Result<Sender> {
        if let Some(url) = &self.smtp_url {
            return Sender::smtp(url, &self.mail_from, &self.site_url);
        }
        let mailbox = data.join(MAILBOX);
        super::say(&format!("Les courriels sont écrits dans {}", mailbox.display()))?;
        Sender::directory(mailbox, &self.mail_from, &self.site_url)
    }
}

/// Directory of the letters, in the instance's own, when no server takes them.
const MAILBOX: &str = "mailbox";

/// The command.
#[derive(Args, Debug)]
pub struct Serve {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    listen: Listen,
    #[command(flatten)]
    escrow: EscrowOptions,
}

impl Serve {
    /// Opens the instance and serves it.
    pub fn run(self) -> anyhow::Result<()> {
        let escrow = self.escrow.read()?;
        serve(&self.place.open(Clock::System)?, &self.listen, escrow)
    }
}

/// Serves an instance, until the process is told to stop.
pub fn serve(instance: &Instance, listen: &Listen, escrow: Option<Escrow>) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen.listen).with_context(|| {
        format!("{} can't be listened on; choose another with --listen", listen.listen)
    })?;
    let service = Service::new(instance.db.clone(), instance.keys.clone(), &listen.public_url)?
        .with_limits_times(listen.limits_times)
        .behind_proxy(listen.behind_proxy)
        .watching(escrow.clone());
    let sender = listen.sender(&instance.data)?;
    let _postman = Postman::start(instance.db.clone(), instance.keys.clone(), sender)?;
    let _sealer = Sealer::start(instance.db.clone(), instance.signer.clone())?;
    let start = |escrow| Keeper::start(instance.db.clone(), instance.keys.clone(), escrow);
    let _keeper = escrow.map(start).transpose()?;
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    super::say(&format!("Souche écoute sur http://{}", listener.local_addr()?))?;
    http::serve(listener, service, workers)?;
    Ok(())
}
