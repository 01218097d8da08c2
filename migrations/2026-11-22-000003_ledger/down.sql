DROP TABLE transfers;
DROP TABLE entries;
DROP TYPE entry_kind;
DROP TABLE accounts;
DROP TYPE account_kind;
DROP TYPE book;
