#!/bin/sh
# deps.sh installs what the tests want of the machine: real mail servers, real
# mail clients, PostgreSQL, a browser, a reader of sound files, a C compiler for the race
# detector, and what makes, looks at and installs packages. It never asks and no service is started by it. Quick when all is
# there. Only root on Debian can install; everybody else is told what is missing,
# and the tests say what they skip.
set -eu

# program:package; the first missing one of a line means that its package is installed
wanted='
gcc:gcc
doveadm:dovecot-core
imap:dovecot-imapd
lmtp:dovecot-lmtpd
sievec:dovecot-sieve
postfix:postfix
initdb:postgresql
mutt:mutt
s-nail:s-nail
swaks:swaks
strace:strace
tmux:tmux
openssl:openssl
python3:python3-minimal
systemd-analyze:systemd
ps:procps
soxi:sox
chromium:chromium
debootstrap:debootstrap
systemd-nspawn:systemd-container
promtool:prometheus
rpm:rpm
lintian:lintian
'

PATH=$PATH:/usr/sbin:/sbin:/usr/lib/dovecot
for dir in /usr/lib/postgresql/*/bin; do
	if [ -d "$dir" ]; then PATH=$PATH:$dir; fi
done

packages=''
for pair in $wanted; do
	command -v "${pair%%:*}" >/dev/null 2>&1 || packages="$packages ${pair#*:}"
done
# A compiler without headers compiles nothing.
[ -e /usr/include/stdlib.h ] || packages="$packages libc6-dev"
# Voicemails are mp3 files; soxi alone reads none.
ls /usr/lib/*/sox/libsox_fmt_mp3.so >/dev/null 2>&1 || packages="$packages libsox-fmt-mp3"

# An S3 server, built once: minutes.
if [ "$(id -u)" = 0 ] && ! command -v versitygw >/dev/null 2>&1 && command -v go >/dev/null 2>&1; then
	echo 'deps: building versitygw'
	CGO_ENABLED=0 GOBIN=/usr/local/bin go install -trimpath github.com/versity/versitygw/cmd/versitygw@v1.8.0 || echo 'deps: MISSING: versitygw'
fi

if [ -z "$packages" ]; then
	echo 'deps: all there'
	exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
	echo "deps: MISSING:$packages"
	echo 'deps: run "make deps" as root on Debian, or install them your way; tests that need them say what they skip'
	exit 0
fi

# While packages are installed, "no service may start" is the policy of the
# machine; whatever policy was there before comes back.
policy=/usr/sbin/policy-rc.d
saved=''
if [ -e "$policy" ]; then
	saved=$(mktemp)
	cp -p "$policy" "$saved"
fi
restore() {
	if [ -n "$saved" ]; then
		mv "$saved" "$policy"
	else
		rm -f "$policy"
	fi
}
trap restore EXIT
trap 'exit 1' HUP INT TERM
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true
# "No configuration": the package writes no main.cf; the tests bring their own.
echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections

echo "deps: installing$packages"
# shellcheck disable=SC2086 # one word is one package
install() {
	apt-get install -y -q --no-install-recommends \
		-o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
		$packages </dev/null
}
# The lists of a fresh image are empty, those of an old one out of date.
if ! install; then
	apt-get update -q
	install
fi
echo 'deps: done'
