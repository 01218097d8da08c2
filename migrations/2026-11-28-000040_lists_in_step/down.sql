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
        FROM (SELECT * FROM unnest(pass_numbers, cycles, instants) AS r (pass, cycle, at) ORDER BY pass) AS r
        WHERE p.number = r.pass AND p.state = 'distributed' AND p.cycle = r.cycle - 1 AND p.changed_at < r.at;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed <> cardinality(pass_numbers) THEN
        RAISE EXCEPTION '% passes are as they were judged, of %', changed, cardinality(pass_numbers);
    END IF;
    -- A refusal is kept while its pass is locked: from here on, all that there are of these passes can be seen.
    INSERT INTO entries (programme_id, id, kind, happened_at, recorded_at, recorded_by, receipt, request_key, request_hash)
        SELECT programme, e.id, 'redemption', e.at, e.at, e.by_user, e.receipt, e.request_key, e.request_hash
        FROM unnest(entry_ids, instants, by_users, receipts, keys, request_keys, request_hashes)
            AS e (id, at, by_user, receipt, key, request_key, request_hash)
        WHERE NOT EXISTS (SELECT FROM requests r WHERE r.user_id = e.by_user AND r.key = e.key);
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> cardinality(entry_ids) THEN
        RAISE EXCEPTION '% keys are new, of %', written, cardinality(entry_ids);
    END IF;
    INSERT INTO transfers (programme_id, entry_id, line, book, debit, credit, amount, first_pass)
        SELECT programme, t.*
        FROM unnest(of_entries, lines, books, debits, credits, amounts, first_passes) AS t;
    INSERT INTO redemptions (programme_id, pass, cycle, entry_id, hand_over, site, service, redeemed_at, workshop)
        SELECT programme, r.*
        FROM unnest(pass_numbers, cycles, entry_ids, hand_overs, at_sites, services, instants, at_workshops) AS r;
END $$;
