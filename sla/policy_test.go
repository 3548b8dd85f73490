package sla

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

func first(within Duration) map[Clock]Target {
	return map[Clock]Target{FirstResponse: {Within: within}}
}

func TestChoosePrecedence(t *testing.T) {
	p := Policy{Rules: []Rule{
		{Name: "desk", Targets: first(Duration{4, BusinessHour})},
		{Name: "brand", If: Facts{Brand: "acme"}, Targets: first(Duration{3, BusinessHour})},
		{Name: "category", If: Facts{Category: "technical"}, Targets: first(Duration{2, BusinessHour})},
		{Name: "severity", If: Facts{Severity: "critical"}, Targets: first(Duration{1, BusinessHour})},
		{Name: "severity of a category", If: Facts{Severity: "critical", Category: "billing"}, Targets: first(Duration{30, Minute})},
		{Name: "contract", If: Facts{Customer: "gold"}, Targets: first(Duration{15, Minute})},
		{Name: "contract again", If: Facts{Customer: "gold"}, Targets: first(Duration{14, Minute})},
		{Name: "without a promise", If: Facts{Customer: "free"}, Targets: first(Duration{0, Never})},
	}}
	for _, test := range []struct {
		facts Facts
		want  string
	}{
		{Facts{}, "desk"},
		{Facts{Brand: "other"}, "desk"},
		{Facts{Brand: "acme"}, "brand"},
		{Facts{Brand: "acme", Category: "technical"}, "category"},
		{Facts{Brand: "acme", Category: "technical", Severity: "critical"}, "severity"},
		{Facts{Category: "billing", Severity: "critical"}, "severity of a category"},
		{Facts{Customer: "gold", Category: "billing", Severity: "critical"}, "contract"},
		{Facts{Customer: "free", Severity: "critical"}, "without a promise"},
	} {
		got := p.Choose(FirstResponse, test.facts)
		if got.Rule != test.want || got.Set() == (test.want == "without a promise") {
			t.Errorf("%+v: rule %q, set %v, want rule %q", test.facts, got.Rule, got.Set(), test.want)
		}
		if other := p.Choose(Resolution, test.facts); other.Set() || other.Rule != "" {
			t.Errorf("%+v: a resolution %+v, want none", test.facts, other)
		}
	}
}

func TestChooseFillsFields(t *testing.T) {
	p := Policy{Rules: []Rule{
		{Name: "desk", Targets: map[Clock]Target{Resolution: {
			Within: Duration{72, Hour}, AtMost: Duration{1, Week}, Warn: Warn{Percent: 80}, Pause: []string{"pending"}, Change: ChangeAnew}}},
		{Name: "critical", If: Facts{Severity: "critical"}, Targets: map[Clock]Target{Resolution: {Within: Duration{24, Hour}, Pause: []string{}}}},
		{Name: "gold", If: Facts{Customer: "gold"}, Targets: map[Clock]Target{Resolution: {Warn: Warn{Before: time.Hour}}}},
	}}
	got := p.Choose(Resolution, Facts{Customer: "gold", Severity: "critical"})
	want := Choice{Rule: "critical", Target: Target{Within: Duration{24, Hour}, AtMost: Duration{1, Week}, Warn: Warn{Before: time.Hour}, Pause: []string{}, Change: ChangeAnew}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	names := []string{}
	for _, r := range p.byPrecedence(Facts{Customer: "gold", Severity: "critical"}) {
		names = append(names, r.Name)
	}
	if !slices.Equal(names, []string{"gold", "critical", "desk"}) || p.Rules[0].Name != "desk" {
		t.Errorf("tried in the order %q, and the policy is now %q first", names, p.Rules[0].Name)
	}
}

func TestWarnAfter(t *testing.T) {
	for _, test := range []struct {
		warn    Warn
		allowed time.Duration
		want    time.Duration
		ok      bool
	}{
		{Warn{}, time.Hour, time.Hour, false},
		{Warn{Percent: 80}, 10 * time.Hour, 8 * time.Hour, true},
		{Warn{Before: time.Hour}, 10 * time.Hour, 9 * time.Hour, true},
		{Warn{Percent: 80, Before: 3 * time.Hour}, 10 * time.Hour, 7 * time.Hour, true},
		{Warn{Percent: 50, Before: time.Hour}, 10 * time.Hour, 5 * time.Hour, true},
		{Warn{Before: 3 * time.Hour}, 2 * time.Hour, 0, true},
		{Warn{Percent: 99}, 250 * 365 * 24 * time.Hour, 250 * 365 * 24 * time.Hour / 100 * 99, true},
	} {
		if got, ok := test.warn.after(test.allowed); got != test.want || ok != test.ok {
			t.Errorf("%+v of %s: got %s, %v, want %s, %v", test.warn, test.allowed, got, ok, test.want, test.ok)
		}
	}
}
