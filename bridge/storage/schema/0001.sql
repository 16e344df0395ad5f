-- Instants are ISO 8601 text, UTC, always six digits of a second: text order is time order.

CREATE TABLE task (
    id          TEXT PRIMARY KEY,
    source      TEXT NOT NULL CHECK (source IN ('api', 'manual')),
    state       TEXT NOT NULL CHECK (state IN ('pending', 'planned', 'observing', 'captured', 'delivered', 'missed',
                                               'failed', 'cancelled')),
    version     INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    closes_at   TEXT NOT NULL,
    request     TEXT NOT NULL,      -- JSON, complete: target with its elements, window, exposures
    filed_at    TEXT NOT NULL,
    changed_at  TEXT NOT NULL
) STRICT;

CREATE INDEX task_by_state ON task (state, closes_at);

CREATE TABLE transition (
    id          INTEGER PRIMARY KEY,
    task_id     TEXT NOT NULL REFERENCES task (id),
    version     INTEGER NOT NULL,   -- of the task after the move
    from_state  TEXT NOT NULL,
    to_state    TEXT NOT NULL,
    why         TEXT NOT NULL,
    at          TEXT NOT NULL,
    UNIQUE (task_id, version)
) STRICT;

CREATE TRIGGER transition_stays BEFORE UPDATE ON transition
BEGIN SELECT RAISE(ABORT, 'the journal of moves is never rewritten'); END;

CREATE TRIGGER transition_is_kept BEFORE DELETE ON transition
BEGIN SELECT RAISE(ABORT, 'the journal of moves is never rewritten'); END;

CREATE TABLE frame (
    id          TEXT PRIMARY KEY,   -- ordered by time, like a UUID of version 7
    task_id     TEXT NOT NULL REFERENCES task (id),
    seq         INTEGER NOT NULL,   -- counts all frames of a task, over all attempts
    number      INTEGER NOT NULL,   -- "number of total" within one series
    total       INTEGER NOT NULL,
    file_name   TEXT NOT NULL UNIQUE,
    state       TEXT NOT NULL CHECK (state IN ('reserved', 'kept', 'landed', 'refused', 'lost')),
    path        TEXT,
    bytes       INTEGER,
    sha256      TEXT,
    started_at  TEXT,
    ended_at    TEXT,
    reason      TEXT NOT NULL,
    reserved_at TEXT NOT NULL,
    UNIQUE (task_id, seq),
    CHECK (state IN ('reserved', 'lost') OR (path IS NOT NULL AND bytes > 0 AND sha256 IS NOT NULL
                                             AND started_at IS NOT NULL AND ended_at IS NOT NULL))
) STRICT;

-- What the platform is still to be told. A presigned address never comes here.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('frame', 'status')),
    task_id     TEXT NOT NULL REFERENCES task (id),
    subject     TEXT NOT NULL,      -- the frame's id, or the task's
    body        TEXT NOT NULL,      -- the status to report; empty for a frame
    stage       TEXT NOT NULL CHECK (stage IN ('new', 'initiated', 'sent', 'landed', 'done', 'parked')),
    stage_at    TEXT NOT NULL,
    upload_id   TEXT NOT NULL,      -- of the record the platform keeps; empty before there is one
    tries       INTEGER NOT NULL,
    next_try_at TEXT NOT NULL,
    last_error  TEXT NOT NULL,
    made_at     TEXT NOT NULL,
    UNIQUE (kind, subject)
) STRICT;

CREATE INDEX outbox_by_stage ON outbox (stage, next_try_at);
CREATE INDEX outbox_by_task ON outbox (task_id);

CREATE TABLE event (
    id          INTEGER PRIMARY KEY,
    at          TEXT NOT NULL,
    name        TEXT NOT NULL,
    level       TEXT NOT NULL,
    task_id     TEXT,
    facts       TEXT NOT NULL       -- JSON
) STRICT;

CREATE INDEX event_by_task ON event (task_id);
