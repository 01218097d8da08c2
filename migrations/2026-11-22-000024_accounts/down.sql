DROP TABLE outbox;
DROP TABLE password_resets;
DROP TABLE invitations;
DROP TABLE sign_in_tries;
DROP TABLE refresh_tokens;
DROP TABLE sessions;

CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    user_id uuid NOT NULL REFERENCES users,
    programme_id integer NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CONSTRAINT expires_after_issue CHECK (expires_at > issued_at)
);
COMMENT ON TABLE refresh_tokens IS 'Jetons de renouvellement, à usage unique, gardés hachés';
GRANT SELECT, INSERT, DELETE ON refresh_tokens TO souche_service;

REVOKE UPDATE (role, organisation, site) ON memberships FROM souche_service;
-- An older release knows no ended role: such a row would be one in force.
DELETE FROM memberships WHERE ended_at IS NOT NULL;
ALTER TABLE memberships DROP COLUMN version, DROP COLUMN ended_at;
