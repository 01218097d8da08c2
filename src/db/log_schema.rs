//! The tables of the log as diesel knows them. What each holds is said in `migrations/`.

#![expect(missing_docs, reason = "migrations/ says what each table and column holds")]

diesel::table! {
    leaves (position) {
        position -> BigInt,
        entry_id -> Uuid,
        leaf_hash -> Bytea,
        subtree_roots -> Nullable<Bytea>,
    }
}

diesel::table! {
    log_keys (vkey) {
        vkey -> Text,
        first_used_at -> Timestamptz,
    }
}

diesel::table! {
    checkpoints (size) {
        size -> BigInt,
        root -> Bytea,
        vkey -> Text,
        note -> Text,
        signed_at -> Timestamptz,
    }
}

diesel::table! {
    receipt_keys (kid) {
        kid -> Text,
        public_key -> Bytea,
        learned_at -> Timestamptz,
    }
}
