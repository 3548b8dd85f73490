package testmail

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// FillAt puts n mails into the inbox of a user at once, as if they had come at
// their times: straight into the maildir, a hundred thousand in seconds. mail is
// asked for each, oldest first. The server must not have opened the folder yet,
// or it may number them in another order.
func (r *Rig) FillAt(address string, n int, mail func(i int) (raw []byte, at time.Time)) {
	r.t.Helper()
	box := r.maildir(address)
	for _, dir := range []string{filepath.Dir(filepath.Dir(box)), filepath.Dir(box), box, filepath.Join(box, "tmp"), filepath.Join(box, "cur"), filepath.Join(box, "new")} {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			r.t.Fatalf("rig: %v", err)
		}
		if err := os.Chown(dir, mailUID, mailUID); err != nil {
			r.t.Fatalf("rig: %v", err)
		}
	}
	for i := range n {
		raw, at := mail(i)
		// Dovecot numbers new mails in the order of the time in their names.
		name := filepath.Join(box, "new", fmt.Sprintf("%d.M%06dP%d.%s", at.Unix(), at.Nanosecond()/1000, i, RigHost))
		err := os.WriteFile(name, raw, 0o600)
		if err == nil {
			err = errors.Join(os.Chtimes(name, at, at), os.Chown(name, mailUID, mailUID))
		}
		if err != nil {
			r.t.Fatalf("rig: fill %s: %v", address, err)
		}
	}
}
