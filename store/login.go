package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"frontdesk/tickets"
)

// ErrSealed says that what a row holds was enciphered with another secret, or
// was changed by somebody.
var ErrSealed = errors.New("enciphered with another secret_file")

// Login is what a provider of mail gave to a mailbox instead of a password.
type Login struct {
	Account      string    // address of the mailbox
	Token        []byte    // the tokens as the caller writes them; enciphered on disk
	Expires      time.Time // end of the access token; zero: not said
	Ends         time.Time // end of the login; zero: not known
	Since        time.Time // when a person (or a client secret) logged in
	Refreshed    time.Time // when the access token was fetched
	Error        string    // why the last one could not be fetched; "" when it could
	Failed       time.Time // when that was
	ClaimedUntil time.Time // somebody fetches one meanwhile
	Epoch        int64     // 0: there is no row
}

// Login returns the login of an account; Epoch 0 when there is none. With
// ErrSealed all but the token is returned.
func (db *DB) Login(ctx context.Context, account string) (Login, error) {
	l := Login{Account: account}
	var sealed []byte
	err := db.read.get(ctx, `
		SELECT
			sealed,
			expires,
			ends,
			since,
			refreshed,
			error,
			failed,
			claimed_until,
			epoch
		FROM logins WHERE account = $1`, []any{account},
		&sealed, timeDest{&l.Expires}, timeDest{&l.Ends}, timeDest{&l.Since}, timeDest{&l.Refreshed},
		&l.Error, timeDest{&l.Failed}, timeDest{&l.ClaimedUntil}, &l.Epoch)
	if errors.Is(err, sql.ErrNoRows) {
		return l, nil
	}
	if err == nil {
		l.Token, err = unseal(db.keys, account, sealed)
	}
	if err != nil {
		return l, fmt.Errorf("load login of %q: %w", account, err)
	}
	return l, nil
}

// ClaimLogin claims the row of an account that the caller saw at an epoch, and
// returns the epoch to end the claim with. ErrLost when the row moved on, or
// somebody else has it at now. Epoch 0 makes the row.
func (db *DB) ClaimLogin(ctx context.Context, account string, epoch int64, now, until time.Time) (claimed int64, err error) {
	err = db.write(ctx, func(tx *Tx) error {
		err := tx.get(ctx, `
			INSERT INTO logins (account, sealed, claimed_until, epoch) VALUES ($1, $5, $4, 1)
			ON CONFLICT (account) DO UPDATE SET claimed_until = excluded.claimed_until, epoch = logins.epoch + 1
			WHERE logins.epoch = $2 AND logins.claimed_until <= $3
			RETURNING epoch`, []any{account, epoch, ms(now), ms(until), []byte{}}, &claimed)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrLost
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("claim login of %q: %w", account, err)
	}
	return claimed, nil
}

// SaveLogin ends a claim with a new token, on disk when it returns; l.Epoch is
// what ClaimLogin gave. ErrLost when the claim ran out and somebody else took
// the row, or a person logged in meanwhile: then that token counts, not this.
// Since is kept when the row has one.
func (db *DB) SaveLogin(ctx context.Context, l Login) error {
	sealed, err := seal(db.keys, l.Account, l.Token)
	if err == nil {
		err = db.write(ctx, func(tx *Tx) error {
			return lost(tx.exec(ctx, `
				UPDATE logins SET
					sealed = $3,
					expires = $4,
					ends = $5,
					since = CASE WHEN since = 0 THEN $6 ELSE since END,
					refreshed = $7,
					error = '',
					failed = 0,
					claimed_until = 0,
					epoch = epoch + 1
				WHERE account = $1 AND epoch = $2`,
				l.Account, l.Epoch, sealed, ms(l.Expires), ms(l.Ends), ms(l.Since), ms(l.Refreshed)))
		})
	}
	if err != nil {
		return fmt.Errorf("store login of %q: %w", l.Account, err)
	}
	return nil
}

// LoginFailed ends a claim without a token. ErrLost as at SaveLogin.
func (db *DB) LoginFailed(ctx context.Context, account string, epoch int64, why string, now time.Time) error {
	err := db.write(ctx, func(tx *Tx) error {
		return lost(tx.exec(ctx, `UPDATE logins SET error = $3, failed = $4, claimed_until = 0, epoch = epoch + 1 WHERE account = $1 AND epoch = $2`,
			account, epoch, why, ms(now)))
	})
	if err != nil {
		return fmt.Errorf("note that login of %q failed: %w", account, err)
	}
	return nil
}

// PutLogin stores what a person got by logging in. Whatever was there, and
// whatever somebody fetches at this moment, gives way to it.
func (db *DB) PutLogin(ctx context.Context, l Login) error {
	sealed, err := seal(db.keys, l.Account, l.Token)
	if err == nil {
		err = db.write(ctx, func(tx *Tx) error {
			_, err := tx.exec(ctx, `
				INSERT INTO logins (
					account,
					sealed,
					expires,
					ends,
					since,
					refreshed,
					claimed_until,
					epoch
				) VALUES ($1, $2, $3, $4, $5, $6, 0, 1)
				ON CONFLICT (account) DO UPDATE SET
					sealed = excluded.sealed,
					expires = excluded.expires,
					ends = excluded.ends,
					since = excluded.since,
					refreshed = excluded.refreshed,
					error = '',
					failed = 0,
					claimed_until = 0,
					epoch = logins.epoch + 1`,
				l.Account, sealed, ms(l.Expires), ms(l.Ends), ms(l.Since), ms(l.Refreshed))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("store login of %q: %w", l.Account, err)
	}
	return nil
}

// seal enciphers plain with AES-256-GCM under a key of its own that follows
// from the secret. The account is bound in: a row copied to another account
// does not open. The first byte names the key.
func seal(keys tickets.Keyring, account string, plain []byte) ([]byte, error) {
	key := keys.Current
	gcm, err := sealer(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 1+gcm.NonceSize(), 1+gcm.NonceSize()+len(plain)+gcm.Overhead())
	out[0] = key.ID
	_, _ = rand.Read(out[1:])                                  // never fails
	return gcm.Seal(out, out[1:], plain, []byte(account)), nil // #nosec G407 -- the nonce is random: the line above
}

// unseal returns what seal was given; nil for a row that holds nothing.
func unseal(keys tickets.Keyring, account string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	for _, key := range append([]tickets.Key{keys.Current}, keys.Old...) {
		if key.ID != sealed[0] || len(key.Secret) == 0 {
			continue
		}
		gcm, err := sealer(key)
		if err != nil {
			return nil, err
		}
		if n := 1 + gcm.NonceSize(); len(sealed) >= n {
			if plain, err := gcm.Open(nil, sealed[1:n], sealed[n:], []byte(account)); err == nil {
				return plain, nil
			}
		}
	}
	return nil, ErrSealed
}

func sealer(key tickets.Key) (cipher.AEAD, error) {
	if len(key.Secret) == 0 {
		return nil, errors.New("no secret to encipher with")
	}
	derived, err := hkdf.Key(sha256.New, key.Secret, nil, "frontdesk logins", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
