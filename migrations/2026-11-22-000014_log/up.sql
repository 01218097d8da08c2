-- The log of a programme: its receipts, sealed one after another into a Merkle tree whose heads are signed.

CREATE TABLE logs (
    programme_id integer NOT NULL DEFAULT current_programme() PRIMARY KEY REFERENCES programmes,
    -- Transactions older than this had all ended when the last seal looked: it begins here the next time.
    horizon xid8 NOT NULL DEFAULT '0',
    -- What the signer said when it refused the head; null once it has signed.
    refused_because text CHECK (length(refused_because) BETWEEN 1 AND 1000)
);
COMMENT ON TABLE logs IS 'Journal public d''un dispositif : jusqu''où il est scellé ; la ligne que le scelleur verrouille';

CREATE TABLE leaves (
    programme_id integer NOT NULL DEFAULT current_programme(),
    position bigint NOT NULL CHECK (position >= 0),
    entry_id uuid NOT NULL,
    leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
    -- What a proof can't afford to hash again: the roots of the subtrees of 256, 65 536, … leaves that end here.
    subtree_roots bytea CHECK (octet_length(subtree_roots) IN (32, 64, 96, 128, 160, 192, 224)),
    previous bigint GENERATED ALWAYS AS (CASE WHEN position > 0 THEN position - 1 END) STORED,
    PRIMARY KEY (programme_id, position),
    CONSTRAINT roots_stand_where_subtrees_end CHECK ((subtree_roots IS NOT NULL) = ((position + 1) % 256 = 0)),
    CONSTRAINT entry_sealed_once UNIQUE (programme_id, entry_id),
    CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries,
    CONSTRAINT positions_run_on FOREIGN KEY (programme_id, previous) REFERENCES leaves (programme_id, position)
);
COMMENT ON TABLE leaves IS 'Feuilles : un récépissé, sa place et son empreinte (RFC 6962) ; sans trou, jamais modifiées';

CREATE TABLE log_keys (
    programme_id integer NOT NULL DEFAULT current_programme() REFERENCES programmes,
    vkey text NOT NULL CHECK (length(vkey) BETWEEN 10 AND 300),
    first_used_at timestamptz NOT NULL,
    PRIMARY KEY (programme_id, vkey)
);
COMMENT ON TABLE log_keys IS 'Clés publiques qui ont signé le journal';

CREATE TABLE checkpoints (
    programme_id integer NOT NULL DEFAULT current_programme(),
    size bigint NOT NULL CHECK (size > 0),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    vkey text NOT NULL,
    note text NOT NULL CHECK (length(note) BETWEEN 10 AND 10000),
    signed_at timestamptz NOT NULL,
    last_leaf bigint GENERATED ALWAYS AS (size - 1) STORED,
    PRIMARY KEY (programme_id, size),
    CONSTRAINT key_is_known FOREIGN KEY (programme_id, vkey) REFERENCES log_keys,
    CONSTRAINT last_leaf_exists FOREIGN KEY (programme_id, last_leaf) REFERENCES leaves (programme_id, position)
);
COMMENT ON TABLE checkpoints IS 'Points de contrôle : têtes du journal, signées (C2SP tlog-checkpoint)';

-- What a seal reads: the entries of transactions that had not ended at the last one.
CREATE INDEX entries_xid ON entries (programme_id, xid);

ALTER TABLE logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE logs FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON logs USING (programme_id = (SELECT current_programme()));
ALTER TABLE leaves ENABLE ROW LEVEL SECURITY;
ALTER TABLE leaves FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON leaves USING (programme_id = (SELECT current_programme()));
ALTER TABLE log_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE log_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON log_keys USING (programme_id = (SELECT current_programme()));
ALTER TABLE checkpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE checkpoints FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON checkpoints USING (programme_id = (SELECT current_programme()));

GRANT SELECT, INSERT ON logs, leaves, log_keys, checkpoints TO souche_service;
GRANT UPDATE (horizon, refused_because) ON logs TO souche_service;

-- A log is read without a token, by the code of its programme: whoever knows a code finds that one row.
ALTER POLICY own_programme ON programmes
    USING (id = (SELECT current_programme()) OR code = (SELECT current_setting('souche.code', true)) OR EXISTS (
        SELECT FROM memberships m WHERE m.programme_id = programmes.id AND m.user_id = (SELECT current_person())));
