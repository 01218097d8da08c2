//! Bank accounts of organisations.

use actix_web::{HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::bank_account::{self, NewBankAccount};
use crate::db::bank_accounts::BankAccount;
use crate::domain::bank::Iban;
use crate::domain::{Actor, BankAccountId, OrganisationId, Timestamp, UserId};
use crate::http::page::{Page, PageQuery};
use crate::http::write::{KeyHeader, Nothing, Write};
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(declare).service(approve);
}

/// A bank account, its number masked but for the end.
#[derive(Serialize, ToSchema)]
struct BankAccountView {
    /// Its id.
    id: BankAccountId,
    /// Whose.
    organisation: OrganisationId,
    /// Its holder.
    holder_name: String,
    /// The last four characters of its IBAN.
    #[schema(example = "•••• 0189")]
    iban: String,
    /// Who declared it.
    declared_by: UserId,
    /// Who approved it.
    approved_by: Option<UserId>,
    /// From when money may go there.
    #[schema(value_type = Option<String>, format = DateTime)]
    usable_from: Option<Timestamp>,
}

impl From<BankAccount> for BankAccountView {
    fn from(account: BankAccount) -> Self {
        let iban = account.iban.parse::<Iban>().map(|iban| iban.masked()).unwrap_or_default();
        let BankAccount {
            number,
            organisation,
            holder_name,
            declared_by,
            approved_by,
            usable_from,
            ..
        } = account;
        Self { id: number, organisation, holder_name, iban, declared_by, approved_by, usable_from }
    }
}

/// An organisation sees its own.
#[utoipa::path(
    tag = "bank-accounts", operation_id = "list_bank_accounts", summary = "Lister les comptes bancaires", params(PageQuery),
    responses((status = 200, description = "Une page", body = Page<BankAccountView>))
)]
#[get("/api/v1/bank-accounts")]
async fn list(
    service: web::Data<Service>,
    actor: Actor,
    page: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, limit) = (page.after(BankAccountId::new(0))?, page.limit()?);
    let rows =
        service.read(actor, move |tx, actor| bank_account::list(tx, actor, after, limit)).await?;
    Ok(HttpResponse::Ok()
        .json(Page::<BankAccountView>::new(rows, limit, |row| row.number.to_string())))
}

/// It waits for the operator's accountant.
#[utoipa::path(
    tag = "bank-accounts", operation_id = "declare_bank_account", summary = "Déclarer un compte bancaire", request_body = NewBankAccount,
    params(KeyHeader), responses((status = 201, description = "Déclaré", body = BankAccountView))
)]
#[post("/api/v1/bank-accounts")]
async fn declare(
    service: web::Data<Service>,
    actor: Actor,
    write: Write<NewBankAccount>,
) -> Result<HttpResponse, Problem> {
    service
        .write(actor, write, |tx, actor, new| {
            bank_account::declare(tx, actor, &new).map(BankAccountView::from)
        })
        .await
}

/// The first of an organisation may be used at once; one that follows another, after 72 hours.
#[utoipa::path(
    tag = "bank-accounts", operation_id = "approve_bank_account", summary = "Approuver un compte bancaire", request_body = Nothing,
    params(("account" = String, Path, description = "Numéro du compte"), KeyHeader),
    responses((status = 201, description = "Approuvé", body = BankAccountView))
)]
#[post("/api/v1/bank-accounts/{account}/approval")]
async fn approve(
    service: web::Data<Service>,
    actor: Actor,
    account: web::Path<BankAccountId>,
    write: Write<Nothing>,
) -> Result<HttpResponse, Problem> {
    let number = account.into_inner();
    service
        .write(actor, write, move |tx, actor, _| {
            bank_account::approve(tx, actor, number).map(BankAccountView::from)
        })
        .await
}
