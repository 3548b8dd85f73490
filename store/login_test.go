package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
)

const account = "support@example.org"

// A row is claimed by one, and what is late changes nothing: neither a claim
// that ran out nor one from before a person logged in.
func TestLoginIsFetchedByOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		if l := must(db.Login(ctx, account))(t); l.Epoch != 0 || l.Token != nil {
			t.Fatalf("a login that nobody made: %+v", l)
		}
		minute := noon.Add(time.Minute)
		first := must(db.ClaimLogin(ctx, account, 0, noon, minute))(t)
		if _, err := db.ClaimLogin(ctx, account, 0, noon, minute); !errors.Is(err, store.ErrLost) {
			t.Fatalf("claimed again: %v", err)
		}
		if _, err := db.ClaimLogin(ctx, account, first, noon, minute); !errors.Is(err, store.ErrLost) {
			t.Fatalf("claimed by another while it is claimed: %v", err)
		}
		second := must(db.ClaimLogin(ctx, account, first, minute, minute.Add(time.Minute)))(t)
		late := store.Login{Account: account, Token: []byte("late"), Epoch: first}
		if err := db.SaveLogin(ctx, late); !errors.Is(err, store.ErrLost) {
			t.Fatalf("saved under a claim that ran out: %v", err)
		}
		if err := db.SaveLogin(ctx, store.Login{Account: account, Token: []byte("two"), Expires: minute, Ends: minute, Since: noon, Refreshed: noon, Epoch: second}); err != nil {
			t.Fatal(err)
		}
		l := must(db.Login(ctx, account))(t)
		diff(t, "login", l, store.Login{Account: account, Token: []byte("two"), Expires: minute, Ends: minute, Since: noon, Refreshed: noon, Epoch: second + 1})

		third := must(db.ClaimLogin(ctx, account, l.Epoch, noon, minute))(t)
		if err := db.LoginFailed(ctx, account, third, "invalid_grant", noon); err != nil {
			t.Fatal(err)
		}
		if l := must(db.Login(ctx, account))(t); l.Error != "invalid_grant" || !l.Failed.Equal(noon) || string(l.Token) != "two" || !l.ClaimedUntil.IsZero() {
			t.Errorf("after a failure: %+v", l)
		}
		fourth := must(db.ClaimLogin(ctx, account, third+1, noon, minute))(t)
		if err := db.PutLogin(ctx, store.Login{Account: account, Token: []byte("person"), Since: minute, Refreshed: minute}); err != nil {
			t.Fatal(err)
		}
		if err := db.SaveLogin(ctx, store.Login{Account: account, Token: []byte("late"), Epoch: fourth}); !errors.Is(err, store.ErrLost) {
			t.Errorf("saved over a person's login: %v", err)
		}
		if err := db.LoginFailed(ctx, account, fourth, "late", noon); !errors.Is(err, store.ErrLost) {
			t.Errorf("failed over a person's login: %v", err)
		}
		if l := must(db.Login(ctx, account))(t); string(l.Token) != "person" || l.Error != "" || !l.Since.Equal(minute) {
			t.Errorf("after a person logged in: %+v", l)
		}
	})
}

// Of many that want the row at once one gets it.
func TestLoginClaimedAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		var mu sync.Mutex
		var wait sync.WaitGroup
		won := 0
		for range 12 {
			wait.Go(func() {
				_, err := db.ClaimLogin(t.Context(), account, 0, noon, noon.Add(time.Minute))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won++
				case !errors.Is(err, store.ErrLost):
					t.Errorf("claim: %v", err)
				}
			})
		}
		wait.Wait()
		if won != 1 {
			t.Errorf("%d claims of one row", won)
		}
	})
}

// The tokens are not in the database in clear text, and only the same secret
// and the same account open them.
func TestLoginIsSealed(t *testing.T) {
	t.Parallel()
	file, ctx := filepath.Join(t.TempDir(), "desk.db"), t.Context()
	db := must(store.Open(ctx, store.Options{Database: file, Keys: storetest.Keys}))(t)
	defer db.Close()
	if err := db.PutLogin(ctx, store.Login{Account: account, Token: []byte("rt.refresh-token-of-a-person"), Since: noon}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ClaimLogin(ctx, "other@example.org", 0, noon, noon); err != nil {
		t.Fatal(err)
	}
	disk := must(sql.Open("sqlite", "file:"+file))(t)
	defer disk.Close()
	var sealed []byte
	if err := disk.QueryRowContext(ctx, `SELECT sealed FROM logins WHERE account = $1`, account).Scan(&sealed); err != nil || len(sealed) == 0 || bytes.Contains(sealed, []byte("refresh-token")) {
		t.Errorf("on disk: %q, %v", sealed, err)
	}
	if _, err := disk.ExecContext(ctx, `UPDATE logins SET sealed = $1 WHERE account = 'other@example.org'`, sealed); err != nil {
		t.Fatal(err)
	}
	if l, err := db.Login(ctx, "other@example.org"); !errors.Is(err, store.ErrSealed) || l.Token != nil || l.Epoch == 0 {
		t.Errorf("a row copied to another account: %q, %v", l.Token, err)
	}
	keys := storetest.Keys
	keys.Current.Secret = []byte("another secret of tests, 32 bytes")
	other := must(store.Open(ctx, store.Options{Database: file, Keys: keys}))(t)
	defer other.Close()
	if l, err := other.Login(ctx, account); !errors.Is(err, store.ErrSealed) || l.Token != nil {
		t.Errorf("with another secret: %q, %v", l.Token, err)
	}
}
