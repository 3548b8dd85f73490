package blobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Options say which bucket, and how it is reached.
type S3Options struct {
	Endpoint  string // https://s3.example.com; http:// is for storage on this machine
	Bucket    string
	Region    string // "" us-east-1
	Prefix    string // what names in the bucket begin with, "" nothing
	AccessKey string
	SecretKey string
	PathStyle bool // https://endpoint/bucket instead of https://bucket.endpoint
	// Timeout of one blob or one page of a list, default a minute.
	Timeout time.Duration
}

// S3 keeps each blob in an object.
type S3 struct {
	opt    S3Options
	client *minio.Client
}

// OpenS3 asks nothing of the server: a desk starts while its storage is down.
func OpenS3(opt S3Options) (*S3, error) {
	u, err := url.Parse(opt.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("open bucket of blobs: endpoint %q is not of the form https://HOST[:PORT]", opt.Endpoint)
	}
	if opt.Timeout == 0 {
		opt.Timeout = time.Minute
	}
	if opt.Region == "" {
		opt.Region = "us-east-1" // otherwise the first request asks for it
	}
	lookup := minio.BucketLookupDNS
	if opt.PathStyle {
		lookup = minio.BucketLookupPath
	}
	// What answers slowly is to fail soon: a mail server waits at the other end.
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       30 * time.Second,
		DisableCompression:    true, // the bytes are compressed
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds:        credentials.NewStaticV4(opt.AccessKey, opt.SecretKey, ""),
		Secure:       u.Scheme == "https",
		Region:       opt.Region,
		BucketLookup: lookup,
		Transport:    transport,
		MaxRetries:   3,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket of blobs: %w", err)
	}
	return &S3{opt: opt, client: client}, nil
}

func (s *S3) key(name string) string { return s.opt.Prefix + name }

// Put sends the bytes in one request: the object is there as a whole or not.
func (s *S3) Put(ctx context.Context, name string, data []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	_, err := s.client.PutObject(ctx, s.opt.Bucket, s.key(name), bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{
		ContentType:      "application/zstd",
		DisableMultipart: true,
		SendContentMd5:   true, // what arrives damaged is refused
	})
	return s.told(err)
}

// Get reads the object; all of it has to come within the timeout.
func (s *S3) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	o, err := s.client.GetObject(ctx, s.opt.Bucket, s.key(name), minio.GetObjectOptions{})
	if err != nil {
		return nil, s.told(err)
	}
	defer o.Close()
	// Its length is known only with the answer, and a connection that breaks is an
	// end that came too soon.
	var all bytes.Buffer
	if info, err := o.Stat(); err != nil {
		return nil, s.told(err)
	} else if all.Grow(int(info.Size) + bytes.MinRead); info.Size < 0 {
		return nil, errors.New("no length was told")
	}
	if _, err := io.Copy(&all, o); err != nil {
		return nil, s.told(err)
	}
	return io.NopCloser(&all), nil
}

// Delete removes the object. Of a bucket with versions the older ones stay, as
// long as its rules say.
func (s *S3) Delete(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	err := s.told(s.client.RemoveObject(ctx, s.opt.Bucket, s.key(name), minio.RemoveObjectOptions{}))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Walk lists the objects under the prefix.
func (s *S3) Walk(ctx context.Context, fn func(name string, size int64, put time.Time) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends what lists
	for o := range s.client.ListObjects(ctx, s.opt.Bucket, minio.ListObjectsOptions{Prefix: s.opt.Prefix, Recursive: true}) {
		if o.Err != nil {
			return s.told(o.Err)
		}
		name := strings.TrimPrefix(o.Key, s.opt.Prefix)
		if checkName(name) != nil {
			continue // not ours
		}
		if err := fn(name, o.Size, o.LastModified); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Check tells what is wrong with the bucket: a blob is put, read and deleted.
func (s *S3) Check(ctx context.Context) error { return tryOut(ctx, s) }

// told turns the server's answer into what callers decide on, with what to do.
func (s *S3) told(err error) error {
	if err == nil {
		return nil
	}
	answer := minio.ToErrorResponse(err)
	switch answer.Code {
	case "NoSuchKey":
		return fmt.Errorf("no object: %w", fs.ErrNotExist)
	case "NoSuchBucket":
		return fmt.Errorf("bucket %q: %w\nhint: make it at your provider; frontdesk makes none", s.opt.Bucket, err)
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch":
		return fmt.Errorf("bucket %q: %w\nhint: look at blobs.s3.access_key and secret_key_file; the key must be allowed to get, put, delete and list", s.opt.Bucket, err)
	}
	return err
}
