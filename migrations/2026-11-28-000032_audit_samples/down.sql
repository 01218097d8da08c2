DROP TABLE audit_findings;
DROP TABLE audit_items;
DROP TABLE audit_strata;
DROP TABLE audit_draws;
DROP TABLE audit_samples;
DROP TYPE audit_conclusion;
DROP TYPE strata_kind;

-- As in the down.sql of journal_of_decisions: the type is made anew without the labels.
-- What was sealed of them goes too, and with it the whole log: its positions have no holes.
ALTER TABLE checkpoints NO FORCE ROW LEVEL SECURITY;
ALTER TABLE leaves NO FORCE ROW LEVEL SECURITY;
ALTER TABLE logs NO FORCE ROW LEVEL SECURITY;
ALTER TABLE log_keys NO FORCE ROW LEVEL SECURITY;
DELETE FROM checkpoints;
DELETE FROM log_keys;
DELETE FROM leaves;
DELETE FROM logs;
ALTER TABLE checkpoints FORCE ROW LEVEL SECURITY;
ALTER TABLE leaves FORCE ROW LEVEL SECURITY;
ALTER TABLE logs FORCE ROW LEVEL SECURITY;
ALTER TABLE log_keys FORCE ROW LEVEL SECURITY;
ALTER TABLE series NO FORCE ROW LEVEL SECURITY;
DELETE FROM series WHERE name IN ('audit_commitment', 'audit_draw', 'audit_finding', 'audit_sample', 'finding');
ALTER TABLE series FORCE ROW LEVEL SECURITY;
ALTER TABLE entries NO FORCE ROW LEVEL SECURITY;
DELETE FROM entries WHERE kind::text IN ('audit_commitment', 'audit_draw', 'audit_finding');
-- What the deletions are held to is checked here: a table can't be altered while a check waits.
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE entries FORCE ROW LEVEL SECURITY;
ALTER TABLE entries DROP CONSTRAINT number_follows_from_kind, DROP CONSTRAINT only_voids_and_incidents_correct;
ALTER TYPE entry_kind RENAME TO entry_kind_with_audits;
DO $$
BEGIN
    EXECUTE (
        SELECT 'CREATE TYPE entry_kind AS ENUM (' || string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) || ')'
        FROM pg_enum WHERE enumtypid = 'entry_kind_with_audits'::regtype AND enumlabel NOT IN ('audit_commitment', 'audit_draw', 'audit_finding')
    );
END
$$;
ALTER TABLE entries ALTER COLUMN kind TYPE entry_kind USING kind::text::entry_kind;
DROP TYPE entry_kind_with_audits;
ALTER TABLE entries
    ADD CONSTRAINT number_follows_from_kind CHECK ((number IS NULL) = (kind IN ('redemption', 'void'))),
    ADD CONSTRAINT only_voids_and_incidents_correct CHECK ((corrects IS NOT NULL) = (kind::text IN ('void', 'incident')));
