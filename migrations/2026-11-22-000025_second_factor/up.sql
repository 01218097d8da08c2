-- What a person has besides what it knows: one-time codes (RFC 6238), and codes on paper for when that is lost.

CREATE TABLE second_factors (
    user_id uuid PRIMARY KEY REFERENCES users,
    secret_sealed bytea NOT NULL,
    enrolled_at timestamptz NOT NULL,
    -- Null until a first code has shown that the person can make them.
    confirmed_at timestamptz CONSTRAINT confirmed_after_enrolment CHECK (confirmed_at >= enrolled_at),
    -- The last period of 30 seconds whose code was taken: a code works once.
    last_step bigint NOT NULL DEFAULT 0 CHECK (last_step >= 0)
);
COMMENT ON TABLE second_factors IS 'Seconds facteurs : le secret qui fait les codes à usage unique, scellé avec le fichier de clés';
GRANT SELECT, INSERT, DELETE, UPDATE (secret_sealed, enrolled_at, confirmed_at, last_step) ON second_factors TO souche_service;

CREATE TABLE recovery_codes (
    user_id uuid NOT NULL REFERENCES second_factors ON DELETE CASCADE,
    code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    used_at timestamptz,
    PRIMARY KEY (user_id, code_hash)
);
COMMENT ON TABLE recovery_codes IS 'Codes de secours, gardés hachés, bons une fois chacun';
GRANT SELECT, INSERT, DELETE, UPDATE (used_at) ON recovery_codes TO souche_service;

-- When the person last showed its second factor in this session.
ALTER TABLE sessions ADD COLUMN factor_at timestamptz;
GRANT UPDATE (factor_at) ON sessions TO souche_service;
