//! Who may call which operation of the API: one row for each operation of the contract. The door of the
//! service, the page docs/access.md and the tests that walk the whole matrix are made from it. An
//! operation that has no row here is nobody's.

use super::actor::{Action, Role, allows};

/// What an operation asks of who calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it needs no token.
    Nothing,
    /// To be a person who is signed in, whatever its role.
    Person,
    /// To be allowed one of these actions.
    OneOf(&'static [Action]),
}

/// Whose things an operation shows or changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those of the caller's programme; of the instance, for what needs no token.
    Programme,
    /// For those of sites and prescribers: those of their own organisation, or of their own site alone.
    Own,
}

/// When who calls has to have shown its second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Never: it is of use to who has none yet.
    None,
    /// At sign-in, where its role takes one.
    AtSignIn,
    /// In the last ten minutes, whatever its role: it lets money go, or somebody in.
    Recent,
}

/// An operation of the contract.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Its `operationId`.
    pub id: &'static str,
    /// Who may.
    pub need: Need,
    /// On what.
    pub reach: Reach,
    /// With which proof.
    pub proof: Proof,
    /// Does it leave a row in the audit log?
    pub is_audited: bool,
}

impl Operation {
    /// The operation of that id.
    pub fn of(id: &str) -> Option<&'static Self> {
        OPERATIONS.iter().find(|operation| operation.id == id)
    }

    /// May a person of that role call it?
    pub fn allows(&self, role: Role) -> bool {
        match self.need {
            Need::Nothing | Need::Person => true,
            Need::OneOf(actions) => actions.iter().any(|action| allows(role, *action)),
        }
    }

    /// May an API key of that role call it? Never what takes a person to answer for it.
    pub fn allows_key(&self, role: Role) -> bool {
        match self.need {
            Need::Nothing => true,
            Need::Person => false,
            Need::OneOf(actions) => {
                let mut allowed = actions.iter().filter(|action| allows(role, **action));
                self.proof != Proof::Recent && allowed.any(|action| !action.needs_a_person())
            }
        }
    }

    /// What a refusal says was not allowed.
    pub fn action(&self) -> &'static str {
        match self.need {
            Need::OneOf([first, ..]) => first.into(),
            _ => self.id,
        }
    }

    const fn own(self) -> Self {
        Self { reach: Reach::Own, ..self }
    }

    const fn unproven(self) -> Self {
        Self { proof: Proof::None, ..self }
    }

    const fn proven(self) -> Self {
        Self { proof: Proof::Recent, ..self }
    }

    const fn audited(self) -> Self {
        Self { is_audited: true, ..self }
    }
}

const fn operation(id: &'static str, need: Need) -> Operation {
    Operation { id, need, reach: Reach::Programme, proof: Proof::AtSignIn, is_audited: false }
}

const fn open(id: &'static str) -> Operation {
    operation(id, Need::Nothing)
}

/// On one's own account, by whoever is signed in.
const fn account(id: &'static str) -> Operation {
    operation(id, Need::Person).unproven()
}

const fn act(id: &'static str, actions: &'static [Action]) -> Operation {
    operation(id, Need::OneOf(actions))
}

use Action as A;

/// Every operation of the contract, in its order.
///
/// What is audited: what gives rights, money or codes, and what leaves with many things at once. What
/// people do all day at counters and desks is in the journal, with who did it.
pub const OPERATIONS: &[Operation] = &[
    open("live"),
    open("ready"),
    open("read_contract"),
    open("read_metrics"),
    open("issue_token").audited(),
    open("refresh_token"),
    open("read_token_keys"),
    operation("read_me", Need::Person),
    account("list_sessions"),
    account("end_sessions").audited(),
    account("end_session").audited(),
    open("ask_password_reset").audited(),
    open("use_password_reset").audited(),
    account("change_password").audited(),
    account("enrol_second_factor").audited(),
    account("confirm_second_factor").audited(),
    account("step_up").audited(),
    act("list_invitations", &[A::ManageUsers]).own(),
    act("invite", &[A::ManageUsers]).own().proven().audited(),
    act("withdraw_invitation", &[A::ManageUsers]).own().proven().audited(),
    open("accept_invitation").audited(),
    operation("list_programmes", Need::Person),
    act("create_programme", &[A::CreateProgramme]).audited(),
    act("list_users", &[A::ManageUsers]).own(),
    act("change_role", &[A::ManageUsers]).own().proven().audited(),
    act("revoke_role", &[A::ManageUsers]).own().proven().audited(),
    act("list_api_keys", &[A::ManageApiKeys]).own(),
    act("create_api_key", &[A::ManageApiKeys]).own().proven().audited(),
    act("rotate_api_key", &[A::ManageApiKeys]).own().proven().audited(),
    act("revoke_api_key", &[A::ManageApiKeys]).own().audited(),
    act("list_audit_log", &[A::ReadAuditLog]),
    act("export_audit_log", &[A::ReadAuditLog]).audited(),
    act("list_organisations", &[A::ReadOrganisations]),
    act("register_organisation", &[A::ManageOrganisations]).audited(),
    act("list_sites", &[A::ReadOrganisations]),
    act("register_site", &[A::ManageOrganisations]).audited(),
    act("import_sites", &[A::ManageOrganisations]).audited(),
    act("qualify_site", &[A::ManageOrganisations]).audited(),
    act("declare_capacity", &[A::ManageOrganisations]).audited(),
    act("list_orders", &[A::ReadOrders]),
    act("place_order", &[A::PlaceOrder]).audited(),
    act("read_order", &[A::ReadOrders]),
    act("approve_order", &[A::ApproveOrder]).audited(),
    act("mint_order", &[A::MintOrder]).audited(),
    act("read_print_file", &[A::PrintOrder]).audited(),
    act("confirm_print", &[A::ConfirmPrint]).audited(),
    act("fund_order", &[A::FundOrder]).audited(),
    act("list_deliveries", &[A::ReadDeliveries]).own(),
    act("send_delivery", &[A::SendDelivery]),
    act("acknowledge_delivery", &[A::ReceiveDelivery]).own(),
    act("read_stock", &[A::ReadOwnStock]).own(),
    act("hand_over", &[A::HandOver]).own(),
    act("read_identity", &[A::ReadIdentity]).own().proven().audited(),
    act("list_redemptions", &[A::ReadOwnRedemptions]).own(),
    act("redeem_pass", &[A::Redeem]).own(),
    act("check_pass", &[A::CheckPass]).own(),
    act("void_redemption", &[A::VoidRedemption]).own(),
    act("read_totals", &[A::ReadOwnRedemptions]).own(),
    act("redeem_passes", &[A::Redeem]).own(),
    act("read_digest", &[A::ReadDigest]).own(),
    act("list_workshops", &[A::ReadOwnRedemptions]).own(),
    act("declare_workshop", &[A::DeclareWorkshop]).own(),
    act("list_bank_accounts", &[A::ReadBankAccounts]).own(),
    act("declare_bank_account", &[A::DeclareBankAccount]).own().proven().audited(),
    act("approve_bank_account", &[A::ApproveBankAccount]).proven().audited(),
    act("list_settlements", &[A::ReadSettlements]),
    act("dry_run_settlement", &[A::PrepareSettlement]),
    act("prepare_settlement", &[A::PrepareSettlement]).audited(),
    act("read_settlement", &[A::ReadSettlements]),
    act("approve_settlement", &[A::ApproveSettlement]).proven().audited(),
    act("read_payment_file", &[A::DownloadPaymentFile]).audited(),
    act("declare_execution", &[A::DeclareExecution]).audited(),
    act("confirm_execution", &[A::ConfirmExecution]).proven().audited(),
    act("list_payouts", &[A::ReadOwnPayouts]).own(),
    act("list_payout_items", &[A::ReadOwnPayouts, A::ReadSettlements]).own(),
    act("trace_pass", &[A::TracePass]),
    act("read_custody", &[A::ReadReports]),
    act("read_conservation", &[A::ReadReports]),
    act("read_three_way", &[A::ReadReports]),
    act("verify_ledger", &[A::VerifyLedger]),
    act("list_audit_samples", &[A::ReadSamples]),
    act("commit_audit_sample", &[A::CommitSample]),
    act("read_audit_sample", &[A::ReadSamples]),
    act("draw_audit_sample", &[A::DrawSample]),
    act("verify_audit_sample", &[A::ReadSamples]),
    act("list_audit_items", &[A::ReadSamples]),
    act("export_worksheet", &[A::ReadSamples]),
    act("list_findings", &[A::ReadSamples]),
    act("record_finding", &[A::RecordFinding]),
    act("record_incident", &[A::RecordIncident]).audited(),
    act("list_incidents", &[A::ReadIncidents]).own(),
    act("list_flags", &[A::ReadFlags]).own(),
    act("scan_flags", &[A::ScanFlags]).audited(),
    act("decide_flag", &[A::DecideFlag]).audited(),
    // The public log.
    open("read_checkpoint"),
    open("read_log_key"),
    open("read_tile"),
    open("read_tile_of_two_parts"),
    open("read_tile_of_three_parts"),
    act("list_checkpoints", &[A::ReadLog]),
    act("prove_consistency", &[A::ReadLog]),
    act("prove_receipt", &[A::ReadLog]),
    act("export_bundle", &[A::ReadBundle]).audited(),
    act("export_claim_file", &[A::ReadClaim]).own(),
    open("list_receipt_keys"),
    open("verify_receipt"),
    open("read_verifier"),
    act("read_receipt", &[A::ReadReceipts]).own(),
    act("read_receipt_of_redemption", &[A::ReadReceipts]).own(),
];
