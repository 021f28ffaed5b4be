package main

type serveCmd struct{}
type demoCmd struct{}
type rosterCmd struct{}
type mandateCmd struct{}
type approveCmd struct{}
type receiptCmd struct{}
