//! One file per resource: its addresses, its JSON, and the use case that each operation calls.

mod api_keys;
mod audit_log;
mod auth;
mod bank_accounts;
mod deliveries;
mod digests;
mod evidence;
mod flags;
mod hand_overs;
mod health;
mod identities;
mod incidents;
mod invitations;
mod log;
mod orders;
mod organisations;
mod passes;
mod passwords;
mod payouts;
mod programmes;
mod receipt;
mod receipts;
mod redemption_batches;
mod redemptions;
mod reports;
mod samples;
mod second_factors;
mod sessions;
mod settlements;
mod sites;
mod stock;
mod users;
mod verifier;
mod worksheets;
mod workshops;

use utoipa_actix_web::service_config::ServiceConfig;

/// Every route of the API. The contract is collected from here too.
pub fn routes(config: &mut ServiceConfig<'_>) {
    // Routes are tried in this order: first what counters ask for thousands of times a second.
    redemptions::routes(config);
    health::routes(config);
    auth::routes(config);
    sessions::routes(config);
    passwords::routes(config);
    second_factors::routes(config);
    invitations::routes(config);
    programmes::routes(config);
    users::routes(config);
    api_keys::routes(config);
    audit_log::routes(config);
    organisations::routes(config);
    sites::routes(config);
    orders::routes(config);
    deliveries::routes(config);
    stock::routes(config);
    hand_overs::routes(config);
    identities::routes(config);
    redemption_batches::routes(config);
    digests::routes(config);
    workshops::routes(config);
    bank_accounts::routes(config);
    settlements::routes(config);
    payouts::routes(config);
    passes::routes(config);
    reports::routes(config);
    samples::routes(config);
    worksheets::routes(config);
    incidents::routes(config);
    flags::routes(config);
    log::routes(config);
    receipts::routes(config);
    verifier::routes(config);
    evidence::routes(config);
}
