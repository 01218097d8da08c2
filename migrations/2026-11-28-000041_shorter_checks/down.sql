ALTER TABLE transfers
    DROP CONSTRAINT debit_is_of_the_book,
    DROP CONSTRAINT credit_is_of_the_book,
    ADD CONSTRAINT debit_is_of_the_book CHECK (debit > 0 AND (debit >= 100) = (debit % 100 IN (5, 7, 54))
        AND CASE book WHEN 'PASS' THEN debit % 100 BETWEEN 1 AND 9 ELSE debit % 100 BETWEEN 51 AND 57 END),
    ADD CONSTRAINT credit_is_of_the_book CHECK (credit > 0 AND (credit >= 100) = (credit % 100 IN (5, 7, 54))
        AND CASE book WHEN 'PASS' THEN credit % 100 BETWEEN 1 AND 9 ELSE credit % 100 BETWEEN 51 AND 57 END);

ALTER TABLE entries
    DROP CONSTRAINT number_follows_from_kind,
    DROP CONSTRAINT only_voids_and_incidents_correct,
    ADD CONSTRAINT number_follows_from_kind CHECK ((number IS NULL) = (kind IN ('redemption', 'void'))),
    ADD CONSTRAINT only_voids_and_incidents_correct CHECK ((corrects IS NOT NULL) = (kind::text IN ('void', 'incident')));

ALTER TABLE passes
    DROP CONSTRAINT no_active_pass_without_funding,
    DROP CONSTRAINT no_redeemed_pass_without_hand_over,
    ADD CONSTRAINT no_active_pass_without_funding CHECK (funding IS NOT NULL OR state IN ('inert', 'stopped', 'expired', 'cancelled')),
    ADD CONSTRAINT no_redeemed_pass_without_hand_over CHECK (hand_over IS NOT NULL OR state NOT IN ('distributed', 'redeemed'));
