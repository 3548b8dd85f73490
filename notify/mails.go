package notify

import (
	"context"
	"errors"
	"fmt"

	"frontdesk/store"
	"frontdesk/tickets"
)

// mostMails bounds the mails attached to one letter, in bytes: what does not
// fit stands in the letter's text, and a letter of 25 MB is refused by many
// servers.
const mostMails = 15 << 20

// mails reads whole mails that a letter brings along. One that was erased or
// does not fit is left out.
func (s *Sender) mails(ctx context.Context, rows []int64) ([]File, error) {
	if s.opt.Open == nil {
		return nil, nil
	}
	var files []File
	left := mostMails
	for i, row := range rows {
		data, err := s.opt.Open(ctx, row, tickets.WholeRow)
		switch {
		case errors.Is(err, store.ErrNotFound):
			continue
		case err != nil:
			return nil, fmt.Errorf("mail of row %d: %w", row, err)
		case len(data) == 0 || len(data) > left:
			continue
		}
		left -= len(data)
		files = append(files, File{Name: fmt.Sprintf("%02d.eml", i+1), ContentType: "message/rfc822", Data: data})
	}
	return files, nil
}
