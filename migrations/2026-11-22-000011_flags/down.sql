DROP TABLE flag_decisions;
DROP TABLE flag_passes;
DROP TABLE flags;
DROP TYPE flag_outcome;
DROP TYPE flag_kind;
REVOKE UPDATE (daily_capacity) ON sites FROM souche_service;
ALTER TABLE sites DROP COLUMN daily_capacity;
