DROP TABLE passes;
DROP TYPE pass_state;
DROP TABLE booklets;
DROP TABLE fundings;
DROP TABLE orders;
