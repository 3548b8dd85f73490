package store

import (
	"fmt"
	"os"
)

// spool makes a file for a large mail on its way. It has no name any more: it
// ends with its last descriptor, however the process ends.
func (db *DB) spool() (*os.File, error) {
	if db == nil {
		return nil, os.ErrInvalid
	}
	f, err := os.CreateTemp(db.spools, ".frontdesk-mail-*")
	if err != nil {
		return nil, fmt.Errorf("make a file for a large mail: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("make a file for a large mail: %w", err)
	}
	return f, nil
}
