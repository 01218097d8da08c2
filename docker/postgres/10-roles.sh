#!/bin/bash
# Run once, by the image's entrypoint, on a new cluster: the two roles, the database and who may
# enter it. The same as the embedded PostgreSQL gets (src/postgres/roles.rs).
set -euo pipefail

: "${SOUCHE_OWNER_PASSWORD:?is the password that souche_owner is to have}"
: "${SOUCHE_SERVICE_PASSWORD:?is the password that souche_service is to have}"

# psql reads the passwords from its environment: a command line would show them to everyone.
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv owner_password SOUCHE_OWNER_PASSWORD
\getenv service_password SOUCHE_SERVICE_PASSWORD
-- A statement that fails is not to be written, password included, into the log.
SET log_min_error_statement = panic;
CREATE ROLE souche_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'owner_password';
CREATE ROLE souche_service LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'service_password';
CREATE DATABASE souche OWNER souche_owner;
REVOKE ALL ON DATABASE souche FROM PUBLIC;
GRANT CONNECT ON DATABASE souche TO souche_service;
\connect souche
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO souche_service;
SQL
