"""A witness that a donor runs on its own machine (C2SP tlog-witness): it cosigns the checkpoints of logs that it was told to trust,
each only if it extends the one before, and keeps what contradicts. It has no part in the log's database, and needs none.
"""
