-- Money out: bank accounts, settlements, payouts and what proves that they were paid.

CREATE TABLE bank_accounts (
    programme_id integer NOT NULL DEFAULT current_programme(),
    number integer NOT NULL CHECK (number > 0),
    organisation integer NOT NULL,
    holder_name text NOT NULL CHECK (length(holder_name) BETWEEN 1 AND 70),
    iban text NOT NULL CHECK (iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'),
    declared_by uuid NOT NULL REFERENCES users,
    declared_at timestamptz NOT NULL,
    approved_by uuid REFERENCES users,
    approved_at timestamptz,
    -- A change waits before money follows it, so that the old contact can object.
    usable_from timestamptz,
    PRIMARY KEY (programme_id, number),
    -- A payout names the account as it was declared, and who approved it: this is where it must find them.
    UNIQUE (programme_id, number, organisation, holder_name, iban),
    UNIQUE (programme_id, number, approved_by),
    CONSTRAINT organisation_exists FOREIGN KEY (programme_id, organisation) REFERENCES organisations,
    CONSTRAINT maker_is_not_checker CHECK (approved_by <> declared_by),
    CONSTRAINT approval_has_person_and_instant
        CHECK ((approved_by IS NULL) = (approved_at IS NULL) AND (approved_by IS NULL) = (usable_from IS NULL)),
    CONSTRAINT usable_after_approval CHECK (usable_from >= approved_at)
);
COMMENT ON TABLE bank_accounts IS 'Comptes bancaires des structures : déclarés par l''une, approuvés par une autre personne';

CREATE TABLE settlements (
    programme_id integer NOT NULL DEFAULT current_programme() REFERENCES programmes,
    number integer NOT NULL CHECK (number > 0),
    cut_off_on date NOT NULL,
    execution_on date NOT NULL,
    prepared_by uuid NOT NULL REFERENCES users,
    prepared_at timestamptz NOT NULL,
    approved_by uuid REFERENCES users,
    approved_at timestamptz,
    PRIMARY KEY (programme_id, number),
    UNIQUE (programme_id, number, approved_by),
    CONSTRAINT maker_is_not_checker CHECK (approved_by <> prepared_by),
    CONSTRAINT approval_has_person_and_instant CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CONSTRAINT execution_follows_cut_off CHECK (execution_on > cut_off_on)
);
COMMENT ON TABLE settlements IS 'Lots de paiement : préparé, puis approuvé par une autre personne';

CREATE TABLE payouts (
    programme_id integer NOT NULL DEFAULT current_programme(),
    number integer NOT NULL CHECK (number > 0),
    settlement integer NOT NULL,
    organisation integer NOT NULL,
    bank_account integer NOT NULL,
    -- Not null, and the approver of this account: no money follows what one person alone declared.
    account_approved_by uuid NOT NULL,
    holder_name text NOT NULL,
    iban text NOT NULL,
    end_to_end_id text NOT NULL CHECK (length(end_to_end_id) BETWEEN 1 AND 35),
    items integer NOT NULL CHECK (items > 0),
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    PRIMARY KEY (programme_id, number),
    UNIQUE (programme_id, number, items),
    UNIQUE (programme_id, number, settlement),
    CONSTRAINT one_payout_per_end_to_end_id UNIQUE (programme_id, end_to_end_id),
    CONSTRAINT settlement_exists FOREIGN KEY (programme_id, settlement) REFERENCES settlements,
    CONSTRAINT account_is_as_declared FOREIGN KEY (programme_id, bank_account, organisation, holder_name, iban)
        REFERENCES bank_accounts (programme_id, number, organisation, holder_name, iban),
    CONSTRAINT account_was_approved FOREIGN KEY (programme_id, bank_account, account_approved_by)
        REFERENCES bank_accounts (programme_id, number, approved_by)
);
COMMENT ON TABLE payouts IS 'Contre-paiements : un par structure et compte bancaire';
CREATE INDEX payouts_settlement ON payouts (programme_id, settlement);

-- Items form a chain with a running total. The payout must be the end of its chain, and no item may
-- stand past it: so it pays exactly the sum of its items, and the database sees to it.
CREATE TABLE payout_items (
    programme_id integer NOT NULL DEFAULT current_programme(),
    payout integer NOT NULL,
    line integer NOT NULL CHECK (line > 0),
    items integer NOT NULL,
    pass integer NOT NULL,
    cycle smallint NOT NULL,
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    total_cents bigint NOT NULL,
    previous_line integer GENERATED ALWAYS AS (CASE WHEN line > 1 THEN line - 1 END) STORED,
    previous_total_cents bigint GENERATED ALWAYS AS (total_cents - amount_cents) STORED,
    PRIMARY KEY (programme_id, payout, line),
    UNIQUE (programme_id, payout, line, total_cents),
    CONSTRAINT redemption_paid_once UNIQUE (programme_id, pass, cycle),
    CONSTRAINT items_are_as_many_as_told FOREIGN KEY (programme_id, payout, items) REFERENCES payouts (programme_id, number, items),
    CONSTRAINT totals_run_on FOREIGN KEY (programme_id, payout, previous_line, previous_total_cents)
        REFERENCES payout_items (programme_id, payout, line, total_cents),
    CONSTRAINT redemption_exists FOREIGN KEY (programme_id, pass, cycle) REFERENCES redemptions,
    CONSTRAINT item_is_worth_face_value FOREIGN KEY (programme_id, amount_cents) REFERENCES programmes (id, face_value_cents),
    CONSTRAINT no_item_past_the_last CHECK (line <= items),
    CONSTRAINT first_total_is_first_amount CHECK (line > 1 OR total_cents = amount_cents)
);
COMMENT ON TABLE payout_items IS 'Lignes d''un contre-paiement : une par utilisation payée';
ALTER TABLE payouts ADD CONSTRAINT payout_is_the_sum_of_its_items FOREIGN KEY (programme_id, number, items, amount_cents)
    REFERENCES payout_items (programme_id, payout, line, total_cents) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE executions (
    programme_id integer NOT NULL DEFAULT current_programme(),
    settlement integer NOT NULL,
    -- Only an approved settlement can have been executed.
    settlement_approved_by uuid NOT NULL,
    executed_on date NOT NULL,
    document_name text NOT NULL CHECK (length(document_name) BETWEEN 1 AND 200),
    document_sha256 bytea NOT NULL CHECK (octet_length(document_sha256) = 32),
    declared_by uuid NOT NULL REFERENCES users,
    declared_at timestamptz NOT NULL,
    confirmed_by uuid REFERENCES users,
    confirmed_at timestamptz,
    CONSTRAINT settlement_executed_once PRIMARY KEY (programme_id, settlement),
    UNIQUE (programme_id, settlement, confirmed_by),
    CONSTRAINT settlement_was_approved FOREIGN KEY (programme_id, settlement, settlement_approved_by)
        REFERENCES settlements (programme_id, number, approved_by),
    CONSTRAINT maker_is_not_checker CHECK (confirmed_by <> declared_by),
    CONSTRAINT confirmation_has_person_and_instant CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL))
);
COMMENT ON TABLE executions IS 'Preuve du débit en banque : un document, déclaré par une personne, confirmé par une autre';

CREATE TABLE payout_debits (
    programme_id integer NOT NULL DEFAULT current_programme(),
    payout integer NOT NULL,
    settlement integer NOT NULL,
    -- Not null, and the confirmer of this settlement's execution: no payout is paid without two people.
    confirmed_by uuid NOT NULL,
    entry_id uuid NOT NULL,
    debited_on date NOT NULL,
    CONSTRAINT payout_debited_once PRIMARY KEY (programme_id, payout),
    CONSTRAINT payout_is_of_the_settlement FOREIGN KEY (programme_id, payout, settlement) REFERENCES payouts (programme_id, number, settlement),
    CONSTRAINT paid_needs_two_people FOREIGN KEY (programme_id, settlement, confirmed_by)
        REFERENCES executions (programme_id, settlement, confirmed_by),
    CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries
);
COMMENT ON TABLE payout_debits IS 'Contre-paiements débités en banque : payé ne vient que d''ici';

ALTER TABLE bank_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE bank_accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON bank_accounts USING (programme_id = (SELECT current_programme()));
ALTER TABLE settlements ENABLE ROW LEVEL SECURITY;
ALTER TABLE settlements FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON settlements USING (programme_id = (SELECT current_programme()));
ALTER TABLE payouts ENABLE ROW LEVEL SECURITY;
ALTER TABLE payouts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON payouts USING (programme_id = (SELECT current_programme()));
ALTER TABLE payout_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE payout_items FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON payout_items USING (programme_id = (SELECT current_programme()));
ALTER TABLE executions ENABLE ROW LEVEL SECURITY;
ALTER TABLE executions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON executions USING (programme_id = (SELECT current_programme()));
ALTER TABLE payout_debits ENABLE ROW LEVEL SECURITY;
ALTER TABLE payout_debits FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON payout_debits USING (programme_id = (SELECT current_programme()));

GRANT SELECT, INSERT ON bank_accounts, settlements, payouts, payout_items, executions, payout_debits TO souche_service;
GRANT UPDATE (approved_by, approved_at, usable_from) ON bank_accounts TO souche_service;
GRANT UPDATE (approved_by, approved_at) ON settlements TO souche_service;
GRANT UPDATE (confirmed_by, confirmed_at) ON executions TO souche_service;
