-- What administrators ask of a run under way: to pause, or to write no faster. No row: nothing.
CREATE TABLE run_control (
    run_id BIGINT PRIMARY KEY REFERENCES run (run_id),
    paused_at TIMESTAMPTZ,
    paused_by TEXT COLLATE "C",
    records_per_second BIGINT CHECK (records_per_second > 0),
    CHECK ((paused_at IS NULL) = (paused_by IS NULL)),
    CHECK (paused_at IS NOT NULL OR records_per_second IS NOT NULL)
);
