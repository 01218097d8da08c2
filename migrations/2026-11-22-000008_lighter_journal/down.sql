CREATE INDEX transfers_ranges ON transfers USING gist (int4range(first_pass, first_pass + amount::integer))
    WHERE book = 'PASS' AND amount > 1;
CREATE INDEX transfers_single ON transfers (programme_id, first_pass) WHERE book = 'PASS' AND amount = 1;

ALTER TABLE entries
    ADD CONSTRAINT entries_programme_id_fkey FOREIGN KEY (programme_id) REFERENCES programmes,
    ADD CONSTRAINT entries_recorded_by_fkey FOREIGN KEY (recorded_by) REFERENCES users;

CREATE TYPE account_kind AS ENUM (
    'issued', 'printer', 'sponsor_stock', 'in_transit', 'prescriber_stock', 'circulation', 'redeemed', 'expired', 'cancelled',
    'bank', 'funds_received', 'float', 'payable', 'in_transit_to_bank', 'fees', 'refund_due'
);
CREATE TABLE accounts (
    programme_id integer NOT NULL DEFAULT current_programme() REFERENCES programmes,
    id integer NOT NULL CHECK (id > 0),
    book book NOT NULL,
    kind account_kind NOT NULL,
    holder integer,
    PRIMARY KEY (programme_id, id),
    UNIQUE (programme_id, book, id),
    CONSTRAINT one_account_per_kind_and_holder UNIQUE NULLS NOT DISTINCT (programme_id, kind, holder),
    CONSTRAINT book_follows_from_kind CHECK ((book = 'PASS') = (kind IN ('issued', 'printer', 'sponsor_stock', 'in_transit', 'prescriber_stock',
        'circulation', 'redeemed', 'expired', 'cancelled'))),
    CONSTRAINT holder_follows_from_kind CHECK ((holder IS NOT NULL) = (kind IN ('prescriber_stock', 'redeemed', 'payable'))),
    CONSTRAINT id_says_its_holder CHECK (id / 100 = coalesce(holder, 0))
);
COMMENT ON TABLE accounts IS 'Comptes des deux livres : titres (PASS) et centimes (EUR)';
COMMENT ON COLUMN accounts.holder IS 'Structure prescriptrice ou lieu';

-- Those of every programme, prescriber and site, as they are opened when one is registered. The owner reads
-- all tenants for that moment only.
ALTER TABLE programmes NO FORCE ROW LEVEL SECURITY;
ALTER TABLE organisations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE sites NO FORCE ROW LEVEL SECURITY;
INSERT INTO accounts (programme_id, id, book, kind, holder)
    SELECT p.id, k.code, k.book::book, k.kind::account_kind, NULL
    FROM programmes p, (VALUES (1, 'PASS', 'issued'), (2, 'PASS', 'printer'), (3, 'PASS', 'sponsor_stock'), (4, 'PASS', 'in_transit'),
        (6, 'PASS', 'circulation'), (8, 'PASS', 'expired'), (9, 'PASS', 'cancelled'), (51, 'EUR', 'bank'), (52, 'EUR', 'funds_received'),
        (53, 'EUR', 'float'), (55, 'EUR', 'in_transit_to_bank'), (56, 'EUR', 'fees'), (57, 'EUR', 'refund_due')) AS k (code, book, kind)
    UNION ALL
    SELECT o.programme_id, 100 * o.number + 5, 'PASS', 'prescriber_stock', o.number FROM organisations o WHERE o.is_prescriber
    UNION ALL
    SELECT s.programme_id, 100 * s.number + 7, 'PASS', 'redeemed', s.number FROM sites s
    UNION ALL
    SELECT s.programme_id, 100 * s.number + 54, 'EUR', 'payable', s.number FROM sites s;
ALTER TABLE programmes FORCE ROW LEVEL SECURITY;
ALTER TABLE organisations FORCE ROW LEVEL SECURITY;
ALTER TABLE sites FORCE ROW LEVEL SECURITY;

ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON accounts USING (programme_id = (SELECT current_programme()));
GRANT SELECT, INSERT ON accounts TO souche_service;

ALTER TABLE booklets
    DROP CONSTRAINT held_in_an_account_of_passes,
    ADD CONSTRAINT account_exists FOREIGN KEY (programme_id, held_in) REFERENCES accounts;
ALTER TABLE transfers
    DROP CONSTRAINT debit_is_of_the_book,
    DROP CONSTRAINT credit_is_of_the_book;
ALTER TABLE transfers
    ADD CONSTRAINT debit_is_of_the_book FOREIGN KEY (programme_id, book, debit) REFERENCES accounts (programme_id, book, id),
    ADD CONSTRAINT credit_is_of_the_book FOREIGN KEY (programme_id, book, credit) REFERENCES accounts (programme_id, book, id);
