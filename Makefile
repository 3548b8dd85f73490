# The commands of the project. "make help" lists them.

GO        ?= go
FUZZTIME  ?= 30s
CORPUS    ?= ../shared/corpus
# The race detector needs a C compiler; without one the tests run, and say so.
RACE      ?= $(shell command -v $${CC:-gcc} >/dev/null 2>&1 && echo -race)
# SQLite is C turned into Go: watched by the detector it is ten times slower, and
# its memory is its own. Our code, and every lock between the two, is watched.
UNWATCHED  = -gcflags='modernc.org/...=-race=false'
# Its tests hold budgets of seconds for hostile mail, which the detector uses up;
# it starts no goroutine. Alone, so that nothing else uses them up either.
BUDGETED   = frontdesk/parser
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
# Neither is linked in: go.mod names neither. gosec compiles for minutes the first time.
GOSEC     = github.com/securego/gosec/v2/cmd/gosec@v2.29.0
VULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.8.0
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

COMMA      = ,

export CGO_ENABLED = 0

.PHONY: packages help build test lint gosec vuln libc bench gobench fuzz torture eval deps demo
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## ./frontdesk, one static binary
	$(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o frontdesk ./cmd/frontdesk

test: ## all tests; REQUIRE_REAL=1 makes a missing real server a failure
ifeq ($(RACE),)
	@echo 'NOTE: no C compiler: the tests run without the race detector (make deps)'
endif
	$(GO) test -timeout 5m $(BUDGETED)
	CGO_ENABLED=$(if $(RACE),1,0) $(GO) test $(if $(RACE),$(RACE) $(UNWATCHED)) -timeout 15m $$($(GO) list ./... | grep -vx $(BUDGETED))

lint: libc ## gofmt, vet, staticcheck, go.mod tidy and verified
	@files=$$(gofmt -l .); \
	if [ -n "$$files" ]; then echo "gofmt -w $$files"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) mod tidy -diff
	$(GO) mod verify

# SECURITY.md says why G304 and what is no part of the desk are left out.
gosec: ## gosec over what the desk consists of: about a minute
	$(GO) run $(GOSEC) -quiet -exclude=G304 $(addprefix -exclude-dir=,$(UNSHIPPED)) ./...

UNSHIPPED = bench packaging torture internal/arrows internal/testdesk internal/testmail internal/twiliosim store/storetest

# The database of vulnerabilities is asked over the network; GOVULNDB names a
# mirror or a copy (file:///DIR). No answer is never taken for "none known".
vuln: ## govulncheck: are known vulnerabilities called? wants vuln.go.dev or GOVULNDB=URL
	@$(GO) run $(VULNCHECK) $(if $(GOVULNDB),-db $(GOVULNDB)) ./cmd/frontdesk || { status=$$?; \
		echo '############################################################'; \
		echo 'NOT CLEAN: vulnerabilities, or a database that does not answer (above);'; \
		echo 'a copy of it: make vuln GOVULNDB=file:///DIR'; \
		echo '############################################################'; \
		exit $$status; }

# modernc.org/sqlite works with exactly the libc that it names (its issue 177);
# another dependency may lift it unseen.
libc:
	@want=$$(awk '{ for (i = 1; i < NF; i++) if ($$i == "modernc.org/libc") print $$(i+1) }' $$($(GO) list -m -f '{{.GoMod}}' modernc.org/sqlite)); \
	got=$$($(GO) list -m -f '{{.Version}}' modernc.org/libc); \
	if [ "$$want" != "$$got" ]; then echo "modernc.org/libc is $$got, but modernc.org/sqlite pins $$want: go get modernc.org/libc@$$want"; exit 1; fi

# make bench BENCH=REGEXP chooses among Go's benchmarks, as gobench does.
ifdef BENCH
bench: gobench
else
bench: ## the desk against an ideal pipe, about 20 minutes; PART=REGEXP, ROUNDS=5, PROFILE=DIR
	$(GO) run ./bench -only '$(or $(PART),.)' -rounds $(or $(ROUNDS),5) $(if $(PROFILE),-profile '$(abspath $(PROFILE))') $(BENCHFLAGS)
endif

gobench: ## Go's benchmarks of the rooms; BENCH=REGEXP chooses
	$(GO) test -run '^$$' -bench '$(or $(BENCH),.)' -benchmem ./...

fuzz: ## each fuzz target for FUZZTIME (30s), and a million tickets' clocks
	FUZZ_SEQUENCES=1000000 $(GO) test -timeout 0 -run 'Sequences$$' ./sla
	@grep -rlE '^func Fuzz' --include='*_test.go' . | sort | while read -r file; do \
		for target in $$(grep -oE '^func Fuzz[A-Za-z0-9_]*' "$$file" | cut -d' ' -f2); do \
			echo "== $$(dirname "$$file") $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 50x "$$(dirname "$$file")" || exit 1; \
		done || exit 1; \
	done

# Most of them wait, for leases and servers that are away: four at a time. The
# limits end what hangs; what the others found is in the table all the same.
torture: ## the tests that kill, break and flood, at length; RUN=REGEXP chooses
	@table=$$(mktemp); trap 'rm -f "$$table"' EXIT; export TORTURE=1 TORTURE_TABLE=$$table; \
	$(GO) test -count=1 -timeout 36m -parallel 4 -v -run '$(or $(RUN),.)' ./torture; status=$$?; \
	$(if $(RUN),,$(GO) test -count=1 -timeout 3m -v -run '$(TORTURED)' ./cmd/frontdesk || status=1;) \
	echo; $(GO) run ./torture/table "$$table"; exit $$status

# Those of other rooms that have a row in the table.
TORTURED = ^(TestAnswerOfTheCompanyLost|TestAllWebhooksLostForAnHour)$$

eval: sorted build ## scores on labelled requests, and on the mails in CORPUS
	@if [ ! -f $(CORPUS)/eval.py ]; then \
		echo '############################################################'; \
		echo 'NOT EVALUATED: no $(CORPUS)/eval.py; name its folder: make eval CORPUS=DIR'; \
		echo '############################################################'; \
		exit 1; \
	fi
	python3 $(CORPUS)/eval.py --kind all --cmd '$(CURDIR)/frontdesk parse --json -'
	python3 $(CORPUS)/eval.py --kind thread --cmd '$(CURDIR)/frontdesk thread --json {dir}'

.PHONY: sorted
sorted:
	$(GO) test -count=1 -v -run 'TestRequestsAreSorted|TestLearnedSorting' ./tickets

packages: ## dist/: deb and rpm for ARCH (amd64,arm64), with all that belongs to them
	$(GO) run ./packaging -version $(VERSION) -arch $(or $(ARCH),amd64$(COMMA)arm64)

deps: ## what the tests want of the machine (root on Debian installs it)
	@.ci/deps.sh

demo: ## the desk at work, on embedded parts
	$(GO) run ./cmd/frontdesk demo
