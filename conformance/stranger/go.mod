module example.org/stranger

go 1.26.0

require github.com/writ-trust/writ v0.0.0

require (
	github.com/transparency-dev/merkle v0.0.2 // indirect
	golang.org/x/mod v0.42.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/writ-trust/writ => ../..
