//! What a region says when something was wrong: incidents, capacities, flags.

use souche::app::flag::NewDecision;
use souche::app::incident::NewIncident;
use souche::app::{flag, incident, site};
use souche::db::flags::Flag;
use souche::domain::flag::Outcome;
use souche::domain::{Actor, FlagId, RedemptionId};
use souche::error::Result;
use souche::ledger::Receipt;

use super::line;
use super::region::{Counter, Region};

impl Region {
    /// Records an incident on a settled redemption.
    pub fn records_incident(&self, of: RedemptionId) -> Result<Receipt> {
        let new = NewIncident { redemption: of, reason: line("titre contrefait") };
        self.does(|tx| incident::record(tx, &self.admin, &new))
    }

    /// Declares what a site can take in a day.
    pub fn declares_capacity(&self, of: &Counter, passes: Option<i32>) {
        let daily_capacity = passes.map(|passes| passes.try_into().unwrap());
        let new = site::Capacity { daily_capacity };
        self.does(|tx| site::declare_capacity(tx, &self.admin, of.site, new)).unwrap();
    }

    /// Examines what is not paid yet, and returns the flags that it raised.
    pub fn scans(&self) -> Vec<FlagId> {
        self.does(|tx| flag::scan(tx, &self.admin)).unwrap()
    }

    /// Every flag, as somebody sees them.
    pub fn flags(&self, seen_by: &Actor) -> Vec<Flag> {
        self.does(|tx| flag::list(tx, seen_by, FlagId::new(0), 200)).unwrap()
    }

    /// Decides on a flag.
    pub fn decides(&self, number: FlagId, outcome: Outcome) -> Result<Flag> {
        let new = NewDecision { outcome, reason: line("le lieu a été entendu") };
        self.does(|tx| flag::decide(tx, &self.admin, number, &new))
    }
}
