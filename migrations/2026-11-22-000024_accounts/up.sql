-- How people come in, stay in and are put out: invitations, sessions, letters, and the brake on guessing.

-- A role that was taken away keeps its row, and each change a number: a session holds for one of them.
ALTER TABLE memberships
    ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    ADD COLUMN ended_at timestamptz;
COMMENT ON COLUMN memberships.version IS 'Augmente à chaque changement ; une session ne vaut que pour la sienne';
GRANT UPDATE (role, organisation, site, version, ended_at) ON memberships TO souche_service;

-- Sessions open before this end with it: their tokens have no family.
DROP TABLE refresh_tokens;

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    programme_id integer NOT NULL,
    user_id uuid NOT NULL,
    role_version integer NOT NULL,
    opened_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT session_is_of_a_membership FOREIGN KEY (programme_id, user_id) REFERENCES memberships (programme_id, user_id),
    CONSTRAINT used_before_it_expires CHECK (opened_at <= used_at AND used_at < expires_at)
);
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;
COMMENT ON TABLE sessions IS 'Sessions : une connexion et tout ce qui en est renouvelé ; finie, aucun de ses jetons ne vaut plus';
GRANT SELECT, INSERT, DELETE, UPDATE (used_at, expires_at, ended_at) ON sessions TO souche_service;

CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    issued_at timestamptz NOT NULL,
    used_at timestamptz CONSTRAINT used_after_issue CHECK (used_at >= issued_at)
);
CREATE INDEX refresh_tokens_of_session ON refresh_tokens (session_id);
-- One token of a session is good at a time.
CREATE UNIQUE INDEX one_good_token_per_session ON refresh_tokens (session_id) WHERE used_at IS NULL;
COMMENT ON TABLE refresh_tokens IS 'Jetons de renouvellement, à usage unique, gardés hachés ; un jeton servi deux fois finit sa session';
GRANT SELECT, INSERT, DELETE, UPDATE (used_at) ON refresh_tokens TO souche_service;

CREATE TABLE sign_in_tries (
    address_hash bytea PRIMARY KEY CHECK (octet_length(address_hash) = 32),
    tries integer NOT NULL CHECK (tries > 0),
    tried_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL CONSTRAINT next_is_not_before CHECK (next_at >= tried_at)
);
CREATE INDEX sign_in_tries_by_age ON sign_in_tries (tried_at);
COMMENT ON TABLE sign_in_tries IS 'Essais de connexion sans succès, par adresse hachée, qu''elle ait un compte ou non : un frein, pas un historique';
GRANT SELECT, INSERT, DELETE, UPDATE (tries, tried_at, next_at) ON sign_in_tries TO souche_service;

CREATE TABLE invitations (
    programme_id integer NOT NULL DEFAULT current_programme(),
    id uuid NOT NULL,
    token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    email text NOT NULL CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
    role role NOT NULL,
    organisation integer,
    site integer,
    invited_by uuid NOT NULL REFERENCES users,
    invited_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    accepted_by uuid REFERENCES users,
    accepted_at timestamptz,
    withdrawn_at timestamptz,
    PRIMARY KEY (programme_id, id),
    CONSTRAINT token_opens_one_invitation UNIQUE (programme_id, token_hash),
    CONSTRAINT invitation_ends CHECK (expires_at > invited_at AND expires_at <= invited_at + interval '72 hours'),
    CONSTRAINT acceptance_has_person_and_instant CHECK ((accepted_by IS NULL) = (accepted_at IS NULL)),
    CONSTRAINT accepted_in_time CHECK (accepted_at < expires_at),
    CONSTRAINT accepted_or_withdrawn CHECK (accepted_at IS NULL OR withdrawn_at IS NULL),
    CONSTRAINT nobody_invites_himself CHECK (accepted_by <> invited_by),
    CONSTRAINT invitation_place_follows_from_role
        CHECK ((role IN ('prescriber_manager', 'prescriber_agent', 'site_manager', 'site_mediator')) = (organisation IS NOT NULL)
               AND (role = 'site_mediator') = (site IS NOT NULL)),
    CONSTRAINT invited_organisation_exists FOREIGN KEY (programme_id, organisation) REFERENCES organisations (programme_id, number),
    CONSTRAINT invited_site_exists FOREIGN KEY (programme_id, site) REFERENCES sites (programme_id, number)
);
COMMENT ON TABLE invitations IS 'Invitations : un rôle promis à une adresse, 72 heures, un seul usage ; le jeton est gardé haché';
ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON invitations USING (programme_id = (SELECT current_programme()));
GRANT SELECT, INSERT, UPDATE (accepted_by, accepted_at, withdrawn_at) ON invitations TO souche_service;

CREATE TABLE password_resets (
    user_id uuid PRIMARY KEY REFERENCES users,
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT reset_ends CHECK (expires_at > issued_at AND expires_at <= issued_at + interval '1 hour')
);
COMMENT ON TABLE password_resets IS 'Réinitialisations demandées : une par compte, une heure, un seul usage ; le jeton est gardé haché';
GRANT SELECT, INSERT, DELETE, UPDATE (token_hash, issued_at, expires_at) ON password_resets TO souche_service;

CREATE TABLE outbox (
    id uuid PRIMARY KEY,
    letter_sealed bytea NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL
);
CREATE INDEX outbox_by_turn ON outbox (next_at);
COMMENT ON TABLE outbox IS 'Courriels à envoyer, scellés ; une ligne envoyée est effacée';
GRANT SELECT, INSERT, DELETE, UPDATE (tries, next_at) ON outbox TO souche_service;
