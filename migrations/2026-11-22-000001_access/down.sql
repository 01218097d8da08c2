DROP TABLE requests;
DROP TABLE refresh_tokens;
DROP POLICY own_programme ON programmes;
DROP TABLE memberships;
DROP TYPE role;
DROP TABLE users;
DROP TABLE programmes;
DROP TYPE legal_road;
-- USAGE on the schema stays: who made the database gave it too.
DROP FUNCTION current_person();
DROP FUNCTION current_programme();
