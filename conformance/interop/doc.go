// Package interop holds Writ against programs of others that answer the same question. It is a module of its own, so that
// what they link is linked by nobody else; it has tests only. Run it in this folder with go test.
package interop
