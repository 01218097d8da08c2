DROP FUNCTION write_redemptions;

ALTER TABLE entries
    DROP CONSTRAINT entries_receipt_check,
    ADD CONSTRAINT entries_receipt_check CHECK (length(receipt) BETWEEN 2 AND 100000);

ALTER TABLE transfers ADD CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries;
