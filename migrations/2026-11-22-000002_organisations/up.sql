-- Numbers, organisations and sites.

CREATE TABLE series (
    programme_id integer NOT NULL DEFAULT current_programme(),
    name text NOT NULL CHECK (name ~ '^[a-z_]{1,40}$'),
    last integer NOT NULL CHECK (last > 0),
    PRIMARY KEY (programme_id, name)
);
COMMENT ON TABLE series IS 'Séries continues : le dernier numéro donné, pris et rendu avec la transaction, donc sans trou';

CREATE TABLE organisations (
    programme_id integer NOT NULL DEFAULT current_programme() REFERENCES programmes,
    number integer NOT NULL CHECK (number > 0),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    siret text CHECK (siret ~ '^[0-9]{14}$'),
    is_prescriber boolean NOT NULL,
    department text CHECK (length(department) BETWEEN 2 AND 3),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (programme_id, number),
    CONSTRAINT one_organisation_per_siret UNIQUE (programme_id, siret)
);
COMMENT ON TABLE organisations IS 'Structures : prescripteurs et porteurs de lieux';
COMMENT ON COLUMN organisations.siret IS 'Sans SIRET, une structure est connue mais ne peut être payée';

CREATE TABLE sites (
    programme_id integer NOT NULL DEFAULT current_programme() REFERENCES programmes,
    number integer NOT NULL CHECK (number > 0),
    organisation integer NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    address text NOT NULL CHECK (length(address) <= 300),
    postal_code text CHECK (postal_code ~ '^[0-9]{5}$'),
    insee_code text NOT NULL CHECK (insee_code ~ '^[0-9AB]{5}$'),
    commune text NOT NULL CHECK (length(commune) BETWEEN 1 AND 100),
    -- Millionths of a degree: integers compare and re-read exactly.
    latitude_microdegrees integer CHECK (latitude_microdegrees BETWEEN -90000000 AND 90000000),
    longitude_microdegrees integer CHECK (longitude_microdegrees BETWEEN -180000000 AND 180000000),
    services text[] NOT NULL,
    source text,
    source_id text,
    is_fictitious boolean NOT NULL DEFAULT false,
    qualified_from date,
    qualified_until date CONSTRAINT qualification_ends_after_start CHECK (qualified_until >= qualified_from),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (programme_id, number),
    CONSTRAINT organisation_exists FOREIGN KEY (programme_id, organisation) REFERENCES organisations,
    CONSTRAINT one_site_per_source_id UNIQUE (programme_id, source, source_id)
);
COMMENT ON TABLE sites IS 'Lieux de médiation ; qualifié de qualified_from à qualified_until inclus';

ALTER TABLE memberships
    ADD CONSTRAINT organisation_exists FOREIGN KEY (programme_id, organisation) REFERENCES organisations,
    ADD CONSTRAINT site_exists FOREIGN KEY (programme_id, site) REFERENCES sites;

ALTER TABLE series ENABLE ROW LEVEL SECURITY;
ALTER TABLE series FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON series USING (programme_id = (SELECT current_programme()));
ALTER TABLE organisations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organisations FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON organisations USING (programme_id = (SELECT current_programme()));
ALTER TABLE sites ENABLE ROW LEVEL SECURITY;
ALTER TABLE sites FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON sites USING (programme_id = (SELECT current_programme()));

GRANT SELECT, INSERT, UPDATE (last) ON series TO souche_service;
GRANT SELECT, INSERT ON organisations TO souche_service;
GRANT SELECT, INSERT, UPDATE (qualified_from, qualified_until) ON sites TO souche_service;
