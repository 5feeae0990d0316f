-- An organisation that is being deleted shows again, empty of connectors and under a slug of its own: what
-- is left of it goes when it is deleted once more.
ALTER TABLE organisation DROP COLUMN removed;
