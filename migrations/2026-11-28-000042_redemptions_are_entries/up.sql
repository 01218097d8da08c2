-- A redemption is its entry: one row in place of two, one key fewer to look at, and none without the other.

-- The owner sees no rows otherwise: neither to move them, nor to hold them against a new key.
ALTER TABLE entries NO FORCE ROW LEVEL SECURITY;
ALTER TABLE passes NO FORCE ROW LEVEL SECURITY;
ALTER TABLE voids NO FORCE ROW LEVEL SECURITY;
ALTER TABLE workshops NO FORCE ROW LEVEL SECURITY;
ALTER TABLE sites NO FORCE ROW LEVEL SECURITY;
ALTER TABLE payout_items NO FORCE ROW LEVEL SECURITY;
ALTER TABLE flag_passes NO FORCE ROW LEVEL SECURITY;
ALTER TABLE redemptions NO FORCE ROW LEVEL SECURITY;

ALTER TABLE entries
    ADD COLUMN pass integer,
    ADD COLUMN cycle smallint CONSTRAINT cycles_count_from_one CHECK (cycle > 0),
    ADD COLUMN hand_over integer,
    ADD COLUMN site integer,
    ADD COLUMN service service,
    ADD COLUMN workshop integer;

DO $$
BEGIN
    IF EXISTS (SELECT FROM redemptions r JOIN entries e ON e.programme_id = r.programme_id AND e.id = r.entry_id
               WHERE e.kind <> 'redemption' OR e.happened_at <> r.redeemed_at)
       OR (SELECT count(*) FROM redemptions) <> (SELECT count(*) FROM entries WHERE kind = 'redemption') THEN
        RAISE EXCEPTION 'redemptions and their entries do not say the same: run `souche verify` of the release before';
    END IF;
END $$;
UPDATE entries e
    SET pass = r.pass, cycle = r.cycle, hand_over = r.hand_over, site = r.site, service = r.service, workshop = r.workshop
    FROM redemptions r WHERE e.programme_id = r.programme_id AND e.id = r.entry_id;

ALTER TABLE voids DROP CONSTRAINT redemption_exists;
ALTER TABLE payout_items DROP CONSTRAINT redemption_exists;
ALTER TABLE flag_passes DROP CONSTRAINT redemption_exists;
DROP TABLE redemptions;

ALTER TABLE entries
    ADD COLUMN voided_cycle smallint GENERATED ALWAYS AS (CASE WHEN cycle > 1 THEN cycle - 1 END) STORED,
    -- In Paris, and only where a workshop is named: what its key compares.
    ADD COLUMN workshop_on date GENERATED ALWAYS AS
        (CASE WHEN workshop IS NOT NULL THEN (happened_at AT TIME ZONE 'Europe/Paris')::date END) STORED,
    ADD CONSTRAINT redeemed_once_per_cycle UNIQUE (programme_id, pass, cycle),
    ADD CONSTRAINT redemptions_are_whole CHECK (num_nonnulls(pass, cycle, hand_over, site, service) = CASE kind WHEN 'redemption' THEN 5 ELSE 0 END),
    ADD CONSTRAINT only_redemptions_are_at_workshops CHECK (workshop IS NULL OR kind = 'redemption'),
    -- As a programme that is brought in needs it (moved_programmes): an entry comes before what it names.
    ADD CONSTRAINT hand_over_is_of_its_pass FOREIGN KEY (programme_id, pass, hand_over)
        REFERENCES passes (programme_id, number, hand_over) DEFERRABLE,
    ADD CONSTRAINT new_cycle_needs_a_void FOREIGN KEY (programme_id, pass, voided_cycle)
        REFERENCES voids (programme_id, pass, cycle) DEFERRABLE,
    ADD CONSTRAINT workshop_is_of_its_site_and_day FOREIGN KEY (programme_id, workshop, site, workshop_on)
        REFERENCES workshops (programme_id, number, site, held_on) DEFERRABLE,
    ADD CONSTRAINT site_exists FOREIGN KEY (programme_id, site) REFERENCES sites;
CREATE INDEX redemptions_site ON entries (programme_id, site, happened_at) WHERE site IS NOT NULL;
CREATE INDEX redemptions_workshop ON entries (programme_id, workshop) WHERE workshop IS NOT NULL;
COMMENT ON COLUMN entries.pass IS 'D''une utilisation, comme les colonnes suivantes ; vide pour toute autre écriture';
COMMENT ON COLUMN entries.workshop IS 'L''atelier où le pass a été utilisé, s''il y en a un';

ALTER TABLE voids ADD CONSTRAINT redemption_exists FOREIGN KEY (programme_id, pass, cycle) REFERENCES entries (programme_id, pass, cycle);
ALTER TABLE payout_items ADD CONSTRAINT redemption_exists FOREIGN KEY (programme_id, pass, cycle) REFERENCES entries (programme_id, pass, cycle);
ALTER TABLE flag_passes ADD CONSTRAINT redemption_exists FOREIGN KEY (programme_id, pass, cycle) REFERENCES entries (programme_id, pass, cycle);
ALTER TABLE entries FORCE ROW LEVEL SECURITY;
ALTER TABLE passes FORCE ROW LEVEL SECURITY;
ALTER TABLE voids FORCE ROW LEVEL SECURITY;
ALTER TABLE workshops FORCE ROW LEVEL SECURITY;
ALTER TABLE sites FORCE ROW LEVEL SECURITY;
ALTER TABLE payout_items FORCE ROW LEVEL SECURITY;
ALTER TABLE flag_passes FORCE ROW LEVEL SECURITY;

-- Read as who asks.
CREATE VIEW redemptions WITH (security_invoker) AS
    SELECT programme_id, pass, cycle, id AS entry_id, hand_over, site, service, happened_at AS redeemed_at, workshop
    FROM entries WHERE pass IS NOT NULL;
COMMENT ON VIEW redemptions IS 'Utilisations : les écritures qui utilisent un pass ; jamais modifiées';
GRANT SELECT ON redemptions TO souche_service;

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
    INSERT INTO entries (programme_id, id, kind, happened_at, recorded_at, recorded_by, receipt, request_key, request_hash,
                         pass, cycle, hand_over, site, service, workshop)
        SELECT programme, e.id, 'redemption', e.at, e.at, e.by_user, e.receipt, e.request_key, e.request_hash,
               e.pass, e.cycle, e.hand_over, e.site, e.service, e.workshop
        FROM (SELECT unnest(entry_ids) AS id, unnest(instants) AS at, unnest(by_users) AS by_user, unnest(receipts) AS receipt,
                     unnest(keys) AS key, unnest(request_keys) AS request_key, unnest(request_hashes) AS request_hash,
                     unnest(pass_numbers) AS pass, unnest(cycles) AS cycle, unnest(hand_overs) AS hand_over,
                     unnest(at_sites) AS site, unnest(services) AS service, unnest(at_workshops) AS workshop) AS e
        WHERE NOT EXISTS (SELECT FROM requests r WHERE r.user_id = e.by_user AND r.key = e.key);
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> cardinality(entry_ids) THEN
        RAISE EXCEPTION '% keys are new, of %', written, cardinality(entry_ids);
    END IF;
    INSERT INTO transfers (programme_id, entry_id, line, book, debit, credit, amount, first_pass)
        SELECT programme, unnest(of_entries), unnest(lines), unnest(books), unnest(debits), unnest(credits), unnest(amounts),
               unnest(first_passes);
END $$;
