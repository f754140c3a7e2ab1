-- One row: what concerns the dataset as a whole.
CREATE TABLE dataset (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    info TEXT NOT NULL DEFAULT '{}'                 -- JSON object
);
INSERT INTO dataset (id) VALUES (1);

CREATE TABLE samples (
    id INTEGER PRIMARY KEY,                         -- the order in which they were added
    filepath TEXT NOT NULL UNIQUE,
    media_type TEXT NOT NULL CHECK (media_type IN ('image', 'video')),
    metadata TEXT                                   -- JSON with _cls
);

CREATE TABLE tags (
    sample_id INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (sample_id, tag)
) WITHOUT ROWID;
CREATE INDEX tags_by_tag ON tags (tag, sample_id);

-- A process that fills a field with a model's outputs.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    field TEXT NOT NULL UNIQUE,                     -- what the user called it; models with several outputs fill several fields
    provenance TEXT NOT NULL,                       -- JSON
    started_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    finished_at TEXT,
    lease TEXT,                                     -- the lock file of the process that works on it
    process INTEGER                                 -- that process's id, to tell the user
);

-- Which samples a run has done.
CREATE TABLE run_samples (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    sample_id INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
    error TEXT,                                     -- why it failed
    PRIMARY KEY (run_id, sample_id)
) WITHOUT ROWID;
CREATE INDEX run_failures ON run_samples (run_id, sample_id) WHERE error IS NOT NULL;

CREATE TABLE fields (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    of_frames INTEGER NOT NULL,                     -- 0: of samples, 1: of a video's frames
    type TEXT NOT NULL,                             -- the label's _cls, 'Vector' or 'Value'
    description TEXT NOT NULL DEFAULT '{}',         -- JSON: classes, names of keypoints, ...
    run_id INTEGER REFERENCES runs (id) ON DELETE CASCADE,
    UNIQUE (name, of_frames)
);

CREATE TABLE labels (
    sample_id INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
    field_id INTEGER NOT NULL REFERENCES fields (id) ON DELETE CASCADE,
    frame INTEGER NOT NULL,                         -- counted from 1; 0 for the sample as a whole
    label TEXT NOT NULL,                            -- FiftyOne's JSON
    UNIQUE (sample_id, field_id, frame)
);

CREATE TABLE embeddings (
    sample_id INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
    field_id INTEGER NOT NULL REFERENCES fields (id) ON DELETE CASCADE,
    frame INTEGER NOT NULL,
    shape TEXT,                                     -- JSON list, where there is more than one dimension
    vector BLOB NOT NULL,                           -- single precision, little-endian
    UNIQUE (sample_id, field_id, frame)
);
