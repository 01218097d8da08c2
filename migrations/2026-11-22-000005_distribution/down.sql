ALTER TABLE passes DROP CONSTRAINT hand_over_is_of_its_booklet;
DROP TABLE hand_overs;
DROP TYPE proof;
DROP TYPE eligibility;
DROP TABLE beneficiaries;
DROP TABLE delivery_receipts;
DROP TABLE deliveries;
