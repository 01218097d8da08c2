-- Rows and keys written per redemption are its price (docs/performance.md). What an account is follows from
-- its number alone, so a CHECK says it at a tenth of a foreign key's cost, and no table has to list them.

ALTER TABLE transfers
    DROP CONSTRAINT debit_is_of_the_book,
    DROP CONSTRAINT credit_is_of_the_book;
ALTER TABLE transfers
    -- 100 × holder + code of the kind (docs/ledger.md): of that book, and with a holder where the kind has one.
    -- Written out twice: a function would be taken apart anew at each statement.
    ADD CONSTRAINT debit_is_of_the_book CHECK (debit > 0 AND (debit >= 100) = (debit % 100 IN (5, 7, 54))
        AND CASE book WHEN 'PASS' THEN debit % 100 BETWEEN 1 AND 9 ELSE debit % 100 BETWEEN 51 AND 57 END),
    ADD CONSTRAINT credit_is_of_the_book CHECK (credit > 0 AND (credit >= 100) = (credit % 100 IN (5, 7, 54))
        AND CASE book WHEN 'PASS' THEN credit % 100 BETWEEN 1 AND 9 ELSE credit % 100 BETWEEN 51 AND 57 END);
ALTER TABLE booklets
    DROP CONSTRAINT account_exists,
    ADD CONSTRAINT held_in_an_account_of_passes CHECK (held_in % 100 BETWEEN 1 AND 9 AND (held_in >= 100) = (held_in % 100 IN (5, 7)));
DROP TABLE accounts;
DROP TYPE account_kind;

-- Nobody may delete a person or a programme, and row-level security names the programme: these two keys
-- could only ever say yes.
ALTER TABLE entries
    DROP CONSTRAINT entries_programme_id_fkey,
    DROP CONSTRAINT entries_recorded_by_fkey;

-- What moved a pass is found by the events of its booklet and by its redemptions, which have their keys: no
-- index on the ranges themselves, which row-level security would not let a search use, nor one written by every
-- redemption.
DROP INDEX transfers_ranges;
DROP INDEX transfers_single;
