package main

// alarmsAtOnce rings the second tier for what is critical.
const alarmsAtOnce = `alarms: {attempts: 2, every: 2 minutes}
severities:
  critical: {resolve_within: 24 hours, escalate: immediately, call: true}
  low: {resolve_within: 5 working days}
`
