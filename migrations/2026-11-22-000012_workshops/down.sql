ALTER TABLE redemptions
    DROP CONSTRAINT workshop_is_of_its_site_and_day,
    DROP COLUMN workshop_on,
    DROP COLUMN workshop;
DROP TABLE workshops;
DROP INDEX hand_overs_person;
ALTER TABLE programmes DROP COLUMN passes_per_service;
