//! What a programme carries away.

use souche::app::evidence;
use souche::db::Scope;

use super::region::Region;

impl Region {
    /// All the evidence of the programme, as one file.
    pub fn bundle(&self) -> String {
        let mut file = Vec::new();
        self.db
            .snapshot_blocking(Scope::Programme(self.programme), |tx| {
                evidence::write(tx, &self.keys, &mut file, &[])
            })
            .unwrap();
        String::from_utf8(file).unwrap()
    }
}
