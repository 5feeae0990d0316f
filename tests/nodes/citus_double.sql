-- What Citus 12 asks of those who use it, on a PostgreSQL without it: the calls that migrations
-- make, each refused where Citus refuses it. It does not distribute anything. Run by a superuser.

INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
    VALUES (99999, 'citus', 10, 'public'::regnamespace, false, '12.1-1');

-- What was done, for the test to read.
CREATE TABLE double_of_citus (place serial, done text);
GRANT ALL ON double_of_citus, double_of_citus_place_seq TO PUBLIC;

-- The text that a statement came in goes to the workers as it is.
CREATE FUNCTION must_come_alone() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF rtrim(current_query(), E'; \n') LIKE '%;%' THEN
        RAISE 'cannot execute multiple utility events';
    END IF;
END $$;
CREATE FUNCTION one_ddl_command_at_a_time() RETURNS event_trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM must_come_alone(); END $$;

CREATE FUNCTION distribute(tab regclass, what text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found boolean;
BEGIN
    PERFORM must_come_alone();
    IF current_setting('citus.multi_shard_modify_mode') <> 'sequential' THEN
        RAISE 'cannot create a foreign key of % in parallel', tab;
    END IF;
    IF coalesce(current_setting('citus.propagate_set_commands', true), '') <> 'local' THEN
        RAISE 'unrecognized configuration parameter "app.tenant"';  -- on a worker
    END IF;
    -- As the one who calls: row-level security has its say.
    EXECUTE format('SELECT true FROM %s LIMIT 1', tab) INTO found;
    IF EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = tab AND polqual::text LIKE '%SUBLINK%') THEN
        RAISE 'cannot create policy: % has a subquery', tab;
    END IF;
    IF EXISTS (SELECT 1 FROM pg_constraint AS c WHERE contype = 'f' AND tab IN (conrelid, confrelid)
               AND NOT EXISTS (SELECT 1 FROM double_of_citus AS d WHERE d.done IN
                   (c.conrelid::regclass::text, 'reference ' || c.confrelid::regclass::text))) THEN
        RAISE 'relation % is involved in a foreign key with a local table', tab;
    END IF;
    INSERT INTO double_of_citus (done) VALUES (what);
END $$;
CREATE FUNCTION create_reference_table(tab regclass) RETURNS void LANGUAGE sql AS
    $$ SELECT distribute(tab, 'reference ' || tab::text) $$;
CREATE FUNCTION create_distributed_table(tab regclass, by text, colocate_with text DEFAULT 'default')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_index AS i WHERE indrelid = tab AND indisunique AND NOT EXISTS (
            SELECT 1 FROM pg_attribute AS a WHERE attrelid = tab AND attname = by
            AND attnum = ANY (i.indkey))) THEN
        RAISE 'cannot create constraint on %: the distribution column is not part of it', tab;
    END IF;
    PERFORM distribute(tab, format('%s by %s beside %s', tab, by, colocate_with));
END $$;

-- The settings of the workers: those of this server, unless the test says otherwise.
CREATE TABLE worker (setting text PRIMARY KEY, value text);
GRANT SELECT ON worker TO PUBLIC;
CREATE FUNCTION run_command_on_workers(command text)
RETURNS TABLE (nodename text, nodeport int, success bool, result text) LANGUAGE sql AS $$
    SELECT 'worker' || number, 5432, true, coalesce(
        (SELECT value FROM worker WHERE number = 2 AND setting = split_part(command, ' ', 2)),
        current_setting(split_part(command, ' ', 2)))
    FROM generate_series(1, 2) AS number
$$;

CREATE EVENT TRIGGER alone ON ddl_command_end EXECUTE FUNCTION one_ddl_command_at_a_time();
