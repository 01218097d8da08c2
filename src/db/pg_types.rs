//! Domain types as PostgreSQL columns: an id is an integer, a state is a word of its own type.

use std::io::Write;

use diesel::deserialize::{self, FromSql, Queryable};
use diesel::expression::AsExpression;
use diesel::internal::derives::as_expression::Bound;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Date, Integer, Nullable, Uuid};

use super::schema::sql_types;
use crate::domain::actor::Role;
use crate::domain::eligibility::{Eligibility, Proof};
use crate::domain::flag::{DailyCapacity, FlagKind, Outcome};
use crate::domain::pass::PassStateName;
use crate::domain::programme::LegalRoad;
use crate::domain::service::Service;
use crate::domain::{
    Amount, BankAccountId, BookletId, BusinessDate, DeliveryId, EntryId, FindingId, FlagId,
    FundingId, HandOverId, IncidentId, InvitationId, LetterId, LineNumber, OrderId, OrganisationId,
    PassNumber, PayoutId, ProgrammeId, SampleId, SessionId, SettlementId, SiteId, UserId,
    WorkshopId,
};

/// The plumbing that makes `$rust` usable wherever a `$sql` is; each type says only how it is written and read.
macro_rules! column {
    ($rust:ty as $sql:ty) => {
        impl AsExpression<$sql> for $rust {
            type Expression = Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
        impl<'e> AsExpression<$sql> for &'e $rust {
            type Expression = Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
        impl AsExpression<Nullable<$sql>> for $rust {
            type Expression = Bound<Nullable<$sql>, Self>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
        impl<'e> AsExpression<Nullable<$sql>> for &'e $rust {
            type Expression = Bound<Nullable<$sql>, Self>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
        impl ToSql<Nullable<$sql>, Pg> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                ToSql::<$sql, Pg>::to_sql(self, out)
            }
        }
        impl Queryable<$sql, Pg> for $rust {
            type Row = Self;
            fn build(row: Self) -> deserialize::Result<Self> {
                Ok(row)
            }
        }
    };
}

macro_rules! wrapped {
    ($($rust:ty as $sql:ty, $base:ty, $out:expr, $in:expr;)+) => {$(
        column!($rust as $sql);
        impl ToSql<$sql, Pg> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                let base: $base = $out(*self);
                ToSql::<$sql, Pg>::to_sql(&base, &mut out.reborrow())
            }
        }
        impl FromSql<$sql, Pg> for $rust {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                let base = <$base as FromSql<$sql, Pg>>::from_sql(value)?;
                $in(base)
            }
        }
    )+};
}

macro_rules! numbers {
    ($($rust:ident),+) => { wrapped! { $($rust as Integer, i32, $rust::get, |n| Ok($rust::new(n));)+ } };
}

numbers!(
    BankAccountId,
    BookletId,
    DeliveryId,
    FindingId,
    FlagId,
    FundingId,
    HandOverId,
    IncidentId,
    LineNumber,
    OrderId,
    OrganisationId,
    PassNumber,
    PayoutId,
    ProgrammeId,
    SampleId,
    SettlementId,
    SiteId,
    WorkshopId
);

wrapped! {
    UserId as Uuid, uuid::Uuid, UserId::get, |id| Ok(UserId::new(id));
    EntryId as Uuid, uuid::Uuid, EntryId::get, |id| Ok(EntryId::new(id));
    SessionId as Uuid, uuid::Uuid, SessionId::get, |id| Ok(SessionId::new(id));
    LetterId as Uuid, uuid::Uuid, LetterId::get, |id| Ok(LetterId::new(id));
    InvitationId as Uuid, uuid::Uuid, InvitationId::get, |id| Ok(InvitationId::new(id));
    BusinessDate as Date, chrono::NaiveDate, BusinessDate::get, |date| Ok(BusinessDate::new(date));
    DailyCapacity as Integer, i32, DailyCapacity::get, |n: i32| DailyCapacity::try_from(n).map_err(Into::into);
    Amount as BigInt, i64, Amount::cents, |cents: i64| Amount::try_from(cents).map_err(Into::into);
}

/// Enumerations are written as their words.
macro_rules! words {
    ($($rust:ty as $sql:ty;)+) => {$(
        column!($rust as $sql);
        impl ToSql<$sql, Pg> for $rust {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                let word: &'static str = self.into();
                out.write_all(word.as_bytes())?;
                Ok(IsNull::No)
            }
        }
        impl FromSql<$sql, Pg> for $rust {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                Ok(std::str::from_utf8(value.as_bytes())?.parse()?)
            }
        }
    )+};
}

words! {
    Role as sql_types::Role;
    LegalRoad as sql_types::LegalRoad;
    PassStateName as sql_types::PassState;
    Eligibility as sql_types::Eligibility;
    Proof as sql_types::Proof;
    Service as sql_types::Service;
    FlagKind as sql_types::FlagKind;
    Outcome as sql_types::FlagOutcome;
    crate::domain::sample::Strata as sql_types::StrataKind;
    crate::domain::sample::Conclusion as sql_types::AuditConclusion;
    crate::domain::entry::EntryKind as sql_types::EntryKind;
    crate::domain::account::Book as sql_types::Book;
}
