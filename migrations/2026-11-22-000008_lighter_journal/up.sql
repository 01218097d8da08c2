-- Rows and keys written per redemption are its price (docs/performance.md). What an account is follows from
-- its number alone, so a CHECK says it at a tenth of a foreign key's cost, and no table has to list them.

-- 100 × holder + code of the kind (docs/ledger.md): of that book, and with a holder where the kind has one.
CREATE FUNCTION is_account(book book, id integer) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN id > 0
        AND CASE book WHEN 'PASS' THEN id % 100 BETWEEN 1 AND 9 ELSE id % 100 BETWEEN 51 AND 57 END
        AND (id / 100 > 0) = (id % 100 IN (5, 7, 54));

ALTER TABLE transfers
    DROP CONSTRAINT debit_is_of_the_book,
    DROP CONSTRAINT credit_is_of_the_book;
ALTER TABLE transfers
    ADD CONSTRAINT debit_is_of_the_book CHECK (is_account(book, debit)),
    ADD CONSTRAINT credit_is_of_the_book CHECK (is_account(book, credit));
ALTER TABLE booklets
    DROP CONSTRAINT account_exists,
    ADD CONSTRAINT held_in_an_account_of_passes CHECK (is_account('PASS', held_in));
DROP TABLE accounts;
DROP TYPE account_kind;

-- Nobody may delete a person or a programme, and row-level security names the programme: these two keys
-- could only ever say yes.
ALTER TABLE entries
    DROP CONSTRAINT entries_programme_id_fkey,
    DROP CONSTRAINT entries_recorded_by_fkey;
