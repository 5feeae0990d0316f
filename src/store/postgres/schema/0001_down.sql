DROP TABLE log_segment, counter, member, attr, uniq, resource, node, instance_key, directory_version, token,
    connector, organisation;
