//! The tables of sign-in as diesel knows them. What each holds is said in `migrations/`.

#![expect(missing_docs, reason = "migrations/ says what each table and column holds")]

diesel::table! {
    sessions (id) {
        id -> Uuid,
        programme_id -> Integer,
        user_id -> Uuid,
        role_version -> Integer,
        opened_at -> Timestamptz,
        used_at -> Timestamptz,
        expires_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        factor_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    refresh_tokens (token_hash) {
        token_hash -> Bytea,
        session_id -> Uuid,
        issued_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::schema::sql_types::Role;
    invitations (id) {
        id -> Uuid,
        token_hash -> Bytea,
        email -> Text,
        role -> Role,
        organisation -> Nullable<Integer>,
        site -> Nullable<Integer>,
        invited_by -> Uuid,
        invited_at -> Timestamptz,
        expires_at -> Timestamptz,
        accepted_by -> Nullable<Uuid>,
        accepted_at -> Nullable<Timestamptz>,
        withdrawn_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    password_resets (user_id) {
        user_id -> Uuid,
        token_hash -> Bytea,
        issued_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    outbox (id) {
        id -> Uuid,
        letter_sealed -> Bytea,
        tries -> Integer,
        next_at -> Timestamptz,
    }
}

diesel::table! {
    second_factors (user_id) {
        user_id -> Uuid,
        secret_sealed -> Bytea,
        enrolled_at -> Timestamptz,
        confirmed_at -> Nullable<Timestamptz>,
        last_step -> BigInt,
    }
}

diesel::table! {
    recovery_codes (user_id, code_hash) {
        user_id -> Uuid,
        code_hash -> Bytea,
        used_at -> Nullable<Timestamptz>,
    }
}
