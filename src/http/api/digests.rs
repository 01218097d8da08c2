//! The daily digest: what sites redeemed, and what they are owed at the end of each day.

use std::io;

use actix_web::{HttpResponse, get, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::redemption;
use crate::db::digests::SiteDay;
use crate::domain::money::Money;
use crate::domain::{Actor, Amount, BusinessDate, OrganisationId, SiteId};
use crate::export::csv_safety::Sheet;
use crate::http::{Problem, Service};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(read);
}

/// Which days, whose, and in which form.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DigestQuery {
    /// The first day, in Paris.
    #[param(value_type = String, format = Date)]
    from: BusinessDate,
    /// The last day, included: at most 92 days in all.
    #[param(value_type = String, format = Date)]
    until: BusinessDate,
    /// Whose sites; left out by the people of an organisation, who read their own.
    #[param(value_type = Option<String>)]
    organisation: Option<OrganisationId>,
    /// `json` when left out.
    #[serde(default)]
    format: DigestFormat,
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DigestFormat {
    #[default]
    Json,
    Csv,
}

/// A day of a site.
#[derive(Serialize, ToSchema)]
struct DayView {
    /// The site.
    site: SiteId,
    /// Its name.
    name: String,
    /// The day, in Paris.
    day: BusinessDate,
    /// Passes redeemed on that day.
    redeemed_passes: i64,
    /// Redemptions undone on that day, whenever made.
    voided_passes: i64,
    /// The first less the second; below nothing when more was undone than redeemed.
    net_passes: i64,
    /// What these are worth.
    net: Money,
    /// What was debited at the bank for the site, by the day of the debit.
    paid: Money,
    /// What the site is owed at the end of that day: redeemed, not undone, not yet debited.
    due: Money,
}

impl DayView {
    fn new(day: SiteDay, face_value: Amount) -> Self {
        let worth = |passes: i64| Money::from(passes.saturating_mul(face_value.cents()));
        let net_passes = day.redeemed.saturating_sub(day.voided);
        Self {
            site: day.site,
            name: day.name,
            day: day.day,
            redeemed_passes: day.redeemed,
            voided_passes: day.voided,
            net_passes,
            net: worth(net_passes),
            paid: worth(day.paid),
            due: worth(day.due),
        }
    }
}

/// Every day of every site, the quiet ones too.
#[utoipa::path(
    tag = "redemptions", operation_id = "read_digest", summary = "Lire le relevé quotidien de ses lieux", params(DigestQuery),
    responses((status = 200, description = "Une ligne par lieu et par jour", content((Vec<DayView> = "application/json"), (String = "text/csv"))))
)]
#[get("/api/v1/redemptions/digest")]
async fn read(
    service: web::Data<Service>,
    actor: Actor,
    query: web::Query<DigestQuery>,
) -> Result<HttpResponse, Problem> {
    let DigestQuery { from, until, organisation, format } = query.into_inner();
    let (days, face_value) = service
        .read(actor, move |tx, actor| redemption::digest(tx, actor, organisation, from, until))
        .await?;
    if matches!(format, DigestFormat::Json) {
        let days: Vec<_> = days.into_iter().map(|day| DayView::new(day, face_value)).collect();
        return Ok(HttpResponse::Ok().json(days));
    }
    let name = format!(
        "attachment; filename=\"releve-{}-{}.csv\"",
        String::from(from),
        String::from(until)
    );
    let sheet = sheet(&days, face_value).map_err(|error| Problem::fault(&error.into()))?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header(("Content-Disposition", name))
        .body(sheet))
}

/// The same as a sheet. What goes up and what goes down have a column each, so no amount needs a sign.
fn sheet(days: &[SiteDay], face_value: Amount) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut sheet = Sheet::new(
        &mut bytes,
        [
            "lieu",
            "nom",
            "jour",
            "pass_utilises",
            "pass_annules",
            "montant_utilise_euros",
            "montant_annule_euros",
            "montant_debite_euros",
            "montant_du_en_fin_de_jour_euros",
        ],
    )?;
    let worth = |passes: i64| euros(passes.saturating_mul(face_value.cents()));
    for day in days {
        let cells = [
            day.site.to_string(),
            day.name.clone(),
            String::from(day.day),
            day.redeemed.to_string(),
            day.voided.to_string(),
            worth(day.redeemed),
            worth(day.voided),
            worth(day.paid),
            worth(day.due),
        ];
        sheet.row(cells.iter().map(String::as_str))?;
    }
    sheet.finish()?;
    Ok(bytes)
}

/// Cents as a spreadsheet in France reads an amount: `1234,50`.
fn euros(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{},{:02}", cents / 100, cents % 100)
}
