//! What an auditor does.

use souche::app::report;
use souche::app::sample::{self, NewDraw, NewFinding, NewSample, Overview};
use souche::db::Scope;
use souche::db::findings::Finding;
use souche::domain::entry::EntryKind;
use souche::domain::sample::{Conclusion, PerStratum, Seed, Strata};
use souche::domain::statement::{Conservation, HeldRange};
use souche::domain::{FindingId, LineNumber, SampleId, Timestamp};
use souche::error::Result;
use souche::export::custody::Format;

use super::region::Region;
use super::{day, line};

/// That of sample 1 of the lived scene.
pub const SEED: Seed = Seed([0x5e; 32]);

/// A sample of the year 2026, by site, two of each.
pub fn sample_of(kinds: &[EntryKind], seed: Seed) -> NewSample {
    NewSample {
        title: line("Contrôle de printemps"),
        commitment: seed.commitment(),
        kinds: kinds.to_vec(),
        from: day("2026-01-01"),
        until: day("2026-12-31"),
        strata: Strata::Site,
        per_stratum: PerStratum::try_from(2).unwrap(),
    }
}

impl Region {
    /// Commits to a sample by site.
    pub fn commits(&self, seed: Seed, kinds: &[EntryKind]) -> Result<SampleId> {
        self.commits_to(&sample_of(kinds, seed))
    }

    /// Commits to a sample.
    pub fn commits_to(&self, new: &NewSample) -> Result<SampleId> {
        let committed = self.does(|tx| sample::commit(tx, &self.auditor, new))?;
        Ok(committed.committed.number)
    }

    /// Reveals a seed.
    pub fn draws(&self, number: SampleId, seed: Seed) -> Result<Overview> {
        self.does(|tx| sample::draw(tx, &self.auditor, number, &NewDraw { seed }))
    }

    /// Keeps what was found on a line.
    pub fn finds(
        &self,
        number: SampleId,
        on: i32,
        conclusion: Conclusion,
        corrects: Option<FindingId>,
    ) -> Result<Finding> {
        let remark = (conclusion != Conclusion::Conform).then(|| "pièce absente".to_owned());
        let remark = remark.map(|text| text.try_into().unwrap());
        let new = NewFinding { conclusion, remark, corrects };
        self.does(|tx| sample::find(tx, &self.auditor, (number, LineNumber::new(on)), new))
    }

    /// The custody report, as the service writes it.
    pub fn custody_report(&self, at: (Timestamp, Timestamp), format: Format) -> String {
        let mut out = Vec::new();
        let scope = Scope::Programme(self.programme);
        self.db
            .snapshot_blocking(scope, |tx| report::custody(tx, &self.auditor, at, format, &mut out))
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Who held each pass, range by range.
    pub fn custody(&self, at: Timestamp, known_at: Timestamp) -> Vec<HeldRange> {
        let report = self.custody_report((at, known_at), Format::Json);
        let mut report: serde_json::Value = serde_json::from_str(&report).unwrap();
        serde_json::from_value(report["ranges"].take()).unwrap()
    }

    /// The conservation statement.
    pub fn conservation(&self, at: Timestamp) -> Conservation {
        let scope = Scope::Programme(self.programme);
        self.db.snapshot_blocking(scope, |tx| report::conservation(tx, &self.auditor, at)).unwrap()
    }
}
