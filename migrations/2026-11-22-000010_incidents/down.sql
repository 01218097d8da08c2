-- Entries of incidents become voids, which they were but for their time. A payout with a deduction has no place
-- in the schema below: refused by its constraints.
ALTER TABLE payout_items DROP CONSTRAINT deducted_incident_exists;
DROP TABLE incidents;
ALTER TABLE payout_items
    DROP CONSTRAINT item_is_worth_face_value,
    DROP CONSTRAINT only_incidents_are_deducted,
    DROP CONSTRAINT incident_deducted_once,
    DROP CONSTRAINT redemption_paid_once,
    DROP COLUMN worth_cents,
    DROP COLUMN deducts,
    DROP COLUMN incident,
    ADD CONSTRAINT payout_items_amount_cents_check CHECK (amount_cents > 0),
    ADD CONSTRAINT redemption_paid_once UNIQUE (programme_id, pass, cycle),
    ADD CONSTRAINT item_is_worth_face_value FOREIGN KEY (programme_id, amount_cents) REFERENCES programmes (id, face_value_cents);
COMMENT ON TABLE payout_items IS 'Lignes d''un contre-paiement : une par utilisation payée';

ALTER TABLE entries DROP CONSTRAINT only_voids_and_incidents_correct, DROP CONSTRAINT number_follows_from_kind;
ALTER TYPE entry_kind RENAME TO entry_kind_with_incident;
CREATE TYPE entry_kind AS ENUM (
    'mint', 'print_receipt', 'funding', 'delivery', 'delivery_receipt', 'hand_over', 'redemption', 'void',
    'payout_approval', 'payout_debit'
);
ALTER TABLE entries
    ALTER COLUMN number TYPE integer USING CASE WHEN kind = 'incident' THEN NULL ELSE number END,
    ALTER COLUMN kind TYPE entry_kind USING (CASE WHEN kind = 'incident' THEN 'void' ELSE kind::text END)::entry_kind;
DROP TYPE entry_kind_with_incident;
ALTER TABLE entries
    ADD CONSTRAINT number_follows_from_kind CHECK ((number IS NULL) = (kind IN ('redemption', 'void'))),
    ADD CONSTRAINT only_voids_correct CHECK ((corrects IS NOT NULL) = (kind = 'void'));
