//go:build race

package sim

func init() { more = 2 }
