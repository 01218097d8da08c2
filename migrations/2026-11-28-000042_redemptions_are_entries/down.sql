DROP VIEW redemptions;
ALTER TABLE entries NO FORCE ROW LEVEL SECURITY;
ALTER TABLE passes NO FORCE ROW LEVEL SECURITY;
ALTER TABLE voids NO FORCE ROW LEVEL SECURITY;
ALTER TABLE workshops NO FORCE ROW LEVEL SECURITY;
ALTER TABLE sites NO FORCE ROW LEVEL SECURITY;
ALTER TABLE payout_items NO FORCE ROW LEVEL SECURITY;
ALTER TABLE flag_passes NO FORCE ROW LEVEL SECURITY;

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
    workshop integer,
    workshop_on date GENERATED ALWAYS AS
        (CASE WHEN workshop IS NOT NULL THEN (redeemed_at AT TIME ZONE 'Europe/Paris')::date END) STORED,
    CONSTRAINT redeemed_once_per_cycle_of_pass PRIMARY KEY (programme_id, pass, cycle)
);
INSERT INTO redemptions (programme_id, pass, cycle, entry_id, hand_over, site, service, redeemed_at, workshop)
    SELECT programme_id, pass, cycle, id, hand_over, site, service, happened_at, workshop FROM entries WHERE pass IS NOT NULL;

ALTER TABLE voids DROP CONSTRAINT redemption_exists;
ALTER TABLE payout_items DROP CONSTRAINT redemption_exists;
ALTER TABLE flag_passes DROP CONSTRAINT redemption_exists;
ALTER TABLE entries
    DROP COLUMN voided_cycle,
    DROP COLUMN workshop_on,
    DROP COLUMN pass,
    DROP COLUMN cycle,
    DROP COLUMN hand_over,
    DROP COLUMN site,
    DROP COLUMN service,
    DROP COLUMN workshop;

ALTER TABLE redemptions RENAME CONSTRAINT redeemed_once_per_cycle_of_pass TO redeemed_once_per_cycle;
ALTER TABLE redemptions
    ADD CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries,
    ADD CONSTRAINT hand_over_is_of_its_pass FOREIGN KEY (programme_id, pass, hand_over)
        REFERENCES passes (programme_id, number, hand_over) DEFERRABLE,
    ADD CONSTRAINT new_cycle_needs_a_void FOREIGN KEY (programme_id, pass, voided_cycle)
        REFERENCES voids (programme_id, pass, cycle) DEFERRABLE,
    ADD CONSTRAINT workshop_is_of_its_site_and_day FOREIGN KEY (programme_id, workshop, site, workshop_on)
        REFERENCES workshops (programme_id, number, site, held_on),
    ADD CONSTRAINT site_exists FOREIGN KEY (programme_id, site) REFERENCES sites;
ALTER TABLE voids ADD CONSTRAINT redemption_exists FOREIGN KEY (programme_id, pass, cycle) REFERENCES redemptions;
ALTER TABLE payout_items ADD CONSTRAINT redemption_exists FOREIGN KEY (programme_id, pass, cycle) REFERENCES redemptions;
ALTER TABLE flag_passes ADD CONSTRAINT redemption_exists FOREIGN KEY (programme_id, pass, cycle) REFERENCES redemptions;
CREATE INDEX redemptions_site ON redemptions (programme_id, site, redeemed_at);
CREATE INDEX redemptions_workshop ON redemptions (programme_id, workshop) WHERE workshop IS NOT NULL;
COMMENT ON TABLE redemptions IS 'Utilisations ; jamais modifiées';
COMMENT ON COLUMN redemptions.workshop IS 'L''atelier où le pass a été utilisé, s''il y en a un';
ALTER TABLE redemptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE redemptions FORCE ROW LEVEL SECURITY;
ALTER TABLE entries FORCE ROW LEVEL SECURITY;
ALTER TABLE passes FORCE ROW LEVEL SECURITY;
ALTER TABLE voids FORCE ROW LEVEL SECURITY;
ALTER TABLE workshops FORCE ROW LEVEL SECURITY;
ALTER TABLE sites FORCE ROW LEVEL SECURITY;
ALTER TABLE payout_items FORCE ROW LEVEL SECURITY;
ALTER TABLE flag_passes FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON redemptions USING (programme_id = (SELECT current_programme()));
GRANT SELECT, INSERT ON redemptions TO souche_service;

CREATE OR REPLACE FUNCTION write_redemptions(
    entry_ids uuid[], by_users uuid[], receipts text[], keys text[], request_keys bytea[], request_hashes bytea[],
    pass_numbers integer[], cycles smallint[], hand_overs integer[], at_sites integer[], services service[],
    instants timestamptz[], at_workshops integer[],
    of_entries uuid[], lines smallint[], books book[], debits integer[], credits integer[], amounts bigint[], first_passes integer[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    -- Once, not as the default of each row.
    programme CONSTANT integer := current_programme();
    changed integer;
    written integer;
BEGIN
    -- A pass that changed and came back is as good, as long as the redemption comes after. That it is still in the
    -- same hands is for the key of the redemption to say.
    UPDATE passes p SET state = 'redeemed', cycle = r.cycle, changed_at = r.at
        FROM (SELECT unnest(pass_numbers) AS pass, unnest(cycles) AS cycle, unnest(instants) AS at ORDER BY pass) AS r
        WHERE p.number = r.pass AND p.state = 'distributed' AND p.cycle = r.cycle - 1 AND p.changed_at < r.at;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed <> cardinality(pass_numbers) THEN
        RAISE EXCEPTION '% passes are as they were judged, of %', changed, cardinality(pass_numbers);
    END IF;
    -- A refusal is kept while its pass is locked: from here on, all that there are of these passes can be seen.
    INSERT INTO entries (programme_id, id, kind, happened_at, recorded_at, recorded_by, receipt, request_key, request_hash)
        SELECT programme, e.id, 'redemption', e.at, e.at, e.by_user, e.receipt, e.request_key, e.request_hash
        FROM (SELECT unnest(entry_ids) AS id, unnest(instants) AS at, unnest(by_users) AS by_user, unnest(receipts) AS receipt,
                     unnest(keys) AS key, unnest(request_keys) AS request_key, unnest(request_hashes) AS request_hash) AS e
        WHERE NOT EXISTS (SELECT FROM requests r WHERE r.user_id = e.by_user AND r.key = e.key);
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> cardinality(entry_ids) THEN
        RAISE EXCEPTION '% keys are new, of %', written, cardinality(entry_ids);
    END IF;
    INSERT INTO transfers (programme_id, entry_id, line, book, debit, credit, amount, first_pass)
        SELECT programme, unnest(of_entries), unnest(lines), unnest(books), unnest(debits), unnest(credits), unnest(amounts),
               unnest(first_passes);
    INSERT INTO redemptions (programme_id, pass, cycle, entry_id, hand_over, site, service, redeemed_at, workshop)
        SELECT programme, unnest(pass_numbers), unnest(cycles), unnest(entry_ids), unnest(hand_overs), unnest(at_sites),
               unnest(services), unnest(instants), unnest(at_workshops);
END $$;
