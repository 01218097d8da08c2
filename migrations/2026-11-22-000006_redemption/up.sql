-- At the counter. A pass is redeemed at most once per cycle, and a new cycle needs a void of the last.

CREATE TYPE service AS ENUM (
    'administrative_procedures', 'everyday_tools', 'employment', 'online_safety', 'parenting_and_education',
    'leisure_and_creation', 'digital_understanding', 'access_to_equipment', 'solidarity_purchase'
);

CREATE TABLE redemptions (
    programme_id integer NOT NULL DEFAULT current_programme(),
    pass integer NOT NULL,
    cycle smallint NOT NULL CONSTRAINT cycles_count_from_one CHECK (cycle > 0),
    entry_id uuid NOT NULL,
    hand_over integer NOT NULL,
    site integer NOT NULL,
    service service NOT NULL,
    redeemed_at timestamptz NOT NULL,
    voided_cycle smallint GENERATED ALWAYS AS (CASE WHEN cycle > 1 THEN cycle - 1 END) STORED,
    CONSTRAINT redeemed_once_per_cycle PRIMARY KEY (programme_id, pass, cycle),
    CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries,
    CONSTRAINT hand_over_is_of_its_pass FOREIGN KEY (programme_id, pass, hand_over) REFERENCES passes (programme_id, number, hand_over),
    CONSTRAINT site_exists FOREIGN KEY (programme_id, site) REFERENCES sites
);
COMMENT ON TABLE redemptions IS 'Utilisations ; jamais modifiées';
CREATE INDEX redemptions_site ON redemptions (programme_id, site, redeemed_at);

CREATE TABLE voids (
    programme_id integer NOT NULL DEFAULT current_programme(),
    pass integer NOT NULL,
    cycle smallint NOT NULL,
    entry_id uuid NOT NULL,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
    voided_at timestamptz NOT NULL,
    CONSTRAINT voided_once_per_cycle PRIMARY KEY (programme_id, pass, cycle),
    CONSTRAINT redemption_exists FOREIGN KEY (programme_id, pass, cycle) REFERENCES redemptions,
    CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries
);
COMMENT ON TABLE voids IS 'Annulations d''utilisation : une écriture de plus, qui désigne la première';

ALTER TABLE redemptions ADD CONSTRAINT new_cycle_needs_a_void
    FOREIGN KEY (programme_id, pass, voided_cycle) REFERENCES voids (programme_id, pass, cycle);

CREATE TABLE wrong_tries (
    programme_id integer NOT NULL DEFAULT current_programme() REFERENCES programmes,
    site integer NOT NULL,
    pass integer NOT NULL,
    -- Start of the window in which they are counted.
    since timestamptz NOT NULL,
    tries integer NOT NULL CHECK (tries > 0),
    PRIMARY KEY (programme_id, site, pass)
);
COMMENT ON TABLE wrong_tries IS 'Codes faux, comptés par lieu et par pass, pour freiner qui devine';

ALTER TABLE redemptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE redemptions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON redemptions USING (programme_id = (SELECT current_programme()));
ALTER TABLE voids ENABLE ROW LEVEL SECURITY;
ALTER TABLE voids FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON voids USING (programme_id = (SELECT current_programme()));
ALTER TABLE wrong_tries ENABLE ROW LEVEL SECURITY;
ALTER TABLE wrong_tries FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON wrong_tries USING (programme_id = (SELECT current_programme()));

GRANT SELECT, INSERT ON redemptions, voids TO souche_service;
GRANT SELECT, INSERT, UPDATE (since, tries), DELETE ON wrong_tries TO souche_service;
