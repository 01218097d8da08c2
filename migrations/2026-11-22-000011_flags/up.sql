-- Fraud flags: a pattern that was seen, the passes whose payout it holds, and what was decided.

ALTER TABLE sites ADD COLUMN daily_capacity integer CHECK (daily_capacity BETWEEN 1 AND 10000);
COMMENT ON COLUMN sites.daily_capacity IS 'Pass que le lieu déclare pouvoir utiliser en un jour ; sans déclaration, aucun contrôle';
GRANT UPDATE (daily_capacity) ON sites TO souche_service;

CREATE TYPE flag_kind AS ENUM (
    'whole_booklet_at_once', 'used_soon_after_hand_over', 'beyond_capacity', 'one_prescriber_feeds_one_site', 'night_hours'
);
CREATE TYPE flag_outcome AS ENUM ('released', 'upheld');

CREATE TABLE flags (
    programme_id integer NOT NULL DEFAULT current_programme(),
    number integer NOT NULL CHECK (number > 0),
    kind flag_kind NOT NULL,
    site integer NOT NULL,
    -- The booklet, hand-over or prescriber that it is about, as its kind has it.
    subject integer,
    -- The day, night or first day of the month that it is about.
    on_day date NOT NULL,
    explanation text NOT NULL CHECK (length(explanation) BETWEEN 1 AND 1000),
    raised_at timestamptz NOT NULL,
    PRIMARY KEY (programme_id, number),
    UNIQUE (programme_id, number, kind),
    CONSTRAINT site_exists FOREIGN KEY (programme_id, site) REFERENCES sites,
    CONSTRAINT subject_follows_from_kind CHECK ((subject IS NULL) = (kind IN ('beyond_capacity', 'night_hours')))
);
COMMENT ON TABLE flags IS 'Signalements : un usage inhabituel, expliqué en français tel qu''il a été vu';
CREATE INDEX flags_site ON flags (programme_id, site);

CREATE TABLE flag_passes (
    programme_id integer NOT NULL DEFAULT current_programme(),
    flag integer NOT NULL,
    kind flag_kind NOT NULL,
    pass integer NOT NULL,
    cycle smallint NOT NULL,
    PRIMARY KEY (programme_id, flag, pass, cycle),
    -- However often the same uses are examined.
    CONSTRAINT flagged_once_per_kind UNIQUE (programme_id, pass, cycle, kind),
    CONSTRAINT flag_is_of_the_kind FOREIGN KEY (programme_id, flag, kind) REFERENCES flags (programme_id, number, kind),
    CONSTRAINT redemption_exists FOREIGN KEY (programme_id, pass, cycle) REFERENCES redemptions
);
COMMENT ON TABLE flag_passes IS 'Utilisations dont un signalement retient le paiement, et elles seules';

CREATE TABLE flag_decisions (
    programme_id integer NOT NULL DEFAULT current_programme(),
    flag integer NOT NULL,
    outcome flag_outcome NOT NULL,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
    decided_by uuid NOT NULL REFERENCES users,
    decided_at timestamptz NOT NULL,
    CONSTRAINT flag_decided_once PRIMARY KEY (programme_id, flag),
    CONSTRAINT flag_exists FOREIGN KEY (programme_id, flag) REFERENCES flags
);
COMMENT ON TABLE flag_decisions IS 'Décisions sur un signalement : une seule, motivée, jamais modifiée';

ALTER TABLE flags ENABLE ROW LEVEL SECURITY;
ALTER TABLE flags FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON flags USING (programme_id = (SELECT current_programme()));
ALTER TABLE flag_passes ENABLE ROW LEVEL SECURITY;
ALTER TABLE flag_passes FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON flag_passes USING (programme_id = (SELECT current_programme()));
ALTER TABLE flag_decisions ENABLE ROW LEVEL SECURITY;
ALTER TABLE flag_decisions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON flag_decisions USING (programme_id = (SELECT current_programme()));

GRANT SELECT, INSERT ON flags, flag_passes, flag_decisions TO souche_service;
