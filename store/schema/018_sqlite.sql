-- In its place. On PostgreSQL it stays for two releases: older nodes ask it.
DROP INDEX messages_content;
