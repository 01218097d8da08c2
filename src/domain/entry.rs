//! The events that the journal knows.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

/// What an entry records.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
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
pub enum EntryKind {
    /// A programme was set up (fr: création du dispositif).
    ProgrammeCreation,
    /// An organisation became known (fr: enregistrement d'une structure).
    OrganisationRegistration,
    /// A site became known (fr: enregistrement d'un lieu).
    SiteRegistration,
    /// It was said from when until when a site may redeem (fr: qualification).
    SiteQualification,
    /// A site said how many passes a day it can take (fr: déclaration de capacité).
    CapacityDeclaration,
    /// A site declared a workshop (fr: déclaration d'un atelier).
    WorkshopDeclaration,
    /// An organisation said where it is paid (fr: déclaration d'un compte bancaire).
    BankAccountDeclaration,
    /// Another person approved it (fr: approbation d'un compte bancaire).
    BankAccountApproval,
    /// Booklets were ordered (fr: commande).
    OrderPlacement,
    /// Another person approved the order (fr: approbation d'une commande).
    OrderApproval,
    /// Passes were made (fr: émission).
    Mint,
    /// Booklets came back from the printer (fr: réception de l'impression).
    PrintReceipt,
    /// An order was funded (fr: financement).
    Funding,
    /// Booklets left for a prescriber (fr: livraison).
    Delivery,
    /// A prescriber counted what arrived (fr: accusé de réception).
    DeliveryReceipt,
    /// A person received a booklet (fr: remise).
    HandOver,
    /// A pass was spent (fr: utilisation).
    Redemption,
    /// A redemption was undone (fr: annulation).
    Void,
    /// A settled redemption was undone.
    Incident,
    /// Something odd was seen (fr: signalement).
    FlagRaising,
    /// A person decided on a flag (fr: décision sur un signalement).
    FlagDecision,
    /// A settlement was made of what was due (fr: préparation d'un lot).
    SettlementPreparation,
    /// Another person approved it (fr: approbation d'un lot).
    SettlementApproval,
    /// A payout was ordered (fr: contre-paiement ordonné).
    PayoutApproval,
    /// It was declared that the bank has executed a settlement (fr: exécution déclarée).
    ExecutionDeclaration,
    /// Another person confirmed it (fr: exécution confirmée).
    ExecutionConfirmation,
    /// A payout was debited at the bank (fr: contre-paiement débité).
    PayoutDebit,
    /// An auditor committed to a seed, and said of what a sample will be (fr: engagement d'un échantillon d'audit).
    AuditCommitment,
    /// The seed was revealed, and the sample drawn (fr: tirage).
    AuditDraw,
    /// What was found on a receipt that was drawn (fr: constat).
    AuditFinding,
}

impl EntryKind {
    /// Has a number in a continuous series? A redemption and its void are named by pass and cycle
    /// instead: a counter that every redemption updates would queue them all behind one row.
    pub const fn is_numbered(self) -> bool {
        !matches!(self, Self::Redemption | Self::Void)
    }

    /// In French, as receipts and traces show it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ProgrammeCreation => "Création du dispositif",
            Self::OrganisationRegistration => "Enregistrement d'une structure",
            Self::SiteRegistration => "Enregistrement d'un lieu",
            Self::SiteQualification => "Qualification d'un lieu",
            Self::CapacityDeclaration => "Déclaration de capacité",
            Self::WorkshopDeclaration => "Déclaration d'un atelier",
            Self::BankAccountDeclaration => "Déclaration d'un compte bancaire",
            Self::BankAccountApproval => "Approbation d'un compte bancaire",
            Self::OrderPlacement => "Commande",
            Self::OrderApproval => "Approbation d'une commande",
            Self::Mint => "Émission",
            Self::PrintReceipt => "Réception de l'impression",
            Self::Funding => "Financement",
            Self::Delivery => "Livraison",
            Self::DeliveryReceipt => "Accusé de réception",
            Self::HandOver => "Remise",
            Self::Redemption => "Utilisation",
            Self::Void => "Annulation d'utilisation",
            Self::Incident => "Incident",
            Self::FlagRaising => "Signalement",
            Self::FlagDecision => "Décision sur un signalement",
            Self::SettlementPreparation => "Préparation d'un lot",
            Self::SettlementApproval => "Approbation d'un lot",
            Self::PayoutApproval => "Contre-paiement ordonné",
            Self::ExecutionDeclaration => "Exécution déclarée",
            Self::ExecutionConfirmation => "Exécution confirmée",
            Self::PayoutDebit => "Contre-paiement débité",
            Self::AuditCommitment => "Engagement d'un échantillon d'audit",
            Self::AuditDraw => "Tirage d'un échantillon d'audit",
            Self::AuditFinding => "Constat d'audit",
        }
    }
}
