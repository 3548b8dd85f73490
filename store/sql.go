package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// runner is what reads: a pool of database/sql, or one that prepares.
type runner interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// querier runs statements: the pool for reading, or a transaction. Everything
// that loads rows is written against it, so that a decision and a command read
// the same way.
type querier interface {
	// each calls f on each row. f scans; it must not run statements.
	each(ctx context.Context, text string, args []any, f rowFunc) error
	// get scans the first row; sql.ErrNoRows when there is none.
	get(ctx context.Context, text string, args []any, dest ...any) error
}

// reader is the querier outside transactions.
type reader struct{ runner }

func (r reader) each(ctx context.Context, text string, args []any, f rowFunc) error {
	rows, err := r.QueryContext(ctx, text, bind(args)...)
	if err != nil {
		return err
	}
	return eachRow(rows, f)
}

func (r reader) get(ctx context.Context, text string, args []any, dest ...any) error {
	return get(ctx, r, text, args, dest)
}

func eachRow(rows *sql.Rows, f rowFunc) error {
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// get is querier.get by way of each.
func get(ctx context.Context, q interface {
	each(ctx context.Context, text string, args []any, f rowFunc) error
}, text string, args []any, dest []any) error {
	found := false
	err := q.each(ctx, text, args, func(scan func(...any) error) error {
		if found {
			return nil
		}
		found = true
		return scan(dest...)
	})
	if err == nil && !found {
		return sql.ErrNoRows
	}
	return err
}

// bind makes arguments fit both databases. PostgreSQL refuses NUL and invalid
// UTF-8 in text, which mail has: both become U+FFFD here, for both databases.
func bind(args []any) []any {
	for i, a := range args {
		if s, ok := a.(string); ok {
			if c := clean(s); len(c) != len(s) {
				args[i] = c
			}
		}
	}
	return args
}

// clean replaces what PostgreSQL refuses in text. Every replacement is longer
// than what it replaces.
func clean(s string) string {
	if strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) {
		return s
	}
	return strings.ReplaceAll(string([]rune(s)), "\x00", "\uFFFD")
}

// padded returns the n rounded up to a power of two: IN lists come in few
// lengths, so that few statements need preparing.
func padded(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}

// in returns "($first, …)" for the values and args with them appended, padded
// by repeating the last one. There must be at least one value.
func in[T any](args []any, values []T) (string, []any) {
	var b strings.Builder
	b.WriteByte('(')
	for i := range padded(len(values)) {
		if i > 0 {
			b.WriteString(", ")
		}
		args = append(args, values[min(i, len(values)-1)])
		fmt.Fprintf(&b, "$%d", len(args))
	}
	b.WriteByte(')')
	return b.String(), args
}

// limit returns " LIMIT n" for what runs with every mail. SQLite plans a
// statement anew whenever its LIMIT is bound, which costs more than to run it.
func limit(n int) string { return " LIMIT " + strconv.Itoa(n) }

// chunks calls f with slices of at most n values.
func chunks[T any](values []T, n int, f func([]T) error) error {
	for len(values) > 0 {
		k := min(n, len(values))
		if err := f(values[:k]); err != nil {
			return err
		}
		values = values[k:]
	}
	return nil
}

// maxIn bounds an IN list.
const maxIn = 256

// rowsOf returns "($1, $2), ($3, $4)" for n rows of k columns.
func rowsOf(n, k int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		for j := range k {
			if j == 0 {
				b.WriteByte('(')
			} else {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "$%d", i*k+j+1)
		}
		b.WriteByte(')')
	}
	return b.String()
}

// ms is a time as stored.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// at is a stored time.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// timeDest scans a stored time.
type timeDest struct{ t *time.Time }

func (d timeDest) Scan(v any) error {
	var n sql.NullInt64
	if err := n.Scan(v); err != nil {
		return err
	}
	*d.t = at(n.Int64)
	return nil
}

// idDest scans a nullable id, 0 for NULL.
type idDest struct{ id *int64 }

func (d idDest) Scan(v any) error {
	var n sql.NullInt64
	if err := n.Scan(v); err != nil {
		return err
	}
	*d.id = n.Int64
	return nil
}

// idArg is a nullable id: NULL for 0.
func idArg(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// textArg is a nullable text: NULL for "".
func textArg(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// sumArg is a hash: NULL for the zero one.
func sumArg(sum [32]byte) any {
	if sum == ([32]byte{}) {
		return nil
	}
	return sum[:]
}

// sumDest scans a hash.
type sumDest struct{ sum *[32]byte }

func (d sumDest) Scan(v any) error {
	*d.sum = [32]byte{}
	if b, ok := v.([]byte); ok {
		copy(d.sum[:], b)
	}
	return nil
}

// jsonArg is nested value as JSON text, "" for an empty one.
func jsonArg[T any](v []T) string {
	if len(v) == 0 {
		return ""
	}
	return mustJSON(v)
}

func mapArg(v map[string]string) string {
	if len(v) == 0 {
		return ""
	}
	return mustJSON(v)
}

// objectArg is a struct as JSON text, "" for one in which nothing is set.
func objectArg(v any) string {
	if text := mustJSON(v); text != "{}" {
		return text
	}
	return ""
}

// mustJSON encodes values of types that always encode.
func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode %T: %v", v, err))
	}
	return string(b)
}

// jsonDest scans JSON text; "" leaves the value alone.
type jsonDest struct{ v any }

func (d jsonDest) Scan(v any) error {
	switch s := v.(type) {
	case string:
		if s == "" {
			return nil
		}
		return json.Unmarshal([]byte(s), d.v)
	case []byte:
		if len(s) == 0 {
			return nil
		}
		return json.Unmarshal(s, d.v)
	}
	return fmt.Errorf("scan %T as JSON text", v)
}
