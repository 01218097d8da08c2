ALTER TABLE audit_log
    DROP COLUMN organisation,
    DROP COLUMN before,
    DROP COLUMN after;
