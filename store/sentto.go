package store

import (
	"context"
	"fmt"
)

// SentTo returns the messages whose words left for a customer in letters about
// the tickets: what that person may be shown again. One that is held or was
// dropped did not leave.
func (db *DB) SentTo(ctx context.Context, person int64, about ...int64) (messages []int64, err error) {
	if len(about) == 0 {
		return nil, nil
	}
	values, args := in([]any{person}, about)
	// Served by letters_ticket.
	err = db.read.each(ctx, `
		SELECT DISTINCT message FROM letters
		WHERE ticket IN `+values+` AND person = $1 AND message > 0 AND agent = FALSE AND state NOT IN ('held', 'dropped')`, args,
		func(scan func(...any) error) error {
			var id int64
			err := scan(&id)
			messages = append(messages, id)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list what person %d was sent: %w", person, err)
	}
	return messages, nil
}
