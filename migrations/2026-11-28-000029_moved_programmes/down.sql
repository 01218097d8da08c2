ALTER TABLE flag_passes ALTER CONSTRAINT flag_is_of_the_kind NOT DEFERRABLE;
ALTER TABLE incidents ALTER CONSTRAINT incident_is_a_void NOT DEFERRABLE;
ALTER TABLE payout_items ALTER CONSTRAINT deducted_incident_exists NOT DEFERRABLE;
ALTER TABLE payout_items ALTER CONSTRAINT items_are_as_many_as_told NOT DEFERRABLE;
ALTER TABLE redemptions ALTER CONSTRAINT new_cycle_needs_a_void NOT DEFERRABLE;
ALTER TABLE redemptions ALTER CONSTRAINT hand_over_is_of_its_pass NOT DEFERRABLE;
COMMENT ON COLUMN beneficiaries.identity_sealed IS NULL;
DROP TABLE receipt_keys;
ALTER TABLE entries DROP COLUMN signature;
