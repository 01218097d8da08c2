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
    /// A payout was ordered (fr: contre-paiement ordonné).
    PayoutApproval,
    /// A payout was debited at the bank (fr: contre-paiement débité).
    PayoutDebit,
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
            Self::Mint => "Émission",
            Self::PrintReceipt => "Réception de l'impression",
            Self::Funding => "Financement",
            Self::Delivery => "Livraison",
            Self::DeliveryReceipt => "Accusé de réception",
            Self::HandOver => "Remise",
            Self::Redemption => "Utilisation",
            Self::Void => "Annulation d'utilisation",
            Self::Incident => "Incident",
            Self::PayoutApproval => "Contre-paiement ordonné",
            Self::PayoutDebit => "Contre-paiement débité",
        }
    }
}
