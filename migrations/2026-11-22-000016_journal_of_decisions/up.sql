-- Decisions are entries too: whatever is evidence is bound by the receipt of the entry that wrote it.
-- In the order of a programme's life; labels are added here and used by later transactions only.
ALTER TYPE entry_kind ADD VALUE 'programme_creation' BEFORE 'mint';
ALTER TYPE entry_kind ADD VALUE 'organisation_registration' BEFORE 'mint';
ALTER TYPE entry_kind ADD VALUE 'site_registration' BEFORE 'mint';
ALTER TYPE entry_kind ADD VALUE 'site_qualification' BEFORE 'mint';
ALTER TYPE entry_kind ADD VALUE 'bank_account_declaration' BEFORE 'mint';
ALTER TYPE entry_kind ADD VALUE 'bank_account_approval' BEFORE 'mint';
ALTER TYPE entry_kind ADD VALUE 'order_placement' BEFORE 'mint';
ALTER TYPE entry_kind ADD VALUE 'order_approval' BEFORE 'mint';
ALTER TYPE entry_kind ADD VALUE 'settlement_preparation' BEFORE 'payout_approval';
ALTER TYPE entry_kind ADD VALUE 'settlement_approval' BEFORE 'payout_approval';
ALTER TYPE entry_kind ADD VALUE 'execution_declaration' BEFORE 'payout_debit';
ALTER TYPE entry_kind ADD VALUE 'execution_confirmation' BEFORE 'payout_debit';

-- How many times a row was written: receipts bind each state by it, and no clock has to tell which came last.
ALTER TABLE programmes ADD COLUMN revision integer NOT NULL DEFAULT 1 CHECK (revision > 0);
ALTER TABLE organisations ADD COLUMN revision integer NOT NULL DEFAULT 1 CHECK (revision > 0);
ALTER TABLE sites ADD COLUMN revision integer NOT NULL DEFAULT 1 CHECK (revision > 0);
ALTER TABLE orders ADD COLUMN revision integer NOT NULL DEFAULT 1 CHECK (revision > 0);
ALTER TABLE bank_accounts ADD COLUMN revision integer NOT NULL DEFAULT 1 CHECK (revision > 0);
ALTER TABLE settlements ADD COLUMN revision integer NOT NULL DEFAULT 1 CHECK (revision > 0);
ALTER TABLE executions ADD COLUMN revision integer NOT NULL DEFAULT 1 CHECK (revision > 0);
COMMENT ON COLUMN orders.revision IS 'Combien de fois la ligne a été écrite : chaque état est scellé par un récépissé';
GRANT UPDATE (revision) ON sites, orders, bank_accounts, settlements, executions TO souche_service;

-- A payout is reached from the journal by the entry of its preparation. Those prepared before there was one have none.
ALTER TABLE payouts
    ADD COLUMN entry_id uuid,
    ADD CONSTRAINT payout_has_its_entry CHECK (entry_id IS NOT NULL) NOT VALID,
    ADD CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries DEFERRABLE INITIALLY DEFERRED;

-- A receipt binds the rows as the database holds them, so they are written first and their entry last.
ALTER TABLE fundings ALTER CONSTRAINT entry_exists DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE deliveries ALTER CONSTRAINT entry_exists DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE delivery_receipts ALTER CONSTRAINT entry_exists DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE hand_overs ALTER CONSTRAINT entry_exists DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE voids ALTER CONSTRAINT entry_exists DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE payout_debits ALTER CONSTRAINT entry_exists DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE orders ALTER CONSTRAINT mint_entry_exists DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE orders ALTER CONSTRAINT print_entry_exists DEFERRABLE INITIALLY DEFERRED;
