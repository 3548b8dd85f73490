package main

import (
	"regexp"
	"time"
)

// released is what git describe says at or after a tag: v1.2.3, v1.2.3-rc1,
// v1.2.3-14-gabcdef0, each with -dirty.
var released = regexp.MustCompile(`^v?([0-9]+\.[0-9]+\.[0-9]+)(?:-((?:rc|alpha|beta)[0-9.]*))?(?:-([0-9]+)-g([0-9a-f]+))?(-dirty)?$`)

// commit is what it says when there is no tag.
var commit = regexp.MustCompile(`^([0-9a-f]{7,40})(-dirty)?$`)

// packageVersion turns the version of a build into one that dpkg and rpm sort
// rightly: release candidates before the release, what came after a tag after
// it, and without a tag by the time of the commit, before every release.
func packageVersion(version string, at time.Time) string {
	if m := released.FindStringSubmatch(version); m != nil {
		out := m[1]
		if m[2] != "" {
			out += "~" + m[2]
		}
		if m[3] != "" {
			out += "+" + m[3] + ".g" + m[4]
		}
		return out + dirty(m[5])
	}
	out := "0.0.0~git" + at.UTC().Format("20060102150405")
	if m := commit.FindStringSubmatch(version); m != nil {
		return out + "." + m[1] + dirty(m[2])
	}
	return out
}

func dirty(suffix string) string {
	if suffix == "" {
		return ""
	}
	return "+dirty"
}
