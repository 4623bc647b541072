"""The memory: the intake stream on Redis or Valkey, and the tables on PostgreSQL."""
