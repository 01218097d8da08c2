-- From an order to passes in the sponsor's stock.

CREATE TABLE orders (
    programme_id integer NOT NULL DEFAULT current_programme() REFERENCES programmes,
    number integer NOT NULL CHECK (number > 0),
    booklets_of_10 integer NOT NULL CHECK (booklets_of_10 BETWEEN 0 AND 100000),
    booklets_of_5 integer NOT NULL CHECK (booklets_of_5 BETWEEN 0 AND 100000),
    face_value_cents bigint NOT NULL,
    amount_cents bigint NOT NULL,
    last_hand_over_on date NOT NULL,
    last_use_on date NOT NULL,
    last_presentation_on date NOT NULL,
    placed_by uuid NOT NULL REFERENCES users,
    placed_at timestamptz NOT NULL,
    approved_by uuid REFERENCES users,
    approved_at timestamptz,
    minted_by uuid REFERENCES users,
    mint_entry uuid,
    -- Sealed; destroyed when the print is confirmed: afterwards nobody can make the codes again.
    print_key_sealed bytea,
    print_entry uuid,
    PRIMARY KEY (programme_id, number),
    UNIQUE (programme_id, number, amount_cents),
    CONSTRAINT face_value_is_the_programmes FOREIGN KEY (programme_id, face_value_cents) REFERENCES programmes (id, face_value_cents),
    CONSTRAINT mint_entry_exists FOREIGN KEY (programme_id, mint_entry) REFERENCES entries,
    CONSTRAINT print_entry_exists FOREIGN KEY (programme_id, print_entry) REFERENCES entries,
    CONSTRAINT something_is_ordered CHECK (booklets_of_10 + booklets_of_5 > 0),
    CONSTRAINT amount_is_passes_times_face_value CHECK (amount_cents = (10 * booklets_of_10 + 5 * booklets_of_5) * face_value_cents),
    CONSTRAINT dates_are_in_order CHECK (last_hand_over_on <= last_use_on AND last_use_on <= last_presentation_on),
    CONSTRAINT maker_is_not_checker CHECK (approved_by <> placed_by),
    CONSTRAINT approval_has_person_and_instant CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CONSTRAINT only_approved_orders_are_minted CHECK (mint_entry IS NULL OR approved_by IS NOT NULL),
    CONSTRAINT only_minted_orders_are_printed CHECK (print_entry IS NULL OR mint_entry IS NOT NULL),
    CONSTRAINT printing_destroys_the_key CHECK (print_entry IS NULL OR print_key_sealed IS NULL)
);
COMMENT ON TABLE orders IS 'Commandes : passée, approuvée par une autre personne, émise, imprimée';
COMMENT ON COLUMN orders.last_presentation_on IS 'Dernier jour où un lieu peut présenter un pass au paiement';

CREATE TABLE fundings (
    programme_id integer NOT NULL DEFAULT current_programme(),
    number integer NOT NULL CHECK (number > 0),
    order_number integer NOT NULL,
    mandate_reference text NOT NULL CHECK (length(mandate_reference) BETWEEN 1 AND 100),
    amount_cents bigint NOT NULL,
    received_on date NOT NULL,
    entry_id uuid NOT NULL,
    PRIMARY KEY (programme_id, number),
    CONSTRAINT order_funded_once UNIQUE (programme_id, order_number),
    UNIQUE (programme_id, order_number, number),
    CONSTRAINT order_funded_whole FOREIGN KEY (programme_id, order_number, amount_cents) REFERENCES orders (programme_id, number, amount_cents),
    CONSTRAINT entry_exists FOREIGN KEY (programme_id, entry_id) REFERENCES entries
);
COMMENT ON TABLE fundings IS 'Financement d''une commande : la référence du mandat du payeur';

CREATE TABLE booklets (
    programme_id integer NOT NULL DEFAULT current_programme(),
    number integer NOT NULL CHECK (number > 0),
    order_number integer NOT NULL,
    first_pass integer NOT NULL CHECK (first_pass > 0),
    size smallint NOT NULL CHECK (size IN (5, 10)),
    -- The account of book PASS in which it lies: custody now. The past is in transfers.
    held_in integer NOT NULL,
    PRIMARY KEY (programme_id, number),
    CONSTRAINT one_booklet_per_first_pass UNIQUE (programme_id, first_pass),
    CONSTRAINT order_exists FOREIGN KEY (programme_id, order_number) REFERENCES orders,
    CONSTRAINT account_exists FOREIGN KEY (programme_id, held_in) REFERENCES accounts
) WITH (fillfactor = 80);
COMMENT ON TABLE booklets IS 'Carnets de 5 ou 10 pass à numéros consécutifs';
CREATE INDEX booklets_order ON booklets (programme_id, order_number);

CREATE TYPE pass_state AS ENUM ('inert', 'active', 'distributed', 'redeemed', 'stopped', 'expired', 'cancelled');

CREATE TABLE passes (
    programme_id integer NOT NULL DEFAULT current_programme(),
    number integer NOT NULL CHECK (number > 0),
    booklet integer NOT NULL,
    order_number integer NOT NULL,
    funding integer,
    hand_over integer,
    state pass_state NOT NULL DEFAULT 'inert',
    -- How many times it was redeemed, voided redemptions included.
    cycle smallint NOT NULL DEFAULT 0 CHECK (cycle >= 0),
    changed_at timestamptz NOT NULL,
    code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 16),
    PRIMARY KEY (programme_id, number),
    -- A redemption names the hand-over that it rests on, and this is where it must find it.
    UNIQUE (programme_id, number, hand_over),
    CONSTRAINT booklet_exists FOREIGN KEY (programme_id, booklet) REFERENCES booklets,
    CONSTRAINT funding_is_of_its_order FOREIGN KEY (programme_id, order_number, funding) REFERENCES fundings (programme_id, order_number, number),
    CONSTRAINT no_active_pass_without_funding CHECK (funding IS NOT NULL OR state IN ('inert', 'stopped', 'expired', 'cancelled')),
    CONSTRAINT no_redeemed_pass_without_hand_over CHECK (hand_over IS NOT NULL OR state NOT IN ('distributed', 'redeemed')),
    CONSTRAINT no_hand_over_without_funding CHECK (hand_over IS NULL OR funding IS NOT NULL),
    CONSTRAINT no_redeemed_pass_without_cycle CHECK (cycle > 0 OR state <> 'redeemed')
) WITH (fillfactor = 85);
COMMENT ON TABLE passes IS 'Pass : où il en est ; le code n''est gardé que haché avec un poivre tenu hors de la base';

ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON orders USING (programme_id = (SELECT current_programme()));
ALTER TABLE fundings ENABLE ROW LEVEL SECURITY;
ALTER TABLE fundings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON fundings USING (programme_id = (SELECT current_programme()));
ALTER TABLE booklets ENABLE ROW LEVEL SECURITY;
ALTER TABLE booklets FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON booklets USING (programme_id = (SELECT current_programme()));
ALTER TABLE passes ENABLE ROW LEVEL SECURITY;
ALTER TABLE passes FORCE ROW LEVEL SECURITY;
CREATE POLICY own_programme ON passes USING (programme_id = (SELECT current_programme()));

GRANT SELECT, INSERT ON orders, fundings, booklets, passes TO souche_service;
GRANT UPDATE (approved_by, approved_at, minted_by, mint_entry, print_key_sealed, print_entry) ON orders TO souche_service;
GRANT UPDATE (held_in) ON booklets TO souche_service;
GRANT UPDATE (state, cycle, funding, hand_over, changed_at) ON passes TO souche_service;
