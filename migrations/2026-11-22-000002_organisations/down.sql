ALTER TABLE memberships DROP CONSTRAINT site_exists;
ALTER TABLE memberships DROP CONSTRAINT organisation_exists;
DROP TABLE sites;
DROP TABLE organisations;
DROP TABLE series;
