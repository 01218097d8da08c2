ALTER TABLE payouts DROP CONSTRAINT payout_is_the_sum_of_its_items;
DROP TABLE payout_debits;
DROP TABLE executions;
DROP TABLE payout_items;
DROP TABLE payouts;
DROP TABLE settlements;
DROP TABLE bank_accounts;
