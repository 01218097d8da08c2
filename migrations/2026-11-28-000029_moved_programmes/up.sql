-- A programme comes from another instance, whose keys may not be here.

-- Ed25519 gives the same signature each time, so none is kept where the key is (decision 0019). Where it is not, the
-- receipt brings its own along.
ALTER TABLE entries ADD COLUMN signature bytea CONSTRAINT signature_is_whole CHECK (octet_length(signature) = 64);
COMMENT ON COLUMN entries.signature IS 'Signature venue avec le récépissé d''une autre instance, dont la clé n''est pas ici ; vide ailleurs';

CREATE TABLE receipt_keys (
    kid text PRIMARY KEY CHECK (kid ~ '^[0-9a-f]{16}$'),
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
    learned_at timestamptz NOT NULL
);
COMMENT ON TABLE receipt_keys IS 'Clés publiques d''autres instances, qui ont signé les récépissés de dispositifs venus d''elles';
GRANT SELECT, INSERT ON receipt_keys TO souche_service;

COMMENT ON COLUMN beneficiaries.identity_sealed IS 'Identité, scellée ; de longueur nulle quand elle n''est pas ici';

-- A programme that is brought in is written in the order of its log, many entries at a time, and held against these keys
-- once it is whole. For everything else they are checked at each statement, as before.
ALTER TABLE redemptions ALTER CONSTRAINT hand_over_is_of_its_pass DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE redemptions ALTER CONSTRAINT new_cycle_needs_a_void DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE payout_items ALTER CONSTRAINT items_are_as_many_as_told DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE payout_items ALTER CONSTRAINT deducted_incident_exists DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE incidents ALTER CONSTRAINT incident_is_a_void DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE flag_passes ALTER CONSTRAINT flag_is_of_the_kind DEFERRABLE INITIALLY IMMEDIATE;
