package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"time"
)

// The words of CycloneDX 1.5 that a Go program needs
// (https://cyclonedx.org/docs/1.5/json/).
type bom struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Serial       string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     bomMetadata  `json:"metadata"`
	Components   []bomPart    `json:"components"`
	Dependencies []bomDepends `json:"dependencies"`
}

type bomMetadata struct {
	Timestamp string  `json:"timestamp"`
	Component bomPart `json:"component"`
}

type bomPart struct {
	Type       string        `json:"type"`
	Ref        string        `json:"bom-ref"`
	Name       string        `json:"name"`
	Version    string        `json:"version"`
	Hashes     []bomHash     `json:"hashes,omitempty"`
	Licenses   []bomLicense  `json:"licenses,omitempty"`
	PURL       string        `json:"purl,omitempty"`
	Properties []bomProperty `json:"properties,omitempty"`
}

type bomHash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

type bomLicense struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

type bomProperty struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type bomDepends struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

// billOfMaterials lists what the compiler says it linked into program, as
// CycloneDX JSON. Which module uses which is not in the program: all stand
// below it.
func billOfMaterials(version string, program []byte, info *debug.BuildInfo, linked []module, at time.Time) ([]byte, error) {
	digest := sha256.Sum256(program)
	main := bomPart{
		Type: "application", Ref: "pkg:golang/frontdesk@" + version, Name: "frontdesk", Version: version,
		Hashes: []bomHash{{"SHA-256", hex.EncodeToString(digest[:])}}, PURL: "pkg:golang/frontdesk@" + version,
	}
	for _, s := range info.Settings {
		if s.Key == "GOOS" || s.Key == "GOARCH" || s.Key == "CGO_ENABLED" || s.Key == "-trimpath" {
			main.Properties = append(main.Properties, bomProperty{"go:build:" + s.Key, s.Value})
		}
	}
	out := bom{
		Format: "CycloneDX", Spec: "1.5", Version: 1, Serial: "urn:uuid:" + uuidOf(digest),
		Metadata: bomMetadata{at.UTC().Format(time.RFC3339), main},
	}
	below := bomDepends{Ref: main.Ref}
	for _, m := range linked {
		ref := "pkg:golang/" + m.path + "@" + m.version
		part := bomPart{Type: "library", Ref: ref, Name: m.path, Version: m.version, PURL: ref}
		if m.licence != "" {
			part.Licenses = make([]bomLicense, 1)
			part.Licenses[0].License.ID = m.licence
		}
		if m.sum != "" {
			part.Properties = []bomProperty{{"go:sum", m.sum}}
		}
		out.Components = append(out.Components, part)
		below.DependsOn = append(below.DependsOn, ref)
	}
	out.Dependencies = []bomDepends{below}
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("bill of materials: %w", err)
	}
	return append(text, '\n'), nil
}

// uuidOf makes a UUID (RFC 9562, version 8) of a digest: the same program has
// the same number.
func uuidOf(digest [32]byte) string {
	b := digest[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
