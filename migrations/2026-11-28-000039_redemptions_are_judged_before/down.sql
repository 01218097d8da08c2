DROP FUNCTION write_redemptions;

CREATE FUNCTION write_redemptions(
    entry_ids uuid[], by_users uuid[], receipts text[], request_keys bytea[], request_hashes bytea[],
    pass_numbers integer[], cycles smallint[], hand_overs integer[], at_sites integer[], services service[],
    instants timestamptz[], at_workshops integer[],
    of_entries uuid[], lines smallint[], books book[], debits integer[], credits integer[], amounts bigint[], first_passes integer[]
) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    -- Once, not as the default of each row.
    programme CONSTANT integer := current_programme();
    changed integer;
BEGIN
    INSERT INTO entries (programme_id, id, kind, happened_at, recorded_at, recorded_by, receipt, request_key, request_hash)
        SELECT programme, e.id, 'redemption', e.at, e.at, e.by_user, e.receipt, e.request_key, e.request_hash
        FROM unnest(entry_ids, instants, by_users, receipts, request_keys, request_hashes)
            AS e (id, at, by_user, receipt, request_key, request_hash);
    INSERT INTO transfers (programme_id, entry_id, line, book, debit, credit, amount, first_pass)
        SELECT programme, t.*
        FROM unnest(of_entries, lines, books, debits, credits, amounts, first_passes) AS t;
    INSERT INTO redemptions (programme_id, pass, cycle, entry_id, hand_over, site, service, redeemed_at, workshop)
        SELECT programme, r.*
        FROM unnest(pass_numbers, cycles, entry_ids, hand_overs, at_sites, services, instants, at_workshops) AS r;
    -- Conditional: a pass that is not in somebody's hands stays as it is, whatever was judged.
    UPDATE passes p SET state = 'redeemed', cycle = r.cycle, changed_at = r.at
        FROM unnest(pass_numbers, cycles, instants) AS r (pass, cycle, at)
        WHERE p.number = r.pass AND p.state = 'distributed' AND p.cycle = r.cycle - 1;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;
COMMENT ON FUNCTION write_redemptions IS 'Écrit les utilisations d''un lot : écritures, mouvements, utilisations, état des pass';
