"""Where sandboxes live: PostgreSQL servers and folders of files, one module each behind the protocol of `provisioning.hosts.base`."""
