-- Of each act: for whom it was done, and what it changed. What was before is read once what the act is about is
-- held, in the transaction of the act.

ALTER TABLE audit_log
    ADD COLUMN organisation integer,
    ADD COLUMN before jsonb CHECK (jsonb_typeof(before) = 'object'),
    ADD COLUMN after jsonb CHECK (jsonb_typeof(after) = 'object'),
    ADD CONSTRAINT acts_for_an_organisation_in_a_role CHECK (organisation IS NULL OR role IS NOT NULL);
COMMENT ON COLUMN audit_log.organisation IS 'Structure pour laquelle le compte agissait, quand son rôle en a une';
COMMENT ON COLUMN audit_log.before IS 'Ce que l''acte a trouvé, de ce qui ne nomme personne et n''ouvre rien ; vide s''il n''a rien changé de ce qui était';
COMMENT ON COLUMN audit_log.after IS 'La même chose, telle que l''acte l''a laissée';
