-- The journal: two books, one form of entry. Append-only: the service's role may read and add.

CREATE TYPE book AS ENUM ('PASS', 'EUR');

CREATE TYPE account_kind AS ENUM (
    'issued', 'printer', 'sponsor_stock', 'in_transit', 'prescriber_stock', 'circulation', 'redeemed', 'expired', 'cancelled',
    'bank', 'funds_received', 'float', 'payable', 'in_transit_to_bank', 'fees', 'refund_due'
);

CREATE TABLE accounts (
    programme_id integer NOT NULL DEFAULT current_programme() REFERENCES programmes,
    -- 100 × holder + the kind's own code: known without looking it up (src/ledger/account.rs).
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

CREATE TYPE entry_kind AS ENUM (
    'mint', 'print_receipt', 'funding', 'delivery', 'delivery_receipt', 'hand_over', 'redemption', 'void',
    'payout_approval', 'payout_debit'
);

CREATE TABLE entries (
    programme_id integer NOT NULL DEFAULT current_programme() REFERENCES programmes,
    id uuid NOT NULL,
    kind entry_kind NOT NULL,
    -- In a gapless series per kind; a redemption is named by its pass and cycle instead.
    number integer CHECK (number > 0),
    -- When it happened; and when we knew, which is never before any earlier change of the same pass.
    happened_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by uuid NOT NULL REFERENCES users,
    corrects uuid,
    receipt text NOT NULL CHECK (length(receipt) BETWEEN 2 AND 100000),
    -- A redemption's idempotency key stands here; those of other writes, and refusals, in requests.
    request_key bytea CHECK (octet_length(request_key) = 16),
    request_hash bytea CHECK (octet_length(request_hash) = 16),
    -- The writing transaction: lets the sealer find what is new without a queue.
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (programme_id, id),
    CONSTRAINT corrected_entry_exists FOREIGN KEY (programme_id, corrects) REFERENCES entries,
    CONSTRAINT happened_before_recorded CHECK (happened_at <= recorded_at),
    CONSTRAINT number_follows_from_kind CHECK ((number IS NULL) = (kind IN ('redemption', 'void'))),
    CONSTRAINT only_voids_correct CHECK ((corrects IS NOT NULL) = (kind = 'void')),
    CONSTRAINT request_key_has_its_hash CHECK ((request_key IS NULL) = (request_hash IS NULL))
);
COMMENT ON TABLE entries IS 'Écritures : un événement, son récépissé, ses mouvements ; jamais modifiées';
COMMENT ON COLUMN entries.receipt IS 'Le récépissé : les octets exacts, JSON canonique, sans donnée personnelle';
CREATE UNIQUE INDEX one_entry_per_number ON entries (programme_id, kind, number) WHERE number IS NOT NULL;
CREATE UNIQUE INDEX one_entry_per_request ON entries (programme_id, request_key) WHERE request_key IS NOT NULL;
-- A redemption is undone once.
CREATE UNIQUE INDEX entry_corrected_once ON entries (programme_id, corrects) WHERE corrects IS NOT NULL;

CREATE TABLE transfers (
    programme_id integer NOT NULL DEFAULT current_programme(),
    entry_id uuid NOT NULL,
    line smallint NOT NULL CHECK (line > 0),
    book book NOT NULL,
    debit integer NOT NULL,
    credit integer NOT NULL,
    amount bigint NOT NULL CONSTRAINT amount_is_positive CHECK (amount BETWEEN 1 AND 100000000000000),
    -- PASS: the range first_pass … first_pass + amount − 1 went from credit to debit.
    first_pass integer CHECK (first_pass > 0),
    PRIMARY KEY (programme_id, entry_id, line),
    CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries,
    CONSTRAINT debit_is_of_the_book FOREIGN KEY (programme_id, book, debit) REFERENCES accounts (programme_id, book, id),
    CONSTRAINT credit_is_of_the_book FOREIGN KEY (programme_id, book, credit) REFERENCES accounts (programme_id, book, id),
    CONSTRAINT debit_is_not_credit CHECK (debit <> credit),
    CONSTRAINT only_passes_are_numbered CHECK ((book = 'PASS') = (first_pass IS NOT NULL)),
    CONSTRAINT pass_ranges_are_bounded CHECK (book = 'EUR' OR amount <= 100000000)
);
COMMENT ON TABLE transfers IS 'Mouvements : un débit, un crédit, un montant positif ; ne peut pas être déséquilibré';
-- The life of one pass: what moved it in a range, and what moved it alone.
CREATE INDEX transfers_ranges ON transfers USING gist (int4range(first_pass, first_pass + amount::integer))
    WHERE book = 'PASS' AND amount > 1;
CREATE INDEX transfers_single ON transfers (programme_id, first_pass) WHERE book = 'PASS' AND amount = 1;

ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON accounts USING (programme_id = (SELECT current_programme()));
ALTER TABLE entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE entries FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON entries USING (programme_id = (SELECT current_programme()));
ALTER TABLE transfers ENABLE ROW LEVEL SECURITY;
ALTER TABLE transfers FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON transfers USING (programme_id = (SELECT current_programme()));

GRANT SELECT, INSERT ON accounts, entries, transfers TO souche_service;
