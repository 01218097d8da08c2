//! What to look at on a receipt that was drawn: one line of the worksheet, in French.

use crate::domain::entry::EntryKind;

/// With which documents to compare it.
pub const fn to_look_at(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::ProgrammeCreation => {
            "La délibération ou la convention : valeur faciale, territoire, plafonds."
        }
        EntryKind::OrganisationRegistration => "La structure existe (SIRENE), sous ce nom.",
        EntryKind::SiteRegistration => {
            "Le lieu existe, à cette adresse, et est bien de cette structure."
        }
        EntryKind::SiteQualification => "Le dossier de qualification du lieu, et ses dates.",
        EntryKind::CapacityDeclaration => {
            "Salles, horaires et médiateurs permettent cette capacité."
        }
        EntryKind::WorkshopDeclaration => {
            "La feuille d'émargement de l'atelier, sa date, son nombre de personnes."
        }
        EntryKind::BankAccountDeclaration => "Le RIB reçu, au nom de la structure.",
        EntryKind::BankAccountApproval => {
            "Le RIB, vérifié par une autre personne, par un autre canal."
        }
        EntryKind::OrderPlacement => "Le bon de commande ou la décision du commanditaire.",
        EntryKind::OrderApproval => {
            "La délégation de qui approuve, et que ce n'est pas qui a commandé."
        }
        EntryKind::Mint => "La commande approuvée : mêmes quantités, mêmes numéros.",
        EntryKind::PrintReceipt => {
            "Le bon de livraison de l'imprimeur : mêmes carnets, même nombre."
        }
        EntryKind::Funding => {
            "Le mandat et le relevé bancaire : même référence, même montant, même jour."
        }
        EntryKind::Delivery => "Le bordereau d'envoi : mêmes carnets, même destinataire.",
        EntryKind::DeliveryReceipt => {
            "L'accusé signé par le prescripteur, et les carnets manquants."
        }
        EntryKind::HandOver => "Le récépissé de remise, et la pièce d'éligibilité vue par l'agent.",
        EntryKind::Redemption => {
            "Le titre papier rendu, le reçu du lieu, la feuille d'émargement : même pass, même jour."
        }
        EntryKind::Void => "La raison de l'annulation, et que le service n'a pas été rendu.",
        EntryKind::Incident => "La preuve de l'incident, et sa déduction au bordereau suivant.",
        EntryKind::FlagRaising => "Que le signalement a été tranché, et avant tout paiement.",
        EntryKind::FlagDecision => "La raison écrite, et les pièces sur lesquelles elle repose.",
        EntryKind::SettlementPreparation => "Le bordereau : chaque ligne a son utilisation.",
        EntryKind::SettlementApproval => {
            "Que le comptable public a approuvé, et n'avait pas préparé."
        }
        EntryKind::PayoutApproval => {
            "Le fichier de virements : même montant, même IBAN, même référence."
        }
        EntryKind::ExecutionDeclaration => {
            "Le relevé bancaire déclaré : même empreinte de fichier."
        }
        EntryKind::ExecutionConfirmation => "Le relevé, vu par une seconde personne.",
        EntryKind::PayoutDebit => "La ligne du relevé bancaire : même montant, même jour.",
        EntryKind::AuditCommitment => "L'engagement conservé par l'auditeur.",
        EntryKind::AuditDraw => "Le tirage, refait hors ligne depuis le dossier de preuves.",
        EntryKind::AuditFinding => "Les pièces du constat.",
    }
}
