DROP TABLE wrong_tries;
ALTER TABLE redemptions DROP CONSTRAINT new_cycle_needs_a_void;
DROP TABLE voids;
DROP TABLE redemptions;
DROP TYPE service;
