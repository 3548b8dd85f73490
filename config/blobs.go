package config

import (
	"net/url"
	"path/filepath"
	"strings"
)

// BlobStore says where the bytes of large rows are put.
type BlobStore string

const (
	BlobsDatabase BlobStore = "database"
	BlobsFolder   BlobStore = "folder"
	BlobsS3       BlobStore = "s3"
)

// leastBlob is the least size in bytes that leaves the database.
const leastBlob = 256 << 10

// Blobs say where the bytes of large rows are.
type Blobs struct {
	Store      BlobStore `yaml:"store" default:"database" allowed:"database|folder|s3" doc:"Where new ones are put. Those that are elsewhere are read there, and brought by frontdesk blobs move. Several nodes need s3, or a folder that all of them mount."`
	LargerThan Size      `yaml:"larger_than" default:"256KB" doc:"What is larger than this leaves the database; at least 256KB."`
	Folder     string    `yaml:"folder" kind:"path" example:"/srv/frontdesk/blobs" says:"the folder blobs in data_dir" doc:"Folder of store: folder, on any disk; empty when the desk first uses it."`
	// S3 is nil when there is none.
	S3 *S3 `yaml:"s3" doc:"Bucket of store: s3, at any provider of S3-compatible storage. Nobody else may write there."`
}

// S3 is a bucket.
type S3 struct {
	Endpoint  string `yaml:"endpoint" required:"true" example:"https://s3.eu-central-1.amazonaws.com" doc:"Address of the storage, without the bucket."`
	Bucket    string `yaml:"bucket" required:"true" example:"example-desk" doc:"The bucket; make it first."`
	Region    string `yaml:"region" default:"us-east-1" example:"eu-central-1" doc:"Region that requests are signed for; many storages want any."`
	Prefix    string `yaml:"prefix" example:"frontdesk/" says:"none" doc:"What names in the bucket begin with. Two desks in one bucket need two."`
	AccessKey string `yaml:"access_key" required:"true" example:"AKIAEXAMPLE" doc:"Name of the key."`
	SecretKey Secret `yaml:"secret_key_file" required:"true" example:"s3.secret" doc:"File with the secret of the key, chmod 600, or credential:NAME."`
	PathStyle bool   `yaml:"path_style" default:"false" doc:"true = the bucket is in the path of the address, not in its host name: most storages of your own want this."`
}

func fillBlobs(cfg *Config) {
	if cfg.Blobs.Folder == "" {
		cfg.Blobs.Folder = filepath.Join(cfg.DataDir, "blobs")
	}
}

func (c *checker) blobs() {
	b := c.cfg.Blobs
	if b.LargerThan < leastBlob {
		c.at("blobs.larger_than", "%s is too small: what is smaller than 256 KB is faster in the database (example: 256KB)", b.LargerThan)
	}
	if b.Store == BlobsS3 && b.S3 == nil {
		c.at("blobs.s3", "missing: which bucket? (endpoint, bucket, access_key, secret_key_file)")
	}
	if b.S3 == nil {
		return
	}
	if u, err := url.Parse(b.S3.Endpoint); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		c.at("blobs.s3.endpoint", "%q is not https://HOST or http://HOST:PORT", b.S3.Endpoint)
	} else if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		c.at("blobs.s3.endpoint", "%q sends mail over the network in clear: https://, or storage on this machine", b.S3.Endpoint)
	}
	if strings.HasPrefix(b.S3.Prefix, "/") {
		c.at("blobs.s3.prefix", "%q begins with a slash: names in a bucket do not", b.S3.Prefix)
	}
}
