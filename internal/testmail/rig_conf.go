package testmail

// The configuration of the rig. Written for Debian 12 (Dovecot 2.3, Postfix
// 3.7); @NAME@ is filled in by Rig.write.

const dovecotConf = `
base_dir = @DIR@/run
state_dir = @DIR@/state
log_path = @DIR@/log/dovecot.log
listen = 127.0.0.1
protocols = imap lmtp
ssl = yes
ssl_cert = <@DIR@/tls/server.pem
ssl_key = <@DIR@/tls/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login@TOKENMECHANISMS@
auth_failure_delay = 0
auth_cache_size = 0
mail_uid = @UID@
mail_gid = @UID@
first_valid_uid = @UID@
mail_home = @DIR@/mail/%d/%n
mail_location = maildir:~/Maildir
mail_fsync = never
mailbox_idle_check_interval = 2s
mail_max_userip_connections = 200
recipient_delimiter = +
lda_mailbox_autocreate = yes
lmtp_save_to_detail_mailbox = no
lmtp_hdr_delivery_address = final
hostname = @HOST@
postmaster_address = postmaster@@HOST@
submission_host = 127.0.0.1:@SMTP@
service imap-login {
  service_count = 0
  chroot =
  inet_listener imap {
    port = @IMAP@
  }
  inet_listener imaps {
    port = @IMAPS@
    ssl = yes
  }
}
service imap {
  process_limit = 400
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = @LMTP@
  }
}
service auth {
  inet_listener sasl {
    address = 127.0.0.1
    port = @SASL@
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
@TOKENPASSDB@passdb {
  driver = passwd-file
  mechanisms = plain login
  args = username_format=%u @DIR@/dovecot/passwd
}
userdb {
  driver = passwd-file
  args = username_format=%u @DIR@/dovecot/passwd
  default_fields = uid=@UID@ gid=@UID@
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Sent {
    special_use = \Sent
    auto = subscribe
  }
  mailbox Drafts {
    special_use = \Drafts
    auto = subscribe
  }
  mailbox Trash {
    special_use = \Trash
    auto = subscribe
  }
}
protocol lmtp {
  mail_plugins = sieve
}
plugin {
  sieve = file:@DIR@/sieve/%u.sieve
  sieve_extensions = +vacation-seconds
  sieve_vacation_min_period = 0
}
`

const dovecotTokensPassdb = `passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = @DIR@/dovecot/oauth2.conf.ext
}
`

const dovecotTokensConf = `
introspection_url = @INTROSPECT@
introspection_mode = post
force_introspection = yes
username_attribute = username
active_attribute = active
active_value = true
scope = mail
timeout_msecs = 5000
`

const postfixMain = `
compatibility_level = 3.6
queue_directory = @DIR@/queue
data_directory = @DIR@/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = @DIR@/log/postfix.log
maillog_file_prefixes = @DIR@/log
myhostname = @HOST@
myorigin = $myhostname
mydestination =
alias_maps =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
biff = no
recipient_delimiter = +
message_size_limit = 52428800
mailbox_size_limit = 0
virtual_mailbox_domains = regexp:@DIR@/postfix/domains
virtual_mailbox_maps = texthash:@DIR@/postfix/mailboxes, regexp:@DIR@/postfix/failing
# An alias to itself: smtpd takes the recipient without asking its transport.
virtual_alias_maps = regexp:@DIR@/postfix/aliases
virtual_transport = lmtp:inet:127.0.0.1:@LMTP@
lmtp_destination_recipient_limit = 1
transport_maps = regexp:@DIR@/postfix/transport
default_transport = error:5.1.2 no mail leaves this machine
relay_transport = error:5.1.2 no mail leaves this machine
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 10s
maximal_queue_lifetime = 5m
bounce_queue_lifetime = 5m
in_flow_delay = 0
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:@SASL@
smtpd_sender_login_maps = regexp:@DIR@/postfix/logins
smtpd_tls_cert_file = @DIR@/tls/server.pem
smtpd_tls_key_file = @DIR@/tls/server.key
smtpd_tls_security_level = may
smtpd_client_connection_count_limit = 0
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access regexp:@DIR@/postfix/access, permit_mynetworks, permit_sasl_authenticated, reject
`

const postfixMaster = `
127.0.0.1:@SMTP@ inet n - n - - smtpd -o smtpd_tls_security_level=none
127.0.0.1:@SUBMISSION@ inet n - n - - smtpd
  -o syslog_name=submission -o smtpd_tls_auth_only=yes -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o { smtpd_sender_restrictions=reject_sender_login_mismatch, check_sender_access regexp:@DIR@/postfix/vouch }
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
showq     unix n - n - - showq
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
lmtp      unix - - n - - lmtp flags=O
handover  unix - - n - - lmtp
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
tlsmgr    unix - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
`
