//go:build plant_high_s

package vc

// Planted: both count.

func hasOtherForm(string, []byte) bool { return false }
