//go:build !unix

package store

import (
	"errors"
	"os"
)

// lockFile is not built here: a daemon needs flock.
func lockFile(string) (*os.File, error) {
	return nil, errors.ErrUnsupported
}
