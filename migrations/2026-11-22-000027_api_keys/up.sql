-- Keys by which an integrator's programs come in: an account of their own, with a role in one programme,
-- and a secret of which only a hash is kept. A key says its programme, so that it is looked for among that
-- programme's rows alone.

CREATE TABLE api_keys (
    programme_id integer NOT NULL DEFAULT current_programme(),
    -- The account under which it acts: what it did bears this name.
    user_id uuid NOT NULL REFERENCES users,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- None that approves, pays or opens doors: those take a person.
    role role NOT NULL CHECK (role IN
        ('sponsor_manager', 'prescriber_manager', 'prescriber_agent', 'site_manager', 'site_mediator', 'auditor')),
    organisation integer,
    site integer,
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    -- While one secret takes over from another, both are good.
    previous_hash bytea CHECK (octet_length(previous_hash) = 32),
    previous_ends_at timestamptz,
    created_by uuid NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_by uuid REFERENCES users,
    revoked_at timestamptz,
    last_used_at timestamptz,
    PRIMARY KEY (programme_id, user_id),
    CONSTRAINT secret_is_of_one_key UNIQUE (programme_id, secret_hash),
    CONSTRAINT organisation_exists FOREIGN KEY (programme_id, organisation) REFERENCES organisations,
    CONSTRAINT site_exists FOREIGN KEY (programme_id, site) REFERENCES sites,
    CONSTRAINT key_has_a_maker CHECK (user_id <> created_by),
    CONSTRAINT key_ends CHECK (expires_at > created_at),
    CONSTRAINT organisation_follows_from_role
        CHECK ((role IN ('prescriber_manager', 'prescriber_agent', 'site_manager', 'site_mediator')) = (organisation IS NOT NULL)),
    CONSTRAINT site_follows_from_role CHECK ((role = 'site_mediator') = (site IS NOT NULL)),
    CONSTRAINT old_secret_has_its_end CHECK ((previous_hash IS NULL) = (previous_ends_at IS NULL)),
    CONSTRAINT revocation_has_person_and_instant CHECK ((revoked_by IS NULL) = (revoked_at IS NULL))
);
COMMENT ON TABLE api_keys IS 'Clés d''API : un compte de programme, son rôle dans un dispositif, l''empreinte de son secret';
COMMENT ON COLUMN api_keys.previous_hash IS 'Le secret d''avant, encore bon jusqu''à previous_ends_at';
COMMENT ON COLUMN api_keys.last_used_at IS 'Dernier usage, à la minute près';
CREATE INDEX api_keys_previous ON api_keys (programme_id, previous_hash) WHERE previous_hash IS NOT NULL;

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON api_keys USING (programme_id = (SELECT current_programme()));

GRANT SELECT, INSERT, UPDATE (secret_hash, previous_hash, previous_ends_at, revoked_by, revoked_at, last_used_at)
    ON api_keys TO souche_service;
