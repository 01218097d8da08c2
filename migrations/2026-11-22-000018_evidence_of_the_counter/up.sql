-- Workshops, capacities, flags and decisions on them are entries too: see journal_of_decisions.
ALTER TYPE entry_kind ADD VALUE 'capacity_declaration' AFTER 'site_qualification';
ALTER TYPE entry_kind ADD VALUE 'workshop_declaration' AFTER 'capacity_declaration';
ALTER TYPE entry_kind ADD VALUE 'flag_raising' AFTER 'incident';
ALTER TYPE entry_kind ADD VALUE 'flag_decision' AFTER 'flag_raising';

ALTER TABLE workshops
    ADD COLUMN entry_id uuid NOT NULL,
    ADD CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE flags
    ADD COLUMN entry_id uuid NOT NULL,
    ADD CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE flag_decisions
    ADD COLUMN entry_id uuid NOT NULL,
    ADD CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries DEFERRABLE INITIALLY DEFERRED;
