package main

func (r *run) peersBeside() error { return nil }
