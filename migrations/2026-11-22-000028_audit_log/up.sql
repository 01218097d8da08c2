-- Who used which right, on what, and what came of it: added in the transaction of the act, and never
-- changed. Without names, addresses of people, or secrets.

CREATE TABLE audit_log (
    programme_id integer NOT NULL DEFAULT current_programme(),
    -- In the order of time on one machine.
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    -- None when nobody was let in.
    actor uuid,
    role role,
    by_api_key boolean NOT NULL,
    operation text NOT NULL CHECK (operation ~ '^[a-z_]{1,50}$'),
    about jsonb NOT NULL CHECK (jsonb_typeof(about) = 'object'),
    outcome text NOT NULL CHECK (outcome ~ '^[a-z_]{1,50}$'),
    result jsonb NOT NULL CHECK (jsonb_typeof(result) = 'object'),
    request_id text NOT NULL CHECK (length(request_id) BETWEEN 1 AND 32),
    address text CHECK (length(address) <= 50),
    PRIMARY KEY (programme_id, id),
    CONSTRAINT actor_has_a_role CHECK ((actor IS NULL) = (role IS NULL))
);
COMMENT ON TABLE audit_log IS 'Trace des actes privilégiés : qui, quoi, sur quoi, avec quelle issue ; ajout seul';
COMMENT ON COLUMN audit_log.about IS 'Ce que l''adresse de la demande nommait';
COMMENT ON COLUMN audit_log.outcome IS 'done, ou le code du refus';
COMMENT ON COLUMN audit_log.result IS 'De la réponse, ce qui ne nomme personne et n''ouvre rien';
COMMENT ON COLUMN audit_log.address IS 'Réseau du client : /24 en IPv4, /48 en IPv6';
CREATE INDEX audit_log_at ON audit_log (programme_id, at);

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON audit_log USING (programme_id = (SELECT current_programme()));

GRANT SELECT, INSERT ON audit_log TO souche_service;
