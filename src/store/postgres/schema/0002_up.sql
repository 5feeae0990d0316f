-- An organisation that was removed shows nowhere and takes nothing; its rows are deleted bit by bit, this
-- one last.
ALTER TABLE organisation ADD COLUMN removed boolean NOT NULL DEFAULT false;
