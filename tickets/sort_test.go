package tickets

import "testing"

func TestDevRequests(t *testing.T) { evaluate(t, "dev.jsonl", rulesOfStandardDesk()) }
