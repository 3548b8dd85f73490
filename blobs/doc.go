// Package blobs keeps bytes outside of the database: in a folder, or in a bucket
// of S3-compatible storage. Both are a store.Blobs.
//
// What is put is whole or not there: a folder gets a file that is synced before it
// has its name, and the name is synced, too; a bucket gets an object by one
// request. A name is put once. Names begin with two characters that spread well,
// as those of hashes do.
//
// Nothing is retried for long here, and nothing is kept in memory: whoever wants a
// blob tries again. The package knows nothing of the desk.
package blobs
