//! Programmes: the tenants.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Integer;

use super::Tx;
use super::schema::programmes;
use crate::domain::bank::Iban;
use crate::domain::programme::{LegalRoad, PassesPerService, ProgrammeCode, Terms};
use crate::domain::territory::Territory;
use crate::domain::{Amount, ProgrammeId, Refusal, Timestamp, UserId};
use crate::error::Result;

/// A programme, as it was set up.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "migrations/ says what each column holds")]
pub struct Programme {
    pub id: ProgrammeId,
    pub code: ProgrammeCode,
    pub name: String,
    pub sponsor_name: String,
    pub issuer_name: String,
    pub issuer_address: String,
    pub legal_road: LegalRoad,
    pub face_value: Amount,
    pub max_passes_per_person: i32,
    pub territory: Territory,
    pub debtor_name: String,
    pub debtor_iban: Iban,
    pub created_at: Timestamp,
    pub created_by: UserId,
    pub passes_per_service: PassesPerService,
}

impl Programme {
    /// What its rules rest on.
    pub fn terms(&self) -> Terms {
        Terms {
            code: self.code.clone(),
            face_value: self.face_value,
            max_passes_per_person: self.max_passes_per_person,
        }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = programmes, check_for_backend(diesel::pg::Pg))]
struct Row {
    id: ProgrammeId,
    code: String,
    name: String,
    sponsor_name: String,
    issuer_name: String,
    issuer_address: String,
    legal_road: LegalRoad,
    face_value_cents: Amount,
    max_passes_per_person: i32,
    territory: serde_json::Value,
    debtor_name: String,
    debtor_iban: String,
    created_at: Timestamp,
    created_by: UserId,
    passes_per_service: serde_json::Value,
}

impl TryFrom<Row> for Programme {
    type Error = crate::error::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            code: row.code.try_into().map_err(anyhow::Error::msg)?,
            name: row.name,
            sponsor_name: row.sponsor_name,
            issuer_name: row.issuer_name,
            issuer_address: row.issuer_address,
            legal_road: row.legal_road,
            face_value: row.face_value_cents,
            max_passes_per_person: row.max_passes_per_person,
            territory: serde_json::from_value(row.territory).map_err(anyhow::Error::from)?,
            debtor_name: row.debtor_name,
            debtor_iban: row
                .debtor_iban
                .try_into()
                .map_err(|_| anyhow::anyhow!("an IBAN in the database is not one"))?,
            created_at: row.created_at,
            created_by: row.created_by,
            passes_per_service: serde_json::from_value(row.passes_per_service)
                .map_err(anyhow::Error::from)?,
        })
    }
}

/// The id that the next programme will bear.
pub fn next_id(tx: &mut Tx<'_>) -> Result<ProgrammeId> {
    #[derive(QueryableByName)]
    struct Next {
        #[diesel(sql_type = Integer)]
        id: i32,
    }
    let next: Next =
        sql_query("SELECT nextval(pg_get_serial_sequence('programmes', 'id'))::integer AS id")
            .get_result(tx.conn)?;
    Ok(ProgrammeId::new(next.id))
}

/// Writes a new programme. The transaction must have entered it.
pub fn insert(tx: &mut Tx<'_>, new: &Programme) -> Result<()> {
    let row = Row {
        id: new.id,
        code: new.code.to_string(),
        name: new.name.clone(),
        sponsor_name: new.sponsor_name.clone(),
        issuer_name: new.issuer_name.clone(),
        issuer_address: new.issuer_address.clone(),
        legal_road: new.legal_road,
        face_value_cents: new.face_value,
        max_passes_per_person: new.max_passes_per_person,
        territory: serde_json::to_value(&new.territory).map_err(anyhow::Error::from)?,
        debtor_name: new.debtor_name.clone(),
        debtor_iban: new.debtor_iban.as_str().to_owned(),
        created_at: new.created_at,
        created_by: new.created_by,
        passes_per_service: serde_json::to_value(&new.passes_per_service)
            .map_err(anyhow::Error::from)?,
    };
    let written = diesel::insert_into(programmes::table)
        .values(row)
        .on_conflict(programmes::code)
        .do_nothing()
        .execute(tx.conn)?;
    if written == 0 {
        return Err(Refusal::Duplicate { what: format!("Le dispositif {}", new.code) }.into());
    }
    Ok(())
}

/// The programme that the transaction has entered.
pub fn current(tx: &mut Tx<'_>) -> Result<Programme> {
    let row: Option<Row> = programmes::table.select(Row::as_select()).first(tx.conn).optional()?;
    row.ok_or(Refusal::not_found("programme"))?.try_into()
}

/// Every programme that the transaction may see: the one entered, and those of the person who asks.
pub fn visible(tx: &mut Tx<'_>) -> Result<Vec<Programme>> {
    let rows: Vec<Row> =
        programmes::table.select(Row::as_select()).order(programmes::code).load(tx.conn)?;
    rows.into_iter().map(Programme::try_from).collect()
}

/// The last id given out; 0 before the first. Ids are given in order, so that whoever may not see a
/// programme without entering it can visit them all.
pub fn last_id(tx: &mut Tx<'_>) -> Result<i32> {
    #[derive(QueryableByName)]
    struct Last {
        #[diesel(sql_type = Integer)]
        id: i32,
    }
    let last: Last =
        sql_query("SELECT (CASE WHEN is_called THEN last_value ELSE 0 END)::integer AS id FROM programmes_id_seq").get_result(tx.conn)?;
    Ok(last.id)
}

/// Enters the programme of that code: for what anyone may read, token or not.
pub fn enter(tx: &mut Tx<'_>, code: &ProgrammeCode) -> Result<()> {
    tx.set("souche.code", code.as_str())?;
    let found: Option<ProgrammeId> = programmes::table
        .filter(programmes::code.eq(code.as_str()))
        .select(programmes::id)
        .first(tx.conn)
        .optional()?;
    tx.set("souche.code", "")?;
    tx.enter(found.ok_or(Refusal::not_found("programme"))?)
}
