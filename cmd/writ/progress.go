package main

import "github.com/schollz/progressbar/v3"

// advances shows people how far long work has come, whose extent is known once it has begun; elsewhere than on a terminal it shows nothing.
func advances(sys *system, what string) func(done, of int64) {
	var bar *progressbar.ProgressBar
	return func(done, of int64) {
		if bar == nil || bar.GetMax64() != of {
			bar = progress(sys, int(of), what)
		}
		bar.Set64(done)
	}
}
