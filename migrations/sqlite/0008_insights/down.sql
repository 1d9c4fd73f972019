DROP TABLE old_secret_uses;
DROP TABLE exercises;
