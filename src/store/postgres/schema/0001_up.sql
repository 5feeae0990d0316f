-- The tables of a Muster that keeps its data in PostgreSQL. What is said in store/sqlite/schema.cpp
-- about rids, keys and narrow rows holds here as well.
--
--   * Every table of an organisation's data leads with the organisation in each key and index, so
--     that it can be distributed by it (citus.sql), and is walled by row-level security: a
--     transaction sees the organisation that it named (SET LOCAL app.tenant) and no other.
--   * Text that a client chose is bytea: it compares by its bytes whatever the collation, and may
--     hold the byte 0. To read a document: convert_from(document, 'UTF8').
--   * No sequence, trigger, generated column or deferrable constraint; no key across organisations.
--   * Times are milliseconds since 1970 in UTC.

CREATE TABLE organisation (
    key         bigint PRIMARY KEY,
    slug        bytea  NOT NULL UNIQUE,
    name        bytea  NOT NULL,
    created     bigint NOT NULL,
    definitions bytea  NOT NULL
);

CREATE TABLE connector (
    key     bigint PRIMARY KEY,
    org     bigint NOT NULL REFERENCES organisation (key),
    id      bytea  NOT NULL UNIQUE,
    idp     bytea  NOT NULL,
    name    bytea  NOT NULL,
    state   bigint NOT NULL,
    policy  bytea  NOT NULL,
    created bigint NOT NULL
);
CREATE INDEX connector_org ON connector (org);

CREATE TABLE token (
    key              bigint  PRIMARY KEY,
    connector        bigint  NOT NULL REFERENCES connector (key),
    id               bytea   NOT NULL UNIQUE,
    name             bytea   NOT NULL,
    kind             bigint  NOT NULL,
    active           boolean NOT NULL,
    hash             bytea   NOT NULL CHECK (length(hash) = 32),
    previous_hash    bytea   CHECK (length(previous_hash) = 32),
    created_by       bytea   NOT NULL,
    created          bigint  NOT NULL,
    expires          bigint  NOT NULL,
    last_used        bigint,
    last_used_from   bytea   NOT NULL,
    previous_expires bigint
);
CREATE INDEX token_connector ON token (connector);

-- One row. Rises with every change of the three tables above, so that a node learns of the changes
-- of the others by reading one number.
CREATE TABLE directory_version (
    one    boolean PRIMARY KEY CHECK (one),
    number bigint  NOT NULL
);
INSERT INTO directory_version (one, number) VALUES (true, 1);

-- What recognises the key under which the nodes make token hashes; the key itself is theirs.
CREATE TABLE instance_key (
    one         boolean PRIMARY KEY CHECK (one),
    fingerprint bytea   NOT NULL
);

-- Nodes that run, by the number that makes their identifiers differ from those of the others.
CREATE TABLE node (
    number bigint PRIMARY KEY,
    holder bytea  NOT NULL,
    until  bigint NOT NULL
);

CREATE TABLE resource (
    org      bigint  NOT NULL REFERENCES organisation (key),
    rid      bigint  NOT NULL,
    type     bytea   NOT NULL,
    id       bytea   NOT NULL,
    version  bigint  NOT NULL,
    created  bigint  NOT NULL,
    modified bigint  NOT NULL,
    active   boolean NOT NULL,
    deleted  bigint,
    source   bigint  NOT NULL,
    nested   boolean NOT NULL DEFAULT false,
    display  bytea   NOT NULL,
    document bytea   NOT NULL,
    PRIMARY KEY (org, rid)
);
CREATE UNIQUE INDEX resource_id ON resource (org, id);
CREATE INDEX resource_live ON resource (org, type, rid) WHERE deleted IS NULL;
CREATE INDEX resource_deleted ON resource (org, deleted) WHERE deleted IS NOT NULL;

CREATE TABLE uniq (
    org       bigint NOT NULL,
    type      bytea  NOT NULL,
    attribute bytea  NOT NULL,
    key       bytea  NOT NULL,
    rid       bigint NOT NULL,
    PRIMARY KEY (org, type, attribute, key)
);

CREATE TABLE attr (
    org       bigint NOT NULL,
    type      bytea  NOT NULL,
    attribute bytea  NOT NULL,
    key       bytea  NOT NULL,
    rid       bigint NOT NULL,
    PRIMARY KEY (org, type, attribute, key, rid)
);

CREATE TABLE member (
    org      bigint  NOT NULL,
    grp      bigint  NOT NULL,
    member   bigint  NOT NULL,
    is_group boolean NOT NULL DEFAULT false,
    PRIMARY KEY (org, grp, member)
);
CREATE INDEX member_nested ON member (org, grp) WHERE is_group;
CREATE INDEX member_groups ON member (org, member, grp);

-- How many live resources there are: the sum over the slots. Each node has a slot of its own, so that
-- creations do not wait for another node's commit; on one node organisations take turns.
CREATE TABLE counter (
    org  bigint NOT NULL,
    type bytea  NOT NULL,
    slot bigint NOT NULL,
    live bigint NOT NULL,
    PRIMARY KEY (org, type, slot)
);

CREATE TABLE log_segment (
    org       bigint NOT NULL,
    first_id  bigint NOT NULL,
    last_id   bigint NOT NULL,
    connector bigint NOT NULL,
    records   bigint NOT NULL,
    failures  bigint NOT NULL,
    data      bytea  NOT NULL,
    PRIMARY KEY (org, first_id)
);
CREATE INDEX log_org ON log_segment (org, last_id);
CREATE INDEX log_connector ON log_segment (org, connector, last_id);
CREATE INDEX log_org_failed ON log_segment (org, last_id) WHERE failures > 0;
CREATE INDEX log_connector_failed ON log_segment (org, connector, last_id) WHERE failures > 0;
-- The bytes are compressed when they come.
ALTER TABLE log_segment ALTER COLUMN data SET STORAGE EXTERNAL;

-- The second wall between organisations. The first is that every statement names its organisation.
-- As a subquery the setting is read once a statement; otherwise once a row.
ALTER TABLE resource ENABLE ROW LEVEL SECURITY;
ALTER TABLE resource FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON resource USING (org = (SELECT current_setting('app.tenant')::bigint));
ALTER TABLE uniq ENABLE ROW LEVEL SECURITY;
ALTER TABLE uniq FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON uniq USING (org = (SELECT current_setting('app.tenant')::bigint));
ALTER TABLE attr ENABLE ROW LEVEL SECURITY;
ALTER TABLE attr FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON attr USING (org = (SELECT current_setting('app.tenant')::bigint));
ALTER TABLE member ENABLE ROW LEVEL SECURITY;
ALTER TABLE member FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON member USING (org = (SELECT current_setting('app.tenant')::bigint));
ALTER TABLE counter ENABLE ROW LEVEL SECURITY;
ALTER TABLE counter FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON counter USING (org = (SELECT current_setting('app.tenant')::bigint));
ALTER TABLE log_segment ENABLE ROW LEVEL SECURITY;
ALTER TABLE log_segment FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON log_segment USING (org = (SELECT current_setting('app.tenant')::bigint));
