ALTER POLICY own_programme ON programmes
    USING (id = (SELECT current_programme()) OR EXISTS (
        SELECT FROM memberships m WHERE m.programme_id = programmes.id AND m.user_id = (SELECT current_person())));
DROP INDEX entries_xid;
DROP TABLE checkpoints;
DROP TABLE log_keys;
DROP TABLE leaves;
DROP TABLE logs;
