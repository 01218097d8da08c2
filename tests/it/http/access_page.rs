//! The page docs/access.md, made from the table of access.

use std::fmt::Write;

use souche::domain::Role;
use souche::domain::access::{Need, OPERATIONS, Proof, Reach};
use strum::VariantArray;

use super::authorization::served;

#[test]
fn the_page_of_access_is_this_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/access.md");
    let page = page();
    if std::env::var_os("UPDATE_ACCESS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(committed, page, "run this test with UPDATE_ACCESS=1, and commit docs/access.md");
}

fn page() -> String {
    let mut page = String::from(
        "# Who may call what\n\nMade from `src/domain/access.rs`, which the door of the service applies and the tests walk; don't edit it. ● may; ○ may, and so may \
         an API key of that role; a blank is a 403 `not_allowed`, told before the body is read. Without a token: 401. Whatever another programme has is a 404, as what \
         nobody has. *own*: those of sites and prescribers see and change what is their organisation's, or their site's, and find nothing else. *audited*: leaves a row in the audit log. \
         *recent code*: only with a second factor shown in the last ten minutes. *no code*: also by who has still to enrol the second factor that its role takes; everything else is a 403 to it.\n\n",
    );
    let names: Vec<&str> = Role::VARIANTS.iter().map(Into::into).collect();
    let heads = names.iter().map(|name| name.replace('_', " ")).collect::<Vec<_>>().join(" | ");
    writeln!(page, "| operation | | {heads} | reach | | |").unwrap();
    writeln!(page, "|---|---|{}---|---|---|", ":-:|".repeat(names.len())).unwrap();
    let served = served();
    for operation in OPERATIONS {
        let (method, template, _) = served.iter().find(|(.., id)| id == operation.id).unwrap();
        let cell = |role: &Role| match operation.need {
            Need::Nothing => "●",
            _ if operation.allows_key(*role) && Role::OF_API_KEYS.contains(role) => "○",
            _ if operation.allows(*role) => "●",
            _ => " ",
        };
        let cells = Role::VARIANTS.iter().map(cell).collect::<Vec<_>>().join(" | ");
        let reach = match (operation.need, operation.reach) {
            (Need::Nothing, _) => "public",
            (_, Reach::Own) => "own",
            (_, Reach::Programme) => "programme",
        };
        let proof = match operation.proof {
            Proof::Recent => "recent code",
            Proof::None => "no code",
            Proof::AtSignIn => "",
        };
        let audited = if operation.is_audited { "audited" } else { "" };
        let id = operation.id;
        writeln!(page, "| {id} | {method} {template} | {cells} | {reach} | {proof} | {audited} |")
            .unwrap();
    }
    page
}
