-- From the sponsor's stock to a person's hands.

CREATE TABLE deliveries (
    programme_id integer NOT NULL DEFAULT current_programme(),
    number integer NOT NULL CHECK (number > 0),
    prescriber integer NOT NULL,
    first_booklet integer NOT NULL,
    last_booklet integer NOT NULL,
    sent_at timestamptz NOT NULL,
    sent_by uuid NOT NULL REFERENCES users,
    entry_id uuid NOT NULL,
    PRIMARY KEY (programme_id, number),
    CONSTRAINT prescriber_exists FOREIGN KEY (programme_id, prescriber) REFERENCES organisations,
    CONSTRAINT first_booklet_exists FOREIGN KEY (programme_id, first_booklet) REFERENCES booklets,
    CONSTRAINT last_booklet_exists FOREIGN KEY (programme_id, last_booklet) REFERENCES booklets,
    CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries,
    CONSTRAINT booklets_are_in_order CHECK (first_booklet <= last_booklet)
);
COMMENT ON TABLE deliveries IS 'Livraisons : ce que l''expéditeur déclare';

CREATE TABLE delivery_receipts (
    programme_id integer NOT NULL DEFAULT current_programme(),
    delivery integer NOT NULL,
    received_at timestamptz NOT NULL,
    received_by uuid NOT NULL REFERENCES users,
    -- Declared by the sender and not found by the receiver: still in transit, and to be looked for.
    missing_booklets integer[] NOT NULL,
    entry_id uuid NOT NULL,
    CONSTRAINT delivery_received_once PRIMARY KEY (programme_id, delivery),
    CONSTRAINT delivery_exists FOREIGN KEY (programme_id, delivery) REFERENCES deliveries,
    CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries
);
COMMENT ON TABLE delivery_receipts IS 'Accusés de réception : ce que le destinataire a compté ; un écart ouvre un incident';

CREATE TABLE beneficiaries (
    programme_id integer NOT NULL DEFAULT current_programme() REFERENCES programmes,
    -- Keyed hash of the normalised name and birth date: tells whether a person was served, not who it is.
    person_key bytea NOT NULL CHECK (octet_length(person_key) = 32),
    identity_sealed bytea NOT NULL,
    -- What a programme may allow, and a booklet more until the hand-over that counted it is refused.
    passes_received integer NOT NULL CHECK (passes_received BETWEEN 0 AND 1010),
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    PRIMARY KEY (programme_id, person_key)
);
COMMENT ON TABLE beneficiaries IS 'Bénéficiaires : la seule table d''identité, chiffrée';

CREATE TYPE eligibility AS ENUM ('senior', 'jobseeker', 'young_in_insertion');
CREATE TYPE proof AS ENUM ('identity_document', 'jobseeker_certificate', 'placement_certificate', 'mission_locale_certificate');

CREATE TABLE hand_overs (
    programme_id integer NOT NULL DEFAULT current_programme(),
    number integer NOT NULL CHECK (number > 0),
    booklet integer NOT NULL,
    prescriber integer NOT NULL,
    person_key bytea NOT NULL,
    eligibility eligibility NOT NULL,
    proof proof NOT NULL,
    proof_dated_on date NOT NULL,
    insee_code text NOT NULL CHECK (insee_code ~ '^[0-9AB]{5}$'),
    handed_at timestamptz NOT NULL,
    handed_by uuid NOT NULL REFERENCES users,
    entry_id uuid NOT NULL,
    PRIMARY KEY (programme_id, number),
    CONSTRAINT booklet_exists FOREIGN KEY (programme_id, booklet) REFERENCES booklets,
    CONSTRAINT prescriber_exists FOREIGN KEY (programme_id, prescriber) REFERENCES organisations,
    CONSTRAINT beneficiary_exists FOREIGN KEY (programme_id, person_key) REFERENCES beneficiaries,
    CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries,
    UNIQUE (programme_id, booklet, number)
);
COMMENT ON TABLE hand_overs IS 'Remises d''un carnet à une personne éligible, contre récépissé';
COMMENT ON COLUMN hand_overs.proof IS 'La nature du justificatif vu, jamais le document';

-- A pass in somebody's hands names the hand-over of its own booklet.
ALTER TABLE passes ADD CONSTRAINT hand_over_is_of_its_booklet FOREIGN KEY (programme_id, booklet, hand_over)
    REFERENCES hand_overs (programme_id, booklet, number);

ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON deliveries USING (programme_id = (SELECT current_programme()));
ALTER TABLE delivery_receipts ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery_receipts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON delivery_receipts USING (programme_id = (SELECT current_programme()));
ALTER TABLE beneficiaries ENABLE ROW LEVEL SECURITY;
ALTER TABLE beneficiaries FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON beneficiaries USING (programme_id = (SELECT current_programme()));
ALTER TABLE hand_overs ENABLE ROW LEVEL SECURITY;
ALTER TABLE hand_overs FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON hand_overs USING (programme_id = (SELECT current_programme()));

GRANT SELECT, INSERT ON deliveries, delivery_receipts, hand_overs, beneficiaries TO souche_service;
GRANT UPDATE (identity_sealed, passes_received, last_seen_at) ON beneficiaries TO souche_service;
