//! The command line of `souche demo`.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use super::{Calendar, Options, Scale, Story, Summary, play, write_way_on};
use crate::cli::serve::{Listen, serve};
use crate::db::Clock;
use crate::domain::BusinessDate;
use crate::instance::Place;
use crate::ledger::sealer;

/// The command.
#[derive(Args, Clone, Debug)]
pub struct Demo {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    listen: Listen,
    /// How much is played: the pilot alone, or the region with it
    #[arg(long, value_enum, default_value_t = Scale::Hdf)]
    scale: Scale,
    /// Where chance begins: the same seed gives the same numbers
    #[arg(long, default_value_t = 2026, value_name = "N")]
    seed: u64,
    /// Real mediation places in the national schema, CSV or JSON; made-up ones without it
    #[arg(long, value_name = "FILE")]
    sites: Option<PathBuf>,
    /// Exit at the end of the story, without serving
    #[arg(long)]
    no_serve: bool,
    /// Print the sums as one JSON object on the last line
    #[arg(long)]
    json: bool,
}

impl Demo {
    /// Plays the story, tells it, and serves what it left under the machine's clock, unless told to exit.
    pub fn run(self) -> anyhow::Result<()> {
        self.play_and_tell()?;
        // The instance of the story is closed by now: this one has the machine's clock.
        if self.no_serve {
            Ok(())
        } else {
            serve(&self.place.open(Clock::System)?, &self.listen, None)
        }
    }

    fn play_and_tell(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        let calendar = Calendar::ending_before(BusinessDate::of(Clock::System.now()));
        let instance = self.place.open(Clock::test(calendar.start()))?;
        let options = Options {
            scale: self.scale,
            seed: self.seed,
            sites: self.sites.clone(),
            progress: io::stderr().is_terminal(),
            calendar,
            public_url: self.listen.public_url.clone(),
        };
        let mut story = play(&instance.db, &instance.keys, &instance.data, &options)?;
        sealer::seal_all(&instance.db, &instance.signer)?;
        // The reader waited for the database too.
        story.summary.seconds = started.elapsed().as_secs();
        self.tell(&story, &instance.data)
    }

    fn tell(&self, story: &Story, data: &Path) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        let Summary { booklets, passes, seconds, .. } = story.summary;
        writeln!(
            out,
            "Démonstration jouée en {seconds} s (graine {}) : {booklets} carnets, {passes} pass.",
            self.seed
        )?;
        for chapter in &story.chapters {
            chapter.write(&mut out)?;
        }
        write_way_on(&mut out, &story.chapters, data, &self.listen.listen.to_string())?;
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&story.summary)?)?;
        }
        out.flush()?;
        Ok(())
    }
}
