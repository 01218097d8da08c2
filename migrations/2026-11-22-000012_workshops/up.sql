-- What a programme and a site say of redemptions beforehand: how many passes a person may spend on a
-- service, and the workshops that people come to.

ALTER TABLE programmes ADD COLUMN passes_per_service jsonb NOT NULL DEFAULT '{}'
    CHECK (jsonb_typeof(passes_per_service) = 'object');
COMMENT ON COLUMN programmes.passes_per_service IS 'Par service, le plus de pass qu''une personne peut y utiliser ; un service absent n''a pas de limite';
-- All that a person spent starts from its hand-overs.
CREATE INDEX hand_overs_person ON hand_overs (programme_id, person_key);

CREATE TABLE workshops (
    programme_id integer NOT NULL DEFAULT current_programme(),
    number integer NOT NULL CHECK (number > 0),
    site integer NOT NULL,
    held_on date NOT NULL,
    place text NOT NULL CHECK (length(place) BETWEEN 1 AND 200),
    people integer NOT NULL CHECK (people BETWEEN 1 AND 200),
    declared_by uuid NOT NULL REFERENCES users,
    declared_at timestamptz NOT NULL,
    PRIMARY KEY (programme_id, number),
    -- A redemption names the workshop with its site and day: this is where it must find them.
    UNIQUE (programme_id, number, site, held_on),
    CONSTRAINT site_exists FOREIGN KEY (programme_id, site) REFERENCES sites
);
COMMENT ON TABLE workshops IS 'Ateliers : un lieu, un jour, un nombre de personnes';
COMMENT ON COLUMN workshops.place IS 'Où il se tient : le lieu même, ou une salle ailleurs';
COMMENT ON COLUMN workshops.people IS 'Le plus de personnes différentes dont les pass peuvent y être utilisés';
CREATE INDEX workshops_site ON workshops (programme_id, site);

ALTER TABLE redemptions
    ADD COLUMN workshop integer,
    -- In Paris, and only where a workshop is named: what the key below compares.
    ADD COLUMN workshop_on date GENERATED ALWAYS AS
        (CASE WHEN workshop IS NOT NULL THEN (redeemed_at AT TIME ZONE 'Europe/Paris')::date END) STORED,
    ADD CONSTRAINT workshop_is_of_its_site_and_day FOREIGN KEY (programme_id, workshop, site, workshop_on)
        REFERENCES workshops (programme_id, number, site, held_on);
COMMENT ON COLUMN redemptions.workshop IS 'L''atelier où le pass a été utilisé, s''il y en a un';
CREATE INDEX redemptions_workshop ON redemptions (programme_id, workshop) WHERE workshop IS NOT NULL;

ALTER TABLE workshops ENABLE ROW LEVEL SECURITY;
ALTER TABLE workshops FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON workshops USING (programme_id = (SELECT current_programme()));

GRANT SELECT, INSERT ON workshops TO souche_service;
