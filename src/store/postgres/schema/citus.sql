-- Run once after 0001_up.sql, in its transaction, where the extension Citus is installed. An
-- organisation's rows of all tables come to lie together on one worker; the small tables that every
-- organisation's requests need are copied to all of them.

-- Citus looks whether a table has rows, and row-level security asks whose; the workers too.
SET LOCAL citus.propagate_set_commands TO 'local';
SET LOCAL app.tenant TO '0';

-- Tables that refer to a copied one must not be made on several connections at once.
SET LOCAL citus.multi_shard_modify_mode TO 'sequential';

-- References come back when both of their ends are where they belong.
ALTER TABLE resource DROP CONSTRAINT resource_org_fkey;
ALTER TABLE token DROP CONSTRAINT token_connector_fkey;
ALTER TABLE connector DROP CONSTRAINT connector_org_fkey;

-- Citus takes no subquery in a policy.
ALTER POLICY tenant ON resource USING (org = current_setting('app.tenant')::bigint);
ALTER POLICY tenant ON uniq USING (org = current_setting('app.tenant')::bigint);
ALTER POLICY tenant ON attr USING (org = current_setting('app.tenant')::bigint);
ALTER POLICY tenant ON member USING (org = current_setting('app.tenant')::bigint);
ALTER POLICY tenant ON counter USING (org = current_setting('app.tenant')::bigint);
ALTER POLICY tenant ON log_segment USING (org = current_setting('app.tenant')::bigint);

SELECT create_reference_table('organisation');
SELECT create_reference_table('connector');
SELECT create_reference_table('token');
SELECT create_reference_table('directory_version');
SELECT create_reference_table('instance_key');
SELECT create_reference_table('node');

SELECT create_distributed_table('resource', 'org');
SELECT create_distributed_table('uniq', 'org', colocate_with => 'resource');
SELECT create_distributed_table('attr', 'org', colocate_with => 'resource');
SELECT create_distributed_table('member', 'org', colocate_with => 'resource');
SELECT create_distributed_table('counter', 'org', colocate_with => 'resource');
SELECT create_distributed_table('log_segment', 'org', colocate_with => 'resource');

ALTER TABLE connector ADD CONSTRAINT connector_org_fkey
    FOREIGN KEY (org) REFERENCES organisation (key);
ALTER TABLE token ADD CONSTRAINT token_connector_fkey
    FOREIGN KEY (connector) REFERENCES connector (key);
ALTER TABLE resource ADD CONSTRAINT resource_org_fkey
    FOREIGN KEY (org) REFERENCES organisation (key);
