package store_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"frontdesk/store"
	"frontdesk/store/storetest"
)

func TestWrittenRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		list := items(1, 3)
		if _, err := db.Append(t.Context(), list, nil); err != nil {
			t.Fatal(err)
		}
		keys := []string{list[0].Key, "no such", list[2].Key}
		got := must(db.Written(t.Context(), keys))(t)
		if len(got) != 2 || string(got[list[2].Key]) != string(list[2].Data) {
			t.Errorf("%q", got)
		}
		has := must(db.HasKeys(t.Context(), keys))(t)
		if !slices.Equal(slices.Sorted(maps.Keys(has)), []string{list[0].Key, list[2].Key}) {
			t.Errorf("%v", has)
		}
		if got := must(db.Written(t.Context(), nil))(t); len(got) != 0 {
			t.Errorf("%q of no keys", got)
		}
	})
}

// Both are asked for each webhook that comes twice, and for all that is listed.
func TestWrittenRowsAreFoundByIndex(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	must(db.Written(t.Context(), []string{"a", "b"}))(t)
	must(db.HasKeys(t.Context(), []string{"a", "b"}))(t)
	plans := must(store.Plans(t.Context(), db))(t)
	if len(plans) == 0 {
		t.Fatal("no plans")
	}
	for text, plan := range plans {
		if strings.Contains(text, "key IN") && strings.Contains(plan, "SCAN") {
			t.Errorf("%s\n%s", text, plan)
		}
	}
}
