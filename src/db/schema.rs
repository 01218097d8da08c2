//! The tables as diesel knows them. What each holds is said in `migrations/`.

#![expect(missing_docs, reason = "migrations/ says what each table and column holds")]

pub mod sql_types {
    //! PostgreSQL's own enumerations.
    use diesel::query_builder::QueryId;
    use diesel::sql_types::SqlType;

    macro_rules! types {
        ($($name:ident = $sql:literal;)+) => {$(
            #[derive(SqlType, QueryId)]
            #[diesel(postgres_type(name = $sql))]
            pub struct $name;
        )+};
    }

    types! {
        LegalRoad = "legal_road";
        Role = "role";
        Book = "book";
        EntryKind = "entry_kind";
        PassState = "pass_state";
        Eligibility = "eligibility";
        Proof = "proof";
        Service = "service";
        FlagKind = "flag_kind";
        FlagOutcome = "flag_outcome";
        StrataKind = "strata_kind";
        AuditConclusion = "audit_conclusion";
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::LegalRoad;
    programmes (id) {
        id -> Integer,
        code -> Text,
        name -> Text,
        sponsor_name -> Text,
        issuer_name -> Text,
        issuer_address -> Text,
        legal_road -> LegalRoad,
        face_value_cents -> BigInt,
        max_passes_per_person -> Integer,
        territory -> Jsonb,
        debtor_name -> Text,
        debtor_iban -> Text,
        created_at -> Timestamptz,
        created_by -> Uuid,
        passes_per_service -> Jsonb,
        revision -> Integer,
    }
}

diesel::table! {
    users (id) {
        id -> Uuid,
        email -> Text,
        display_name -> Text,
        password_hash -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Role;
    memberships (user_id, programme_id) {
        user_id -> Uuid,
        programme_id -> Integer,
        role -> Role,
        organisation -> Nullable<Integer>,
        site -> Nullable<Integer>,
        version -> Integer,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    requests (user_id, key) {
        user_id -> Uuid,
        key -> Text,
        body_hash -> Bytea,
        outcome -> Nullable<Jsonb>,
        at -> Timestamptz,
    }
}

diesel::table! {
    series (name) {
        name -> Text,
        last -> Integer,
    }
}

diesel::table! {
    organisations (number) {
        number -> Integer,
        name -> Text,
        siret -> Nullable<Text>,
        is_prescriber -> Bool,
        department -> Nullable<Text>,
        created_at -> Timestamptz,
        revision -> Integer,
    }
}

diesel::table! {
    sites (number) {
        number -> Integer,
        organisation -> Integer,
        name -> Text,
        address -> Text,
        postal_code -> Nullable<Text>,
        insee_code -> Text,
        commune -> Text,
        latitude_microdegrees -> Nullable<Integer>,
        longitude_microdegrees -> Nullable<Integer>,
        services -> Array<Text>,
        source -> Nullable<Text>,
        source_id -> Nullable<Text>,
        is_fictitious -> Bool,
        qualified_from -> Nullable<Date>,
        qualified_until -> Nullable<Date>,
        created_at -> Timestamptz,
        daily_capacity -> Nullable<Integer>,
        revision -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::EntryKind;
    entries (id) {
        id -> Uuid,
        kind -> EntryKind,
        number -> Nullable<Integer>,
        happened_at -> Timestamptz,
        recorded_at -> Timestamptz,
        recorded_by -> Uuid,
        corrects -> Nullable<Uuid>,
        receipt -> Text,
        request_key -> Nullable<Bytea>,
        request_hash -> Nullable<Bytea>,
        signature -> Nullable<Bytea>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Book;
    transfers (entry_id, line) {
        entry_id -> Uuid,
        line -> SmallInt,
        book -> Book,
        debit -> Integer,
        credit -> Integer,
        amount -> BigInt,
        first_pass -> Nullable<Integer>,
    }
}

diesel::table! {
    orders (number) {
        number -> Integer,
        booklets_of_10 -> Integer,
        booklets_of_5 -> Integer,
        face_value_cents -> BigInt,
        amount_cents -> BigInt,
        last_hand_over_on -> Date,
        last_use_on -> Date,
        last_presentation_on -> Date,
        placed_by -> Uuid,
        placed_at -> Timestamptz,
        approved_by -> Nullable<Uuid>,
        approved_at -> Nullable<Timestamptz>,
        minted_by -> Nullable<Uuid>,
        mint_entry -> Nullable<Uuid>,
        print_key_sealed -> Nullable<Bytea>,
        print_entry -> Nullable<Uuid>,
        revision -> Integer,
    }
}

diesel::table! {
    fundings (number) {
        number -> Integer,
        order_number -> Integer,
        mandate_reference -> Text,
        amount_cents -> BigInt,
        received_on -> Date,
        entry_id -> Uuid,
    }
}

diesel::table! {
    booklets (number) {
        number -> Integer,
        order_number -> Integer,
        first_pass -> Integer,
        size -> SmallInt,
        held_in -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::PassState;
    passes (number) {
        number -> Integer,
        booklet -> Integer,
        order_number -> Integer,
        funding -> Nullable<Integer>,
        hand_over -> Nullable<Integer>,
        state -> PassState,
        cycle -> SmallInt,
        changed_at -> Timestamptz,
        code_hash -> Bytea,
    }
}

diesel::table! {
    deliveries (number) {
        number -> Integer,
        prescriber -> Integer,
        first_booklet -> Integer,
        last_booklet -> Integer,
        sent_at -> Timestamptz,
        sent_by -> Uuid,
        entry_id -> Uuid,
    }
}

diesel::table! {
    delivery_receipts (delivery) {
        delivery -> Integer,
        received_at -> Timestamptz,
        received_by -> Uuid,
        missing_booklets -> Array<Integer>,
        entry_id -> Uuid,
    }
}

diesel::table! {
    beneficiaries (person_key) {
        person_key -> Bytea,
        identity_sealed -> Bytea,
        passes_received -> Integer,
        first_seen_at -> Timestamptz,
        last_seen_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::{Eligibility, Proof};
    hand_overs (number) {
        number -> Integer,
        booklet -> Integer,
        prescriber -> Integer,
        person_key -> Bytea,
        eligibility -> Eligibility,
        proof -> Proof,
        proof_dated_on -> Date,
        insee_code -> Text,
        handed_at -> Timestamptz,
        handed_by -> Uuid,
        entry_id -> Uuid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Service;
    redemptions (pass, cycle) {
        pass -> Integer,
        cycle -> SmallInt,
        entry_id -> Uuid,
        hand_over -> Integer,
        site -> Integer,
        service -> Service,
        redeemed_at -> Timestamptz,
        workshop -> Nullable<Integer>,
    }
}

diesel::table! {
    voids (pass, cycle) {
        pass -> Integer,
        cycle -> SmallInt,
        entry_id -> Uuid,
        reason -> Text,
        voided_at -> Timestamptz,
    }
}

diesel::table! {
    wrong_tries (site, pass) {
        site -> Integer,
        pass -> Integer,
        since -> Timestamptz,
        tries -> Integer,
    }
}

diesel::table! {
    bank_accounts (number) {
        number -> Integer,
        organisation -> Integer,
        holder_name -> Text,
        iban -> Text,
        declared_by -> Uuid,
        declared_at -> Timestamptz,
        approved_by -> Nullable<Uuid>,
        approved_at -> Nullable<Timestamptz>,
        usable_from -> Nullable<Timestamptz>,
        revision -> Integer,
    }
}

diesel::table! {
    settlements (number) {
        number -> Integer,
        cut_off_on -> Date,
        execution_on -> Date,
        prepared_by -> Uuid,
        prepared_at -> Timestamptz,
        approved_by -> Nullable<Uuid>,
        approved_at -> Nullable<Timestamptz>,
        revision -> Integer,
    }
}

diesel::table! {
    payouts (number) {
        number -> Integer,
        settlement -> Integer,
        organisation -> Integer,
        bank_account -> Integer,
        account_approved_by -> Uuid,
        holder_name -> Text,
        iban -> Text,
        end_to_end_id -> Text,
        items -> Integer,
        amount_cents -> BigInt,
        entry_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    executions (settlement) {
        settlement -> Integer,
        settlement_approved_by -> Uuid,
        executed_on -> Date,
        document_name -> Text,
        document_sha256 -> Bytea,
        declared_by -> Uuid,
        declared_at -> Timestamptz,
        confirmed_by -> Nullable<Uuid>,
        confirmed_at -> Nullable<Timestamptz>,
        revision -> Integer,
    }
}

diesel::table! {
    payout_debits (payout) {
        payout -> Integer,
        settlement -> Integer,
        confirmed_by -> Uuid,
        entry_id -> Uuid,
        debited_on -> Date,
    }
}

diesel::table! {
    workshops (number) {
        number -> Integer,
        site -> Integer,
        held_on -> Date,
        place -> Text,
        people -> Integer,
        declared_by -> Uuid,
        declared_at -> Timestamptz,
        entry_id -> Uuid,
    }
}
