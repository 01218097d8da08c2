//! The tables of access as diesel knows them. What each holds is said in `migrations/`.

#![expect(missing_docs, reason = "migrations/ says what each table and column holds")]

diesel::table! {
    use diesel::sql_types::*;
    use super::super::schema::sql_types::Role;
    api_keys (user_id) {
        user_id -> Uuid,
        name -> Text,
        role -> Role,
        organisation -> Nullable<Integer>,
        site -> Nullable<Integer>,
        secret_hash -> Bytea,
        previous_hash -> Nullable<Bytea>,
        previous_ends_at -> Nullable<Timestamptz>,
        created_by -> Uuid,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        revoked_by -> Nullable<Uuid>,
        revoked_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::schema::sql_types::Role;
    audit_log (id) {
        id -> Uuid,
        at -> Timestamptz,
        actor -> Nullable<Uuid>,
        role -> Nullable<Role>,
        organisation -> Nullable<Integer>,
        by_api_key -> Bool,
        operation -> Text,
        about -> Jsonb,
        outcome -> Text,
        result -> Jsonb,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
        request_id -> Text,
        address -> Nullable<Text>,
    }
}
