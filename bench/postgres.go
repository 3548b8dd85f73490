package main

import (
	"errors"
	"os/exec"

	"frontdesk/store/storetest"
)

// measurePostgres is the backlog on PostgreSQL, which is a server of its own on
// the same machine, with every commit on disk. The target is a part of the ideal
// pipe on SQLite; the other ideal pipe says what PostgreSQL itself allows.
func measurePostgres(t *section) {
	server, err := storetest.StartServer()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skipf("SKIP real-server: postgres not found (make deps)")
	}
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(server.Stop)
	database := func() string {
		url, err := server.NewDatabase()
		if err != nil {
			t.Fatalf("make a database: %v", err)
		}
		return url
	}
	n := t.size(1500, 20)
	q, s := newQueue(t, "postgres", corpus(plainMail, n)), newSink(t)
	race, native := newRace(n), newRace(n)
	t.rounds(func(count bool) {
		race.ideal(q.ideal(t, s, ""), count)
		native.ideal(q.ideal(t, s, database()), count)
		d := q.desk(t, s, deskConfig{database: database()})
		race.desk(d, q.drained(d, s), false, count)
		d.remove()
	})
	race.print(t, "ideal pipe", 0.25, 0.5)
	t.add("ideal pipe on PostgreSQL", "mails/s", native.rate)
	t.add("… ratio of the desk to it", "×", ratios(race.deskRate[0], native.rate))
}
