package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// sentSuffix names the file of sentNotes, behind that of the database.
const sentSuffix = ".sent"

// sentMost is the size from which on a file takes no more.
const sentMost = 8 << 20

// sentNotes is a file beside an SQLite database. It says which letters a mail
// server took whose results are still to be stored, a line of JSON each, written
// in one call and not synced: a process that is killed leaves it, as it leaves
// what is in the WAL. So the results of many letters can share a transaction,
// and yet only the letter whose answer was on its way is in doubt afterwards.
//
// A line whose result is stored stays while others wait. It changes nothing: the
// letter is not in doubt any more, or its epoch has moved on.
type sentNotes struct {
	mu      sync.Mutex
	file    *os.File // nil: broken, nothing is noted
	size    int64
	waiting map[int64]int64 // epoch of each letter that is noted and not stored
}

// sentNote is one line.
type sentNote struct {
	Letter    int64     `json:"letter"`
	Epoch     int64     `json:"epoch"`
	Code      string    `json:"code"`
	Detail    string    `json:"detail,omitempty"`
	ServerIDs []string  `json:"server_ids,omitempty"`
	At        time.Time `json:"at"`
}

// NoteSent notes, for the case that this process is killed before it can [DB.Mark]
// it, that a mail server took a letter: the next daemon stores it before it claims
// any letter. It costs no transaction. False says that nothing was noted (a
// shared database, a full disk): then only Mark takes the letter out of doubt.
func (db *DB) NoteSent(r Result) bool {
	if db.sent == nil || !acceptedOnly([]Result{r}) {
		return false
	}
	return db.sent.add(r)
}

func (n *sentNotes) add(r Result) bool {
	line, err := json.Marshal(sentNote{r.ID, r.Epoch, r.Code, r.Detail, r.ServerIDs, r.At})
	if err != nil {
		return false
	}
	line = append(line, '\n')
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.file == nil || n.size+int64(len(line)) > sentMost {
		return false
	}
	if _, err := n.file.Write(line); err != nil {
		n.cut(n.size) // half a line would spoil the next
		return false
	}
	n.size += int64(len(line))
	n.waiting[r.ID] = r.Epoch
	return true
}

// cut shortens the file. One that cannot be is used no more.
func (n *sentNotes) cut(size int64) {
	if err := n.file.Truncate(size); err != nil {
		_ = n.file.Close()
		n.file = nil
		return
	}
	n.size = size
}

// stored forgets what is in the database.
func (n *sentNotes) stored(results []Result) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range results {
		if n.waiting[r.ID] == r.Epoch {
			delete(n.waiting, r.ID)
		}
	}
	if n.file != nil && n.size > 0 && len(n.waiting) == 0 {
		n.cut(0)
	}
}

// close removes the file when everything in it is stored.
func (n *sentNotes) close() error {
	if n == nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.file == nil {
		return nil
	}
	err := n.file.Close()
	if len(n.waiting) == 0 {
		err = errors.Join(err, os.Remove(n.file.Name()))
	}
	n.file = nil
	return err
}

// recallSent stores what a daemon that was killed had noted, and notes from now
// on. Whoever calls it holds the lock of the database. Without the file the desk
// works, with a transaction for each letter.
func (db *DB) recallSent(ctx context.Context, path string) error {
	file, err := os.OpenFile(path+sentSuffix, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600) // #nosec G304 -- beside the database
	if err != nil {
		db.notes = append(db.notes, "letters sent are not noted: "+err.Error())
		return nil
	}
	results, err := readSent(file)
	if err == nil && len(results) > 0 {
		_, err = db.Mark(ctx, results)
	}
	if err == nil {
		err = file.Truncate(0)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("store which letters were sent, from %s: %w", file.Name(), err), file.Close())
	}
	db.sent = &sentNotes{file: file, waiting: make(map[int64]int64)}
	return nil
}

// readSent leaves out what is no whole line: the process was killed, or the
// power failed, while it was written.
func readSent(file io.Reader) (list []Result, err error) {
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		var n sentNote
		if json.Unmarshal(line, &n) != nil || n.Letter == 0 {
			continue
		}
		list = append(list, Result{ID: n.Letter, Epoch: n.Epoch, State: LetterSent, Code: n.Code, Detail: n.Detail, ServerIDs: n.ServerIDs, At: n.At})
	}
}
