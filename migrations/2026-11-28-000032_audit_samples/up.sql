-- Audit samples: a commitment to a secret seed, the draw by that seed and by a head of the log that did not exist before, and
-- what was found on each receipt that was drawn. Nothing here is ever changed: a correction is a new finding.
ALTER TYPE entry_kind ADD VALUE 'audit_commitment';
ALTER TYPE entry_kind ADD VALUE 'audit_draw';
ALTER TYPE entry_kind ADD VALUE 'audit_finding';

CREATE TYPE strata_kind AS ENUM ('kind', 'site', 'month');
CREATE TYPE audit_conclusion AS ENUM ('conform', 'anomaly', 'not_verifiable');

CREATE TABLE audit_samples (
    programme_id integer NOT NULL DEFAULT current_programme(),
    number integer NOT NULL CHECK (number > 0),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    -- SHA-256 of the seed.
    commitment bytea NOT NULL CHECK (octet_length(commitment) = 32),
    -- Kinds of entries, as words: the type of kinds is made anew when a migration is undone.
    kinds text[] NOT NULL CHECK (cardinality(kinds) BETWEEN 1 AND 100 AND array_position(kinds, NULL) IS NULL),
    from_on date NOT NULL,
    until_on date NOT NULL,
    strata strata_kind NOT NULL,
    per_stratum integer NOT NULL CHECK (per_stratum BETWEEN 1 AND 100),
    committed_by uuid NOT NULL REFERENCES users,
    committed_at timestamptz NOT NULL,
    entry_id uuid NOT NULL,
    PRIMARY KEY (programme_id, number),
    UNIQUE (programme_id, number, commitment),
    -- A seed that was revealed serves no second time.
    CONSTRAINT seed_serves_once UNIQUE (programme_id, commitment),
    CONSTRAINT period_has_days CHECK (from_on <= until_on),
    CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON TABLE audit_samples IS 'Échantillons d''audit : l''engagement de l''auditeur (empreinte d''une graine secrète) et les critères, dits avant le tirage';
COMMENT ON COLUMN audit_samples.commitment IS 'SHA-256 de la graine, que l''auditeur garde secrète jusqu''au tirage';

CREATE TABLE audit_draws (
    programme_id integer NOT NULL DEFAULT current_programme(),
    sample integer NOT NULL,
    commitment bytea NOT NULL,
    seed bytea NOT NULL CHECK (octet_length(seed) = 32),
    -- The commitment's own place in the log: the head that draws is that of the tree which ends with it.
    leaf bigint NOT NULL,
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    -- A head that the signer has signed, and that covers the commitment.
    signed_size bigint NOT NULL,
    population bigint NOT NULL CHECK (population >= 0),
    items integer NOT NULL CHECK (items >= 0),
    drawn_by uuid NOT NULL REFERENCES users,
    drawn_at timestamptz NOT NULL,
    entry_id uuid NOT NULL,
    CONSTRAINT sample_drawn_once PRIMARY KEY (programme_id, sample),
    CONSTRAINT sample_was_committed_to FOREIGN KEY (programme_id, sample, commitment) REFERENCES audit_samples (programme_id, number, commitment),
    CONSTRAINT seed_is_the_one_committed_to CHECK (sha256(seed) = commitment),
    CONSTRAINT commitment_is_sealed FOREIGN KEY (programme_id, leaf) REFERENCES leaves DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT head_is_signed FOREIGN KEY (programme_id, signed_size) REFERENCES checkpoints DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT signed_head_covers_the_commitment CHECK (signed_size > leaf),
    CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON TABLE audit_draws IS 'Tirages : un par échantillon, par la graine révélée et la tête du journal public qui finit à l''engagement';
COMMENT ON COLUMN audit_draws.leaf IS 'Feuille de l''engagement : la population est ce qui la précède';
COMMENT ON COLUMN audit_draws.root IS 'Racine de l''arbre qui finit à cette feuille';

CREATE TABLE audit_strata (
    programme_id integer NOT NULL DEFAULT current_programme(),
    sample integer NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    -- A kind, a month, or the number of a site; 0 for receipts that name none.
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 50),
    population bigint NOT NULL CHECK (population > 0),
    items integer NOT NULL CHECK (items > 0),
    PRIMARY KEY (programme_id, sample, number),
    CONSTRAINT stratum_is_there_once UNIQUE (programme_id, sample, name),
    CONSTRAINT no_more_drawn_than_there_are CHECK (items <= population),
    CONSTRAINT draw_exists FOREIGN KEY (programme_id, sample) REFERENCES audit_draws
);
COMMENT ON TABLE audit_strata IS 'Strates d''un tirage : combien de récépissés dans chacune, combien de tirés';

CREATE TABLE audit_items (
    programme_id integer NOT NULL DEFAULT current_programme(),
    sample integer NOT NULL,
    line integer NOT NULL CHECK (line > 0),
    stratum integer NOT NULL,
    leaf bigint NOT NULL,
    -- The entry whose receipt was drawn.
    about uuid NOT NULL,
    PRIMARY KEY (programme_id, sample, line),
    CONSTRAINT leaf_drawn_once UNIQUE (programme_id, sample, leaf),
    CONSTRAINT stratum_exists FOREIGN KEY (programme_id, sample, stratum) REFERENCES audit_strata DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT leaf_exists FOREIGN KEY (programme_id, leaf) REFERENCES leaves DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT receipt_exists FOREIGN KEY (programme_id, about) REFERENCES entries
);
COMMENT ON TABLE audit_items IS 'Lignes d''un échantillon : les récépissés tirés, à contrôler un par un';

CREATE TABLE audit_findings (
    programme_id integer NOT NULL DEFAULT current_programme(),
    number integer NOT NULL CHECK (number > 0),
    sample integer NOT NULL,
    line integer NOT NULL,
    conclusion audit_conclusion NOT NULL,
    remark text CHECK (length(remark) BETWEEN 1 AND 1000),
    -- The finding of the same line that this one takes the place of.
    corrects integer,
    found_by uuid NOT NULL REFERENCES users,
    found_at timestamptz NOT NULL,
    entry_id uuid NOT NULL,
    PRIMARY KEY (programme_id, number),
    UNIQUE (programme_id, sample, line, number),
    CONSTRAINT finding_is_on_a_drawn_item FOREIGN KEY (programme_id, sample, line) REFERENCES audit_items,
    CONSTRAINT corrected_finding_is_of_the_line FOREIGN KEY (programme_id, sample, line, corrects)
        REFERENCES audit_findings (programme_id, sample, line, number),
    CONSTRAINT finding_corrected_once UNIQUE (programme_id, corrects),
    CONSTRAINT finding_corrects_an_earlier_one CHECK (corrects < number),
    CONSTRAINT what_is_not_conform_is_explained CHECK (conclusion = 'conform' OR remark IS NOT NULL),
    CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON TABLE audit_findings IS 'Constats : ce qu''un auditeur a trouvé sur une ligne ; jamais modifiés, une correction nomme le constat qu''elle remplace';
COMMENT ON COLUMN audit_findings.remark IS 'Ce qui a été constaté, sans nommer de personne';
-- Of a line, one finding is the first; each of the others corrects the one before.
CREATE UNIQUE INDEX line_has_one_first_finding ON audit_findings (programme_id, sample, line) WHERE corrects IS NULL;

ALTER TABLE audit_samples ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_samples FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON audit_samples USING (programme_id = (SELECT current_programme()));
ALTER TABLE audit_draws ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_draws FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON audit_draws USING (programme_id = (SELECT current_programme()));
ALTER TABLE audit_strata ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_strata FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON audit_strata USING (programme_id = (SELECT current_programme()));
ALTER TABLE audit_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_items FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON audit_items USING (programme_id = (SELECT current_programme()));
ALTER TABLE audit_findings ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_findings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON audit_findings USING (programme_id = (SELECT current_programme()));

GRANT SELECT, INSERT ON audit_samples, audit_draws, audit_strata, audit_items, audit_findings TO souche_service;
