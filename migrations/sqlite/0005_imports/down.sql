DROP TABLE imports;
DROP TABLE import_schemes;
