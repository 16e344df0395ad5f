-- Who may write: each programme takes the next number before its first write, and one whose number is no longer the
-- newest is refused.

CREATE TABLE station (
    only_one    INTEGER PRIMARY KEY CHECK (only_one = 1),
    epoch       INTEGER NOT NULL
) STRICT;

INSERT INTO station (only_one, epoch) VALUES (1, 0);
