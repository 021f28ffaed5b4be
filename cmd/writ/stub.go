package main

const (
	guardFile = "guard/checkpoint"
	logFolder = "log"
)

type serveCmd struct{}
type demoCmd struct{}
type rosterCmd struct{}
type mandateCmd struct{}
type approveCmd struct{}
type receiptCmd struct{}
type configCmd struct{}
