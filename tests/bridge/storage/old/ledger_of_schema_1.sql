BEGIN TRANSACTION;
CREATE TABLE event (
    id          INTEGER PRIMARY KEY,
    at          TEXT NOT NULL,
    name        TEXT NOT NULL,
    level       TEXT NOT NULL,
    task_id     TEXT,
    facts       TEXT NOT NULL       -- JSON
) STRICT;
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
INSERT INTO "frame" VALUES('019dadfa-fb80-7b37-b2e6-9d446c333fc2','70729658-58a2-4f91-aa2d-adc97c8ead91',1,1,2,'citra_task_70729658-58a2-4f91-aa2d-adc97c8ead91_001.fits','landed','/home/observer/nightbridge/frames/citra_task_70729658-58a2-4f91-aa2d-adc97c8ead91_001.fits',8640,'0101010101010101010101010101010101010101010101010101010101010101','2026-04-21T03:00:00.000000Z','2026-04-21T03:00:02.000000Z','','2026-04-21T03:00:00.000000Z');
INSERT INTO "frame" VALUES('019dadfb-0350-70f7-9539-b1cd4ca4b153','70729658-58a2-4f91-aa2d-adc97c8ead91',2,2,2,'citra_task_70729658-58a2-4f91-aa2d-adc97c8ead91_002.fits','landed','/home/observer/nightbridge/frames/citra_task_70729658-58a2-4f91-aa2d-adc97c8ead91_002.fits',8640,'0202020202020202020202020202020202020202020202020202020202020202','2026-04-21T03:00:02.000000Z','2026-04-21T03:00:04.000000Z','','2026-04-21T03:00:02.000000Z');
INSERT INTO "frame" VALUES('019dadfb-0b20-7dd4-8aff-77c1cc62ced8','70729658-58a2-4f91-aa2d-adc97c8ead92',1,1,2,'citra_task_70729658-58a2-4f91-aa2d-adc97c8ead92_001.fits','kept','/home/observer/nightbridge/frames/citra_task_70729658-58a2-4f91-aa2d-adc97c8ead92_001.fits',8640,'0101010101010101010101010101010101010101010101010101010101010101','2026-04-21T03:00:04.000000Z','2026-04-21T03:00:06.000000Z','','2026-04-21T03:00:04.000000Z');
INSERT INTO "frame" VALUES('019dadfb-12f0-7ebe-9698-5911ea8e8470','70729658-58a2-4f91-aa2d-adc97c8ead92',2,2,2,'citra_task_70729658-58a2-4f91-aa2d-adc97c8ead92_002.fits','kept','/home/observer/nightbridge/frames/citra_task_70729658-58a2-4f91-aa2d-adc97c8ead92_002.fits',8640,'0202020202020202020202020202020202020202020202020202020202020202','2026-04-21T03:00:06.000000Z','2026-04-21T03:00:08.000000Z','','2026-04-21T03:00:06.000000Z');
INSERT INTO "frame" VALUES('019dadfb-1ac0-7da4-a390-639067135ea9','70729658-58a2-4f91-aa2d-adc97c8ead93',1,1,2,'citra_task_70729658-58a2-4f91-aa2d-adc97c8ead93_001.fits','reserved',NULL,NULL,NULL,NULL,NULL,'','2026-04-21T03:00:08.000000Z');
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
INSERT INTO "outbox" VALUES(1,'frame','70729658-58a2-4f91-aa2d-adc97c8ead91','019dadfa-fb80-7b37-b2e6-9d446c333fc2','','done','2026-04-21T03:00:04.000000Z','u-019dadfa',0,'2026-04-21T03:00:04.000000Z','','2026-04-21T03:00:02.000000Z');
INSERT INTO "outbox" VALUES(2,'frame','70729658-58a2-4f91-aa2d-adc97c8ead91','019dadfb-0350-70f7-9539-b1cd4ca4b153','','landed','2026-04-21T03:00:04.000000Z','u-019dadfb',0,'2026-04-21T03:00:04.000000Z','','2026-04-21T03:00:04.000000Z');
INSERT INTO "outbox" VALUES(3,'status','70729658-58a2-4f91-aa2d-adc97c8ead91','70729658-58a2-4f91-aa2d-adc97c8ead91','Succeeded','done','2026-04-21T03:00:04.000000Z','',0,'2026-04-21T03:00:04.000000Z','','2026-04-21T03:00:04.000000Z');
INSERT INTO "outbox" VALUES(4,'frame','70729658-58a2-4f91-aa2d-adc97c8ead92','019dadfb-0b20-7dd4-8aff-77c1cc62ced8','','initiated','2026-04-21T03:00:08.000000Z','u-2',0,'2026-04-21T03:02:08.000000Z','','2026-04-21T03:00:06.000000Z');
INSERT INTO "outbox" VALUES(5,'frame','70729658-58a2-4f91-aa2d-adc97c8ead92','019dadfb-12f0-7ebe-9698-5911ea8e8470','','new','2026-04-21T03:00:08.000000Z','',0,'2026-04-21T03:00:08.000000Z','','2026-04-21T03:00:08.000000Z');
INSERT INTO "outbox" VALUES(6,'status','70729658-58a2-4f91-aa2d-adc97c8ead92','70729658-58a2-4f91-aa2d-adc97c8ead92','Succeeded','new','2026-04-21T03:00:08.000000Z','',0,'2026-04-21T03:00:08.000000Z','','2026-04-21T03:00:08.000000Z');
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
INSERT INTO "task" VALUES('70729658-58a2-4f91-aa2d-adc97c8ead91','api','delivered',4,1,'','2026-04-21T03:20:00.000000Z','{"binning":1,"closes":"2026-04-21T03:20:00.000000Z","collect":"auto","exposure_s":1.0,"filter_name":"Clear","frame_count":2,"opens":"2026-04-21T03:00:00.000000Z","priority":5.0,"request_id":"70729658-58a2-4f91-aa2d-adc97c8ead91","target":{"dec_deg":38.8,"name":"Vega","ra_deg":279.2}}','2026-04-21T03:00:00.000000Z','2026-04-21T03:00:04.000000Z');
INSERT INTO "task" VALUES('70729658-58a2-4f91-aa2d-adc97c8ead92','api','captured',3,1,'','2026-04-21T03:40:00.000000Z','{"binning":1,"closes":"2026-04-21T03:40:00.000000Z","collect":"auto","exposure_s":1.0,"filter_name":"Clear","frame_count":2,"opens":"2026-04-21T03:00:00.000000Z","priority":5.0,"request_id":"70729658-58a2-4f91-aa2d-adc97c8ead92","target":{"dec_deg":38.8,"name":"Vega","ra_deg":279.2}}','2026-04-21T03:00:00.000000Z','2026-04-21T03:00:08.000000Z');
INSERT INTO "task" VALUES('70729658-58a2-4f91-aa2d-adc97c8ead93','api','observing',2,1,'','2026-04-21T04:00:00.000000Z','{"binning":1,"closes":"2026-04-21T04:00:00.000000Z","collect":"auto","exposure_s":1.0,"filter_name":"Clear","frame_count":2,"opens":"2026-04-21T03:00:00.000000Z","priority":5.0,"request_id":"70729658-58a2-4f91-aa2d-adc97c8ead93","target":{"dec_deg":38.8,"name":"Vega","ra_deg":279.2}}','2026-04-21T03:00:00.000000Z','2026-04-21T03:00:08.000000Z');
INSERT INTO "task" VALUES('70729658-58a2-4f91-aa2d-adc97c8ead94','api','pending',1,0,'','2026-04-21T04:20:00.000000Z','{"binning":1,"closes":"2026-04-21T04:20:00.000000Z","collect":"auto","exposure_s":1.0,"filter_name":"Clear","frame_count":2,"opens":"2026-04-21T03:00:00.000000Z","priority":5.0,"request_id":"70729658-58a2-4f91-aa2d-adc97c8ead94","target":{"dec_deg":38.8,"name":"Vega","ra_deg":279.2}}','2026-04-21T03:00:00.000000Z','2026-04-21T03:00:00.000000Z');
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
INSERT INTO "transition" VALUES(1,'70729658-58a2-4f91-aa2d-adc97c8ead91',2,'pending','observing','','2026-04-21T03:00:00.000000Z');
INSERT INTO "transition" VALUES(2,'70729658-58a2-4f91-aa2d-adc97c8ead91',3,'observing','captured','','2026-04-21T03:00:04.000000Z');
INSERT INTO "transition" VALUES(3,'70729658-58a2-4f91-aa2d-adc97c8ead91',4,'captured','delivered','','2026-04-21T03:00:04.000000Z');
INSERT INTO "transition" VALUES(4,'70729658-58a2-4f91-aa2d-adc97c8ead92',2,'pending','observing','','2026-04-21T03:00:04.000000Z');
INSERT INTO "transition" VALUES(5,'70729658-58a2-4f91-aa2d-adc97c8ead92',3,'observing','captured','','2026-04-21T03:00:08.000000Z');
INSERT INTO "transition" VALUES(6,'70729658-58a2-4f91-aa2d-adc97c8ead93',2,'pending','observing','','2026-04-21T03:00:08.000000Z');
CREATE INDEX task_by_state ON task (state, closes_at);
CREATE TRIGGER transition_stays BEFORE UPDATE ON transition
BEGIN SELECT RAISE(ABORT, 'the journal of moves is never rewritten'); END;
CREATE TRIGGER transition_is_kept BEFORE DELETE ON transition
BEGIN SELECT RAISE(ABORT, 'the journal of moves is never rewritten'); END;
CREATE INDEX outbox_by_stage ON outbox (stage, next_try_at);
CREATE INDEX outbox_by_task ON outbox (task_id);
CREATE INDEX event_by_task ON event (task_id);
COMMIT;
