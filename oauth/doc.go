// Package oauth logs mailboxes in at providers that take tokens instead of
// passwords: OAuth 2.0 (RFC 6749, with PKCE by RFC 7636, the loopback redirect
// of RFC 8252 and the device grant of RFC 8628), and the SASL mechanisms
// XOAUTH2 and OAUTHBEARER (RFC 7628) that carry a token over IMAP and SMTP.
//
// An Account hands out access tokens. What it guarantees:
//   - One fetch at a time for each account, among goroutines by waiting, among
//     nodes by a claim in the Vault. A provider that hands out a new refresh
//     token each time takes a second use of the old one for theft, and revokes
//     them all.
//   - A token is stored before it is used. A fetch that has begun is seen
//     through, even when whoever wanted it has gone.
//   - A token is renewed five minutes before its end, and when a mail server
//     refuses it before that.
//   - An error says what a person has to do, or that nobody has to do anything.
//     No error and no log line holds a token or a secret.
//
// The package stores nothing and logs nothing, and knows neither mailboxes nor
// letters.
package oauth
