package parser

import "strings"

// goneReasons are the reasons that say that the address will never work.
var goneReasons = map[string]bool{"userunknown": true, "hostunknown": true, "hasmoved": true, "notaccept": true}

// reasonWords maps what servers say to the reason's usual word; the first that
// matches wins, so the specific ones come first. Lower case.
var reasonWords = []struct {
	reason string
	words  []string
}{
	{"mailboxfull", []string{"mailbox full", "mailbox is full", "over quota", "overquota", "quota exceeded", "exceeded quota", "quota exceed", "exceeded storage", "mailfolder is full", "mailbox exceeded", "mailbox has exceeded", "insufficient disk quota", "disk quota", "user is over", "out of storage", "mailbox size limit", "exceeds allocated", "is full", "受信箱がいっぱい", "メールボックスがいっぱい", "容量"}},
	{"authfailure", []string{"dmarc", "spf check", "spf fail", "dkim", "fails sender", "unauthenticated email", "authentication check", "bad spf", "authentication information", "not pass authentication", "spf:", "sender policy framework"}},
	{"requireptr", []string{"ptr record", "reverse dns", "reverse lookup", "no ptr", "rdns", "cannot find your hostname", "cannot find your reverse", "resolve your hostname", "fcrdns", "unresolvable client"}},
	{"badreputation", []string{"reputation", "sender score", "low sender"}},
	{"rejected", []string{"sender address rejected", "domain of sender", "sender rejected", "sender unknown"}},
	{"speeding", []string{"too fast", "rate limit", "rate that", "unusual rate", "too many messages", "exceeded the rate", "throttl", "sending rate"}},
	{"toomanyconn", []string{"too many connections", "frequency limited", "connection rate limit", "too many concurrent", "connection limit", "too many sessions", "concurrency limit"}},
	{"virusdetected", []string{"virus", "malware", "infected"}},
	{"spamdetected", []string{"spam", "bulk mail", "unsolicited", "junk"}},
	{"blocked", []string{"please use the smtp server of your", "my name was rejected", "spamhaus", "ip source bloquee", "blacklist", "blocklist", "block list", "black list", "blocked", "rbl", "is listed", "listed by", "listed on", "banned", "denied access", "client host rejected", "spamhaus", "access denied from", "service not available for", "blacklisted"}},
	{"norelaying", []string{"relaying denied", "relay access denied", "relay denied", "not permitted to relay", "unable to relay", "relay not permitted", "relaying not allowed", "we do not relay", "no relay", "rcpthosts"}},
	{"mesgtoobig", []string{"message too large", "too big", "size exceeds", "message size exceeds", "exceeds maximum", "exceeded maximum", "message length exceeds", "size limit exceeded", "maximum message size"}},
	{"suspend", []string{"suspended", "account is disabled", "account disabled", "mailbox disabled", "inactive", "deactivated", "has been disabled", "account locked", "temporarily disabled", "user disabled", "is disabled", "disabled recipient", "temporary locked", "is locked", "is frozen"}},
	{"hasmoved", []string{"has moved", "has changed", "no longer here", "user has left", "new address"}},
	{"userunknown", []string{"user unknown", "unknown user", "no such user", "no such recipient", "unknown recipient", "recipient unknown", "unknown or illegal", "does not exist", "doesn't exist", "no mailbox", "unknown mailbox", "mailbox not found", "mailbox unavailable", "address not found", "invalid recipient", "recipient not found", "recipientnotfound", "not found by smtp", "unknown address", "address unknown", "not a valid user", "not our customer", "not found in", "unknown local", "no such mailbox", "user not found", "invalid mailbox", "not listed in", "recipient name is not recognized", "unrouteable address", "address does not", "no longer available", "doesn't have a", "is not a registered", "couldn't be found", "mailbox does not exist", "account that you tried to reach", "not exist", "宛先不明"}},
	{"hostunknown", []string{"host unknown", "unknown host", "host not found", "domain not found", "domain name not found", "name or service not known", "no such domain", "unrouteable mail domain", "domain does not exist", "host or domain name not found", "illegal host", "dns lookup failure", "nxdomain", "bad destination", "domain doesn't exist", "hostname lookup"}},
	{"notaccept", []string{"does not accept mail", "null mx", "nullmx", "doesn't accept mail", "no smtp service", "indicated no", "mail not accepted", "name server: .: host not found", "does not accept any"}},
	{"filtered", []string{"recipient address rejected", "not accepting messages", "filter", "not accepted from", "because the recipient is not"}},
	{"policyviolation", []string{"policy", "not allowed", "not authorized", "prohibited", "violat", "content rejected", "administrative prohibition"}},
	{"networkerror", []string{"wasn't able to establish", "dns error", "dns query failed", "network error", "name service error"}},
	{"expired", []string{"timed out", "time out", "timeout", "expired", "retry time not reached", "too long in queue", "delivery attempts", "been in the queue too long", "could not be delivered for", "gave up", "retry timeout", "delivery failed 1", "delivery failed 2", "not reachable", "being retried", "giving up", "multiple retries"}},
	{"networkerror", []string{"connection refused", "no route to host", "network is unreachable", "connection reset", "too many hops", "hop count", "mail loop", "loops back", "routing loop", "wasn't able to establish", "couldn't connect", "connection dropped", "establish an smtp connection", "connect to", "lost connection", "mail forwarding loop"}},
	{"systemfull", []string{"disk full", "insufficient disk", "insufficient system storage", "no space left", "file system full"}},
	{"systemerror", []string{"system error", "configuration error", "local error", "internal error", "temporary failure", "duplicated message-id", "cannot create", "server error", "system config"}},
	{"mailererror", []string{"mailer", "exit status", "pipe to", "command failed", "child status", "program failed"}},
	{"syntaxerror", []string{"syntax error", "bad address syntax", "command unrecognized", "bad sequence", "malformed", "invalid address", "command not recognized"}},
	{"securityerror", []string{"tls", "starttls", "ssl", "certificate", "authentication required", "relaying requires"}},
	{"contenterror", []string{"content", "mime", "8bit", "non-ascii", "bare lf", "header"}},
	{"rejected", []string{"sender rejected", "sender address", "mail from", "sender denied", "sender unknown", "rejected", "refused", "denied"}},
}

// codeReasons is what an enhanced code says by itself (RFC 3463 section 3 and
// the IANA registry).
var codeReasons = map[string]string{
	"1.0": "userunknown", "1.1": "userunknown", "1.2": "hostunknown", "1.3": "syntaxerror", "1.6": "hasmoved", "1.7": "rejected", "1.8": "rejected", "1.10": "notaccept",
	"2.0": "filtered", "2.1": "suspend", "2.2": "mailboxfull", "2.3": "exceedlimit", "3.0": "mailererror", "3.1": "systemfull", "3.4": "mesgtoobig", "3.5": "systemerror", "4.1": "networkerror", "4.2": "networkerror",
	"4.4": "hostunknown", "4.6": "networkerror", "4.7": "expired", "5.1": "syntaxerror", "5.2": "syntaxerror", "6.0": "contenterror", "6.1": "contenterror", "7.0": "policyviolation", "7.1": "policyviolation", "7.9": "policyviolation", "7.20": "authfailure", "7.23": "authfailure", "7.24": "authfailure", "7.25": "requireptr", "7.26": "authfailure", "7.27": "notaccept", "7.28": "speeding",
}

// certainCodes name a reason better than most servers' words do.
var certainCodes = map[string]bool{"1.1": true, "1.2": true, "1.6": true, "1.10": true, "2.2": true, "1.8": true, "2.3": true, "3.4": true, "7.20": true, "7.23": true, "7.24": true, "7.25": true, "7.26": true, "7.27": true, "7.28": true}

// bounceReason names why a delivery failed, in the words that the field uses:
// by a code that is sure, by what the diagnostic says, by what the whole
// report says, by the code.
func bounceReason(status, report, diagnostic string) string {
	detail := ""
	if len(status) > 2 {
		detail = status[2:]
	}
	said := wordReason(diagnostic)
	if detail == "1.10" && wordReason(report) == "userunknown" {
		return "userunknown" // Exchange means a missing mailbox, the registry a null MX
	}
	if certainCodes[detail] && (said == "" || said == "rejected" || said == "filtered" || said == "syntaxerror" || detail == "2.3" || said == "policyviolation" || said == codeReasons[detail] || said == "expired") {
		return codeReasons[detail]
	}
	if said != "" {
		return said
	}
	if r := codeReasons[detail]; r != "" {
		return r
	}
	if r := wordReason(report); r != "" {
		return r
	}
	return "undefined"
}

// wordReason returns the reason whose words stand in s, "" for none.
func wordReason(s string) string {
	low := strings.ToLower(collapse(s))
	for _, r := range reasonWords {
		if saysOne(low, r.words) != "" {
			return r.reason
		}
	}
	return ""
}
