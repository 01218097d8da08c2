-- What a settlement has taken is undone by an incident, which the next settlement of its organisation deducts.

ALTER TYPE entry_kind ADD VALUE 'incident';
ALTER TABLE entries
    DROP CONSTRAINT only_voids_correct,
    -- As text: a label can't be named in the transaction that adds it.
    ADD CONSTRAINT only_voids_and_incidents_correct CHECK ((corrects IS NOT NULL) = (kind::text IN ('void', 'incident')));

-- A line of a payout pays a redemption, or deducts an incident: as much, with a minus. Each redemption is paid
-- once, and deducted once; the running total goes on as before.
ALTER TABLE payout_items
    ADD COLUMN incident integer,
    ADD COLUMN deducts boolean NOT NULL GENERATED ALWAYS AS (incident IS NOT NULL) STORED,
    ADD COLUMN worth_cents bigint NOT NULL GENERATED ALWAYS AS (abs(amount_cents)) STORED,
    DROP CONSTRAINT payout_items_amount_cents_check,
    DROP CONSTRAINT item_is_worth_face_value,
    DROP CONSTRAINT redemption_paid_once,
    ADD CONSTRAINT only_incidents_are_deducted CHECK ((incident IS NOT NULL) = (amount_cents < 0)),
    ADD CONSTRAINT redemption_paid_once UNIQUE (programme_id, pass, cycle, deducts),
    ADD CONSTRAINT incident_deducted_once UNIQUE (programme_id, incident),
    ADD CONSTRAINT item_is_worth_face_value FOREIGN KEY (programme_id, worth_cents) REFERENCES programmes (id, face_value_cents);
COMMENT ON TABLE payout_items IS 'Lignes d''un contre-paiement : une par utilisation payée, une par incident déduit';
COMMENT ON COLUMN payout_items.incident IS 'L''incident que cette ligne déduit ; vide quand elle paie';

CREATE TABLE incidents (
    programme_id integer NOT NULL DEFAULT current_programme(),
    number integer NOT NULL CHECK (number > 0),
    pass integer NOT NULL,
    cycle smallint NOT NULL,
    -- The line that an incident undoes is one that pays.
    deducts boolean NOT NULL GENERATED ALWAYS AS (false) STORED,
    PRIMARY KEY (programme_id, number),
    UNIQUE (programme_id, number, pass, cycle),
    CONSTRAINT one_incident_per_redemption UNIQUE (programme_id, pass, cycle),
    CONSTRAINT incident_is_a_void FOREIGN KEY (programme_id, pass, cycle) REFERENCES voids,
    CONSTRAINT incident_is_of_a_settled_redemption FOREIGN KEY (programme_id, pass, cycle, deducts)
        REFERENCES payout_items (programme_id, pass, cycle, deducts)
);
COMMENT ON TABLE incidents IS 'Incidents : annulations d''une utilisation déjà dans un lot, par l''opérateur ; déduites du lot suivant';
ALTER TABLE payout_items ADD CONSTRAINT deducted_incident_exists FOREIGN KEY (programme_id, incident, pass, cycle)
    REFERENCES incidents (programme_id, number, pass, cycle);

ALTER TABLE incidents ENABLE ROW LEVEL SECURITY;
ALTER TABLE incidents FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON incidents USING (programme_id = (SELECT current_programme()));

GRANT SELECT, INSERT ON incidents TO souche_service;
