-- A delivered frame's file may be removed: that is meant first ('begun'), and noted ('done') when the file is gone.

ALTER TABLE frame ADD COLUMN removal TEXT NOT NULL DEFAULT 'none' CHECK (removal IN ('none', 'begun', 'done'));

CREATE INDEX frame_on_disk ON frame (state) WHERE removal = 'none';
CREATE INDEX frame_leaving ON frame (id) WHERE removal = 'begun';

CREATE TRIGGER only_what_landed_is_removed BEFORE UPDATE OF removal ON frame
WHEN NEW.removal <> 'none' AND (NEW.state <> 'landed' OR NOT EXISTS (
    SELECT 1 FROM outbox WHERE kind = 'frame' AND subject = NEW.id AND stage = 'done'))
BEGIN SELECT RAISE(ABORT, 'a frame is not removed before the platform has it and is done with it'); END;
