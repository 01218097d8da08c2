//! The world of a test: two programmes at work on one instance, copied from a scene played once.

use souche::db::{Clock, Db};
use souche::domain::ProgrammeId;

use super::database::TestDatabase;
use super::region::Region;
use super::scene::{FRESH, LIVED, Scene};
use super::sql::Sql;

/// Connections of a test's pool: fewer than the server's hundred for two tests at once.
const CONNECTIONS: u32 = 24;

/// Two programmes on one instance, with people of every role, and a clock that stands still.
pub struct World {
    /// The programme under test.
    pub region: Region,
    /// Another one, with as much in it, that nothing done here may touch.
    pub neighbour: Region,
    // Below the pools, so that it is dropped after them.
    /// Its database.
    pub database: TestDatabase,
}

impl World {
    /// Passes in every place before a first use: see [`super::scene`].
    pub fn new() -> Self {
        Self::copy_of(&FRESH)
    }

    /// The same, some days later: a row in every table.
    pub fn lived() -> Self {
        Self::copy_of(&LIVED)
    }

    fn copy_of(scene: &Scene) -> Self {
        let database = TestDatabase::copy_of(&scene.template);
        let clock = Clock::test(scene.ended_at);
        let db = Db::new(&database.service_url(), CONNECTIONS, clock)
            .signing_as(scene.region.keys.receipt_kid());
        let (region, neighbour) = (scene.region.at_work_on(&db), scene.neighbour.at_work_on(&db));
        Self { region, neighbour, database }
    }

    /// The service's role, speaking for the programme under test.
    pub fn service(&self) -> Sql {
        self.service_for(self.region.programme)
    }

    /// The service's role, speaking for another programme.
    pub fn service_for(&self, programme: ProgrammeId) -> Sql {
        Sql::open(&self.database.service_url()).speaking_for(programme)
    }

    /// The superuser, whom nothing binds; it names the programme under test, for functions that ask.
    pub fn superuser(&self) -> Sql {
        Sql::open(&self.database.superuser_url()).speaking_for(self.region.programme)
    }
}
