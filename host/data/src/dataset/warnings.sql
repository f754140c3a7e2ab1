-- What is wrong with a sample's file although it could be read; a text of one line.
ALTER TABLE run_samples ADD COLUMN warning TEXT;
