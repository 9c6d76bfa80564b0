-- One chain: its blocks, the state after the head, and what each block overwrote.
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE blocks (
    number INTEGER PRIMARY KEY,
    hash   BLOB NOT NULL UNIQUE,
    header BLOB NOT NULL,
    body   BLOB NOT NULL
);
CREATE TABLE state (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
-- The value a key had before block `number` (NULL: absent). A read at block n takes the row with the
-- smallest number above n, and the head's value when there is none.
CREATE TABLE undo (
    key    BLOB NOT NULL,
    number INTEGER NOT NULL,
    old    BLOB,
    PRIMARY KEY (key, number)
) WITHOUT ROWID;
CREATE INDEX undo_number ON undo (number);
