//! Who may do what, in one table.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

use super::id::{OrganisationId, ProgrammeId, SiteId, UserId};
use super::refusal::Refusal;

/// A person whose identity is known, and what it acts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The person.
    pub user: UserId,
    /// What it may do.
    pub role: Role,
    /// The programme of its credentials: the tenant of all it does.
    pub programme: ProgrammeId,
    /// The prescriber or bearer of sites that it acts for.
    pub organisation: Option<OrganisationId>,
    /// The one site of a mediator.
    pub site: Option<SiteId>,
}

/// What a person is in a programme; what it may do is in the table below.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Runs the instance: programmes, organisations, sites, people, minting.
    OperatorAdmin,
    /// Records fundings, prepares settlements.
    OperatorAccountant,
    /// Orders booklets and sends them out, for the region.
    SponsorManager,
    /// Approves what the sponsor's manager orders.
    SponsorApprover,
    /// Approves settlements and checks every document (fr: comptable public).
    PublicAccountant,
    /// Receives deliveries for a prescriber, and hands booklets over.
    PrescriberManager,
    /// Hands booklets over.
    PrescriberAgent,
    /// Answers for an organisation's sites and bank account.
    SiteManager,
    /// Redeems passes at one site.
    SiteMediator,
    /// Reads everything; writes what it draws and finds, and nothing else.
    Auditor,
}

/// What can be done, one verb each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[expect(missing_docs, reason = "each verb says itself, and the table below says who")]
pub enum Action {
    CreateProgramme,
    ManageOrganisations,
    ManageUsers,
    ReadOrganisations,
    PlaceOrder,
    ApproveOrder,
    MintOrder,
    PrintOrder,
    ConfirmPrint,
    FundOrder,
    ReadOrders,
    SendDelivery,
    ReceiveDelivery,
    ReadDeliveries,
    HandOver,
    ReadOwnStock,
    CheckPass,
    Redeem,
    VoidRedemption,
    ReadOwnRedemptions,
    RecordIncident,
    ReadIncidents,
    ScanFlags,
    ReadFlags,
    DecideFlag,
    ReadOwnPayouts,
    DeclareBankAccount,
    ApproveBankAccount,
    ReadBankAccounts,
    PrepareSettlement,
    ApproveSettlement,
    ReadSettlements,
    DownloadPaymentFile,
    DeclareExecution,
    ConfirmExecution,
    TracePass,
    ReadReports,
    VerifyLedger,
    DeclareWorkshop,
    ReadDigest,
    ReadLog,
    ReadReceipts,
    ReadClaim,
    ReadBundle,
    CommitSample,
    DrawSample,
    RecordFinding,
    ReadSamples,
    ManageApiKeys,
    ReadAuditLog,
    ReadIdentity,
}

impl Action {
    /// Never done by an API key, whatever its role: it opens a door to others, says where money goes or who somebody
    /// is, or is a judgement that somebody answers for.
    pub const fn needs_a_person(self) -> bool {
        matches!(
            self,
            Self::ManageUsers
                | Self::ManageApiKeys
                | Self::DeclareBankAccount
                | Self::ReadAuditLog
                | Self::CommitSample
                | Self::DrawSample
                | Self::RecordFinding
                | Self::ReadIdentity
        )
    }
}

impl Role {
    /// The roles that an API key may have: none that approves, pays, or answers for the instance. Those
    /// take a person and a second factor.
    pub const OF_API_KEYS: [Self; 6] = [
        Self::SponsorManager,
        Self::PrescriberManager,
        Self::PrescriberAgent,
        Self::SiteManager,
        Self::SiteMediator,
        Self::Auditor,
    ];
}

impl Actor {
    /// Says no unless the table below says yes.
    pub fn require(&self, action: Action) -> Result<(), Refusal> {
        if allows(self.role, action) {
            Ok(())
        } else {
            Err(Refusal::NotAllowed { action: <&'static str>::from(action).into() })
        }
    }

    /// The organisation whose things alone it sees, and the one site when there is one: those of a site
    /// see their own; others see all.
    pub fn only_of(&self) -> Result<(Option<OrganisationId>, Option<SiteId>), Refusal> {
        match self.role {
            Role::SiteManager | Role::SiteMediator => Ok((Some(self.organisation()?), self.site)),
            _ => Ok((None, None)),
        }
    }

    /// The organisation that it acts for.
    pub fn organisation(&self) -> Result<OrganisationId, Refusal> {
        self.organisation.ok_or(Refusal::NotAllowed { action: "act_for_an_organisation".into() })
    }
}

/// Who reads what sites are paid, and why not: everybody, the sites their own.
const ALL_BUT_PRESCRIBERS: &[Role] = &[
    Role::OperatorAdmin,
    Role::OperatorAccountant,
    Role::SponsorManager,
    Role::SponsorApprover,
    Role::PublicAccountant,
    Role::SiteManager,
    Role::SiteMediator,
    Role::Auditor,
];

/// Who runs, pays for or audits the programme as a whole.
const THE_REGION: &[Role] = &[
    Role::OperatorAdmin,
    Role::OperatorAccountant,
    Role::SponsorManager,
    Role::SponsorApprover,
    Role::PublicAccountant,
    Role::Auditor,
];

/// Who reads what an auditor draws and finds: those who run and those who pay for the programme.
const READ_SAMPLES: &[Role] = &[
    Role::OperatorAdmin,
    Role::OperatorAccountant,
    Role::SponsorManager,
    Role::SponsorApprover,
    Role::Auditor,
];

const READ_SETTLEMENTS: &[Role] = &[
    Role::OperatorAccountant,
    Role::PublicAccountant,
    Role::SponsorManager,
    Role::SponsorApprover,
    Role::Auditor,
];

/// The whole policy.
pub fn allows(role: Role, action: Action) -> bool {
    use Action as A;
    use Role as R;
    let allowed: &[Role] = match action {
        A::CreateProgramme
        | A::ManageOrganisations
        | A::MintOrder
        | A::PrintOrder
        | A::ConfirmPrint
        | A::RecordIncident
        | A::DecideFlag => &[R::OperatorAdmin],
        // Each those it is in charge of: `membership.rs`.
        A::ManageUsers | A::ManageApiKeys => {
            &[R::OperatorAdmin, R::PrescriberManager, R::SiteManager]
        }
        A::ScanFlags => &[R::OperatorAdmin, R::OperatorAccountant],
        A::FundOrder | A::ApproveBankAccount | A::PrepareSettlement | A::DeclareExecution => {
            &[R::OperatorAccountant]
        }
        A::PlaceOrder | A::SendDelivery => &[R::SponsorManager],
        A::ApproveOrder => &[R::SponsorApprover],
        A::ApproveSettlement | A::ConfirmExecution => &[R::PublicAccountant],
        A::ReceiveDelivery => &[R::PrescriberManager],
        A::HandOver | A::ReadOwnStock => &[R::PrescriberManager, R::PrescriberAgent],
        A::CheckPass
        | A::Redeem
        | A::VoidRedemption
        | A::ReadOwnRedemptions
        | A::DeclareWorkshop => &[R::SiteManager, R::SiteMediator],
        A::ReadDigest => {
            &[R::OperatorAdmin, R::OperatorAccountant, R::SiteManager, R::SiteMediator, R::Auditor]
        }
        A::DeclareBankAccount | A::ReadOwnPayouts => &[R::SiteManager],
        A::ReadBankAccounts => {
            &[R::SiteManager, R::OperatorAccountant, R::PublicAccountant, R::Auditor]
        }
        A::DownloadPaymentFile => &[R::OperatorAccountant, R::PublicAccountant, R::Auditor],
        A::ReadSettlements => READ_SETTLEMENTS,
        A::ReadDeliveries => &[
            R::OperatorAdmin,
            R::SponsorManager,
            R::SponsorApprover,
            R::PublicAccountant,
            R::PrescriberManager,
            R::Auditor,
        ],
        A::ReadIncidents | A::ReadFlags | A::ReadClaim => ALL_BUT_PRESCRIBERS,
        A::ReadOrganisations | A::ReadOrders | A::TracePass | A::ReadReports | A::VerifyLedger => {
            THE_REGION
        }
        // The operator answers for the data; a prescriber, for whom it saw. Nobody else needs a name.
        A::ReadIdentity => &[R::OperatorAdmin, R::PrescriberManager],
        A::ReadAuditLog | A::ReadBundle => &[R::OperatorAdmin, R::Auditor],
        A::CommitSample | A::DrawSample | A::RecordFinding => &[R::Auditor],
        A::ReadSamples => READ_SAMPLES,
        // Hashes, which everybody may see; and receipts, everybody their own.
        A::ReadLog | A::ReadReceipts => R::VARIANTS,
    };
    allowed.contains(&role)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[test]
    fn the_whole_policy_on_one_page() {
        let mut page = String::new();
        for action in Action::VARIANTS {
            let verb: &str = action.into();
            let who: Vec<&str> = Role::VARIANTS
                .iter()
                .filter(|role| allows(**role, *action))
                .map(Into::into)
                .collect();
            writeln!(page, "{verb}: {}", who.join(", ")).unwrap();
        }
        insta::assert_snapshot!(page);
    }

    #[test]
    fn an_auditor_changes_nothing_but_its_own_audits() {
        let reads = |action: &Action| {
            let verb: &str = action.into();
            verb.starts_with("read_")
                || matches!(verb, "trace_pass" | "verify_ledger" | "download_payment_file")
                || matches!(verb, "commit_sample" | "draw_sample" | "record_finding")
        };
        for action in Action::VARIANTS.iter().filter(|action| allows(Role::Auditor, **action)) {
            assert!(reads(action), "an auditor may {action:?}");
        }
    }
}
